"""What devices call things: terms of ISO/IEEE 11073-10101, and the numbers that a monitor measures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One term; its number is what counts."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"{self.number}^{self.name}^MDC"


@dataclass(frozen=True, eq=False)  # there is one of each: compared and hashed as itself, which is quick
class Metric:
    """A number that a device measures. `vmd`, `channel`: the parts of the device that it comes from, whose places in
    OBX-4 are `1.<module>.0.0` and `1.<module>.1.0` (IHE PCD TF-2, MDS/VMD/channel); its own is `1.<module>.1.<place>`.
    """

    code: Code
    unit: Code
    module: int
    vmd: Code
    channel: Code
    place: int
    digits: int = 0

    def written(self, value: float) -> str:
        """With the usual digits, or with all that were recorded."""
        return f"{value:.{self.digits}f}" if value == round(value, self.digits) else f"{value:g}"

    def __repr__(self) -> str:
        return self.code.name


PERCENT = Code(262688, "MDC_DIM_PERCENT")
BEATS = Code(264864, "MDC_DIM_BEAT_PER_MIN")
BREATHS = Code(264928, "MDC_DIM_RESP_PER_MIN")
MMHG = Code(266016, "MDC_DIM_MMHG")
CELSIUS = Code(268192, "MDC_DIM_DEGC")

MONITOR = Code(69965, "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS")
PUMP = Code(69985, "MDC_DEV_PUMP_INFUS_MDS")
OXIMETER = Code(69642, "MDC_DEV_ANALY_SAT_O2_VMD")

_CUFF = (1, Code(70686, "MDC_DEV_PRESS_BLD_NONINV_VMD"), Code(70687, "MDC_DEV_PRESS_BLD_NONINV_CHAN"))
_ECG = (2, Code(4262, "MDC_DEV_ECG_VMD"), Code(4263, "MDC_DEV_ECG_CHAN"))
_OXIMETRY = (3, OXIMETER, Code(69643, "MDC_DEV_ANALY_SAT_O2_CHAN"))
_ARTERIAL = (4, Code(69854, "MDC_DEV_METER_PRESS_BLD_VMD"), Code(69855, "MDC_DEV_METER_PRESS_BLD_CHAN"))
_THERMOMETER = (5, Code(69902, "MDC_DEV_METER_TEMP_VMD"), Code(69903, "MDC_DEV_METER_TEMP_CHAN"))

# In the order in which they stand in a message.
CUFF_SYS = Metric(Code(150021, "MDC_PRESS_BLD_NONINV_SYS"), MMHG, *_CUFF, 1)
CUFF_DIA = Metric(Code(150022, "MDC_PRESS_BLD_NONINV_DIA"), MMHG, *_CUFF, 2)
CUFF_MEAN = Metric(Code(150023, "MDC_PRESS_BLD_NONINV_MEAN"), MMHG, *_CUFF, 3)
HEART_RATE = Metric(Code(147842, "MDC_ECG_HEART_RATE"), BEATS, *_ECG, 1)
RESPIRATION = Metric(Code(151562, "MDC_RESP_RATE"), BREATHS, *_ECG, 2)
SPO2 = Metric(Code(150456, "MDC_PULS_OXIM_SAT_O2"), PERCENT, *_OXIMETRY, 1)
PULSE = Metric(Code(149530, "MDC_PULS_OXIM_PULS_RATE"), BEATS, *_OXIMETRY, 2)
ART_SYS = Metric(Code(150033, "MDC_PRESS_BLD_ART_SYS"), MMHG, *_ARTERIAL, 1)
ART_DIA = Metric(Code(150034, "MDC_PRESS_BLD_ART_DIA"), MMHG, *_ARTERIAL, 2)
ART_MEAN = Metric(Code(150035, "MDC_PRESS_BLD_ART_MEAN"), MMHG, *_ARTERIAL, 3)
TEMPERATURE = Metric(Code(150344, "MDC_TEMP"), CELSIUS, *_THERMOMETER, 1, digits=1)

METRICS = (
    CUFF_SYS, CUFF_DIA, CUFF_MEAN, HEART_RATE, RESPIRATION, SPO2, PULSE, ART_SYS, ART_DIA, ART_MEAN, TEMPERATURE,
)  # fmt: skip

LOW_EVENT = Code(196670, "MDC_EVT_LO")
HIGH_EVENT = Code(196648, "MDC_EVT_HI")
LEAD_OFF = Code(196680, "MDC_EVT_LEAD_OFF")
SENSOR_DISCONNECTED = Code(196916, "MDC_EVT_SENSOR_DISCONN")
LINE_OCCLUSION = Code(196940, "MDC_EVT_FLUID_LINE_OCCL")
