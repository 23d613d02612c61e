"""When a vital sign has crossed a limit for so long that somebody should know, and when it has come back.

Delay and hysteresis keep a value that dances on its limit from raising fifty alerts. Only the times of observation
count: the same observations lead to the same crossings at whatever speed they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hospital.triage.observation import Measured, Source, Vital
from hospital.vocabulary import Priority

COUNTS_AT_MOST_S = 60  # of a gap between two values: nobody watched, so an hour's gap is not an hour below a limit


@dataclass(frozen=True)
class Limit:
    """One side of what is expected of a vital sign: `low` or `high`, the other is None (else ValueError).

    Crossed strictly beyond it for `delay_s`; back when inside by `hysteresis` (in the vital's unit) for as long.
    """

    vital: Vital
    low: float | None
    high: float | None
    priority: Priority
    delay_s: float
    hysteresis: float

    def __post_init__(self) -> None:
        if (self.low is None) == (self.high is None):
            raise ValueError("a limit has one side: low or high")
        if self.delay_s < 0 or self.hysteresis < 0:
            raise ValueError("neither delay nor hysteresis is less than 0")

    @property
    def condition(self) -> str:
        """'spo2-low'. Limits that share it are one condition of the patient: one open alert, the highest priority."""
        return f"{self.vital}-{'high' if self.low is None else 'low'}"

    @property
    def name(self) -> str:
        """'spo2-low-medium'."""
        return f"{self.condition}-{self.priority}"

    def is_beyond(self, value: float) -> bool:
        """A value exactly on its limit is not."""
        return (self.low is not None and value < self.low) or (self.high is not None and value > self.high)

    def is_back(self, value: float) -> bool:
        """Inside by the hysteresis or more; between this and `is_beyond` nothing changes."""
        # round: 35.1 + 0.2 is 35.300000000000004, and 35.3 is back
        if self.low is not None:
            return value >= round(self.low + self.hysteresis, 6)
        return self.high is not None and value <= round(self.high - self.hysteresis, 6)


class Crossing(StrEnum):
    STARTED = "started"
    STILL = "still"
    ENDED = "ended"


@dataclass(frozen=True)
class Watch:
    """How one limit stands with one patient; new: nothing measured yet.

    `at`: of the last value taken. `run`: for how long values have been on their way to the other state (beyond while
    not `crossed`, back while `crossed`); None: the last one was not.
    """

    at: datetime | None = None
    crossed: bool = False
    run: timedelta | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat() if self.at else None,
            "crossed": self.crossed,
            "run_s": None if self.run is None else self.run.total_seconds(),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Watch":
        """What to_json gave; an empty mapping is a new watch."""
        at, run_s = stored.get("at"), stored.get("run_s")
        return Watch(
            datetime.fromisoformat(at) if at else None,
            stored.get("crossed", False),
            None if run_s is None else timedelta(seconds=run_s),
        )


def step(watch: Watch, limit: Limit, measured: Measured) -> tuple[Watch, Crossing | None]:
    """What one more value of the limit's vital sign means. None: the limit is not crossed, or the value is ignored.

    A value that is not newer than the last one is ignored, but one that corrects it. A gap counts COUNTS_AT_MOST_S
    towards the delay and does not start it anew: else a sender that speaks every two minutes could never raise
    anything. A cuff speaks once in many minutes, so its value waits for no delay; for a value taken by hand, pass the
    limit with `delay_s` 0.
    """
    if measured.vital is not limit.vital:
        raise ValueError(f"{measured.vital} is not what {limit.name} limits")
    if watch.at is not None and (measured.at < watch.at or (measured.at == watch.at and not measured.corrects)):
        return watch, None
    turning = limit.is_back(measured.value) if watch.crossed else limit.is_beyond(measured.value)
    run = _run(watch, measured.at) if turning else None
    if run is not None and run >= _delay(limit, measured):
        turned = Watch(measured.at, not watch.crossed)
        return turned, Crossing.STARTED if turned.crossed else Crossing.ENDED
    return Watch(measured.at, watch.crossed, run), Crossing.STILL if watch.crossed else None


def _run(watch: Watch, at: datetime) -> timedelta:
    if watch.at is None or watch.run is None:
        return timedelta(0)
    return watch.run + min(at - watch.at, timedelta(seconds=COUNTS_AT_MOST_S))


def _delay(limit: Limit, measured: Measured) -> timedelta:
    return timedelta(seconds=0 if measured.source is Source.CUFF else limit.delay_s)


# For an adult ward. Limits and delays are ours, for clinical review; no body's recommendation. What they lean on: half
# of the alarms that nobody needs are over within 14 s and two thirds within 19 s (Görges, Markewitz and Westenskow,
# Anesth Analg 2009;108:1546–52); 15 s at SpO2 90 % spared 60 % of them after operations (Rheineck, told in Biomed
# Instrum Technol 2011;45 s1:46). A high limit waits no longer than a heart rate meter may take to alarm, 10 s
# (IEC 60601-2-27), and for a heart that slows or stands still half of that; 15 s without breath is less than a usual
# apnoea time of 20 s.
DEFAULTS: tuple[Limit, ...] = (
    Limit(Vital.SPO2, 90, None, Priority.MEDIUM, delay_s=15, hysteresis=1),
    Limit(Vital.SPO2, 85, None, Priority.HIGH, delay_s=10, hysteresis=1),
    Limit(Vital.HR, None, 130, Priority.MEDIUM, delay_s=15, hysteresis=5),
    Limit(Vital.HR, None, 150, Priority.HIGH, delay_s=10, hysteresis=5),
    Limit(Vital.HR, 45, None, Priority.MEDIUM, delay_s=15, hysteresis=3),
    Limit(Vital.HR, 38, None, Priority.HIGH, delay_s=5, hysteresis=3),
    Limit(Vital.RR, None, 28, Priority.MEDIUM, delay_s=30, hysteresis=2),
    Limit(Vital.RR, 8, None, Priority.HIGH, delay_s=15, hysteresis=1),
    Limit(Vital.SBP, 90, None, Priority.MEDIUM, delay_s=15, hysteresis=5),
    Limit(Vital.SBP, 75, None, Priority.HIGH, delay_s=10, hysteresis=5),
    Limit(Vital.SBP, None, 200, Priority.MEDIUM, delay_s=15, hysteresis=5),
    Limit(Vital.TEMP, None, 39.5, Priority.LOW, delay_s=0, hysteresis=0.5),
)
