"""The limits of this hospital's monitors, and what its devices call it when one is crossed or a part comes loose."""

from dataclasses import dataclass

from hospital.simulator.codes import (
    ART_SYS,
    CUFF_SYS,
    HEART_RATE,
    HIGH_EVENT,
    LEAD_OFF,
    LINE_OCCLUSION,
    LOW_EVENT,
    MONITOR,
    OXIMETER,
    PUMP,
    RESPIRATION,
    SENSOR_DISCONNECTED,
    SPO2,
    TEMPERATURE,
    Code,
    Metric,
)
from hospital.vocabulary import AlertKind, Priority

Range = tuple[float, float]


@dataclass(frozen=True)
class Grade:
    """From `bound` on (itself included) it is called so."""

    bound: float
    priority: Priority
    text: str


@dataclass(frozen=True, eq=False)
class Limit:
    """One side of a range. A value beyond it for `delay_s` raises an alarm; it ends when the value has been back by
    `back_by` for `ends_after_s`. A number taken now and then (cuff, thermometer) needs no delay.

    `grades`: from the mildest; the first begins at the limit itself, so its bound is not asked. `step`: a change
    worth telling.
    """

    metric: Metric
    event: Code
    grades: tuple[Grade, ...]
    delay_s: float
    ends_after_s: float
    back_by: float
    step: float

    @property
    def is_low(self) -> bool:
        return self.event is LOW_EVENT

    @property
    def kind(self) -> AlertKind:
        return AlertKind.PHYSIOLOGICAL

    def is_beyond(self, value: float, limits: Range) -> bool:
        return value < limits[0] if self.is_low else value > limits[1]

    def is_back(self, value: float, limits: Range) -> bool:
        return value >= limits[0] + self.back_by if self.is_low else value <= limits[1] - self.back_by

    def grade(self, value: float) -> int:
        """The gravest grade that a value has reached, as its place in `grades`."""
        beyond = (n for n, grade in enumerate(self.grades) if n and self._reaches(value, grade.bound))
        return max(beyond, default=0)

    def _reaches(self, value: float, bound: float) -> bool:
        return value <= bound if self.is_low else value >= bound


@dataclass(frozen=True, eq=False)
class Fault:
    """What a device tells of itself. `name`: in `episodes.FAULTS`."""

    name: str
    event: Code
    source: Code
    device: str
    priority: Priority
    text: str

    @property
    def kind(self) -> AlertKind:
        return AlertKind.TECHNICAL


RANGES: dict[Metric, Range] = {
    HEART_RATE: (50, 120),
    SPO2: (90, 100),
    RESPIRATION: (8, 24),
    CUFF_SYS: (90, 180),
    ART_SYS: (90, 180),
    TEMPERATURE: (35.0, 39.0),
}

_H, _M, _L = Priority


def _pressure(metric: Metric, name: str, delay_s: float) -> tuple[Limit, Limit]:
    low = (Grade(90, _M, f"{name} low"), Grade(70, _H, f"{name} extremely low"))
    high = (Grade(180, _M, f"{name} high"),)
    return (
        Limit(metric, LOW_EVENT, low, delay_s, delay_s, 2, 4),
        Limit(metric, HIGH_EVENT, high, delay_s, delay_s, 2, 6),
    )


# Asystole and apnoea are told as an extreme low of their rate: a code that every receiver knows.
LIMITS = (
    Limit(
        HEART_RATE, LOW_EVENT,
        (Grade(50, _M, "Heart rate low"), Grade(35, _H, "Heart rate extremely low"), Grade(5, _H, "Asystole")),
        delay_s=5, ends_after_s=5, back_by=2, step=4,
    ),
    Limit(
        HEART_RATE, HIGH_EVENT, (Grade(120, _M, "Heart rate high"), Grade(150, _H, "Heart rate extremely high")),
        delay_s=10, ends_after_s=5, back_by=3, step=6,
    ),
    Limit(
        SPO2, LOW_EVENT, (Grade(90, _M, "SpO2 low"), Grade(80, _H, "SpO2 extremely low")),
        delay_s=10, ends_after_s=5, back_by=1, step=3,
    ),
    Limit(
        RESPIRATION, LOW_EVENT, (Grade(8, _M, "Respiratory rate low"), Grade(2, _H, "Apnoea")),
        delay_s=10, ends_after_s=5, back_by=1, step=3,
    ),
    Limit(
        RESPIRATION, HIGH_EVENT, (Grade(24, _L, "Respiratory rate high"), Grade(35, _M, "Respiratory rate very high")),
        delay_s=15, ends_after_s=10, back_by=2, step=4,
    ),
    *_pressure(CUFF_SYS, "NIBP systolic", 0),
    *_pressure(ART_SYS, "Arterial systolic", 10),
    Limit(
        TEMPERATURE, HIGH_EVENT, (Grade(39, _L, "Temperature high"),), delay_s=0, ends_after_s=0, back_by=0.2, step=0.4
    ),
    Limit(
        TEMPERATURE, LOW_EVENT, (Grade(35, _L, "Temperature low"),), delay_s=0, ends_after_s=0, back_by=0.2, step=0.4
    ),
)  # fmt: skip

FAULTS = (
    Fault("lead off", LEAD_OFF, MONITOR, "MONITOR", _L, "ECG lead off"),
    Fault("sensor off", SENSOR_DISCONNECTED, OXIMETER, "MONITOR", _L, "SpO2 sensor disconnected"),
    Fault("occlusion", LINE_OCCLUSION, PUMP, "PUMP", _M, "Infusion line occlusion"),
)
