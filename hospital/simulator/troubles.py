"""What can go wrong in a bed, and how often: the devices' alarms with their MDC codes, limits and likely values."""

from dataclasses import dataclass

from hospital.vocabulary import AlertKind, Priority


@dataclass(frozen=True)
class Code:
    """A term of ISO/IEEE 11073-10101."""

    number: int
    name: str


@dataclass(frozen=True)
class Measure:
    """A number behind an alarm. Its values wander from `mildest` to `worst`; it ends at `recovered`.

    `grave`: from here on the monitor makes the alarm high; None: never.
    """

    unit: Code
    limits: tuple[int, int]
    mildest: int
    worst: int
    recovered: int
    grave: int | None = None

    @property
    def is_low(self) -> bool:
        return self.worst < self.limits[0]

    def is_grave(self, value: int) -> bool:
        if self.grave is None:
            return False
        return value <= self.grave if self.is_low else value >= self.grave


@dataclass(frozen=True)
class Trouble:
    """`share` is how many of a hundred alarms are this one. `measure` None: the device tells no number.

    `organ` is what it concerns: of one organ (or device) a bed has one trouble at a time, since a heart is not both
    fast and slow, nor either while its electrodes lie on the floor.
    """

    text: str
    share: int
    priority: Priority
    organ: str
    event: Code
    source: Code
    measure: Measure | None = None

    @property
    def kind(self) -> AlertKind:
        return AlertKind.PHYSIOLOGICAL if self.measure else AlertKind.TECHNICAL


LOW_EVENT = Code(196670, "MDC_EVT_LO")
HIGH_EVENT = Code(196648, "MDC_EVT_HI")
LEAD_OFF = Code(196680, "MDC_EVT_LEAD_OFF")
SENSOR_DISCONNECTED = Code(196916, "MDC_EVT_SENSOR_DISCONN")
LINE_OCCLUSION = Code(196940, "MDC_EVT_FLUID_LINE_OCCL")

HEART_RATE = Code(147842, "MDC_ECG_HEART_RATE")
SPO2 = Code(150456, "MDC_PULS_OXIM_SAT_O2")
RESPIRATION = Code(151562, "MDC_RESP_RATE")
SYSTOLIC = Code(150021, "MDC_PRESS_BLD_NONINV_SYS")
MONITOR = Code(69965, "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS")
OXIMETER = Code(69642, "MDC_DEV_ANALY_SAT_O2_VMD")
PUMP = Code(69985, "MDC_DEV_PUMP_INFUS_MDS")

PERCENT = Code(262688, "MDC_DIM_PERCENT")
BEATS = Code(264864, "MDC_DIM_BEAT_PER_MIN")
BREATHS = Code(264928, "MDC_DIM_RESP_PER_MIN")
MMHG = Code(266016, "MDC_DIM_MMHG")

_H, _M, _L = Priority

# Asystole and apnoea are told as an extreme low of their rate: a code that every receiver knows.
TROUBLES = (
    Trouble("Asystole", 1, _H, "heart", LOW_EVENT, HEART_RATE, Measure(BEATS, (20, 200), 0, 0, 62)),
    Trouble("Apnoea", 2, _H, "lungs", LOW_EVENT, RESPIRATION, Measure(BREATHS, (4, 40), 0, 0, 13)),
    Trouble("SpO2 extremely low", 4, _H, "oxygen", LOW_EVENT, SPO2, Measure(PERCENT, (80, 100), 79, 66, 93)),
    Trouble(
        "Heart rate extremely high", 3, _H, "heart", HIGH_EVENT, HEART_RATE, Measure(BEATS, (40, 160), 161, 188, 104)
    ),
    Trouble("SpO2 low", 20, _M, "oxygen", LOW_EVENT, SPO2, Measure(PERCENT, (90, 100), 89, 79, 95, grave=82)),
    Trouble("Heart rate high", 11, _M, "heart", HIGH_EVENT, HEART_RATE, Measure(BEATS, (50, 120), 121, 149, 96)),
    Trouble("Heart rate low", 6, _M, "heart", LOW_EVENT, HEART_RATE, Measure(BEATS, (50, 120), 49, 38, 63)),
    Trouble(
        "NIBP systolic low", 8, _M, "pressure", LOW_EVENT, SYSTOLIC, Measure(MMHG, (90, 160), 89, 66, 108, grave=70)
    ),
    Trouble("Respiratory rate high", 12, _L, "lungs", HIGH_EVENT, RESPIRATION, Measure(BREATHS, (8, 24), 25, 34, 19)),
    Trouble("ECG lead off", 14, _L, "heart", LEAD_OFF, MONITOR),
    Trouble("SpO2 sensor disconnected", 12, _L, "oxygen", SENSOR_DISCONNECTED, OXIMETER),
    Trouble("Infusion line occlusion", 7, _M, "pump", LINE_OCCLUSION, PUMP),
)
