"""The National Early Warning Score: how ill the patient is by seven parts, and what the answer to that should be.

Royal College of Physicians, National Early Warning Score (NEWS) 2, December 2017: chart 1 (points) and chart 4
(answers), reproduced with acknowledgement. For adults from 16, not in pregnancy. That a score with missing parts is a
lower bound and acts by it, and when a part is too old, are our rules, for clinical review.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from hospital import settings
from hospital.triage.latest import Latest, current, newest, still
from hospital.triage.observation import Consciousness, Measured, Vital
from hospital.vocabulary import Priority


@dataclass(frozen=True)
class Ages:
    """How old a part may be, in seconds: exactly so old still counts (ours, for clinical review).

    `fast_s`: pulse, respiration and SpO2; `slow_s`: pressure, temperature, consciousness and oxygen, never shorter.
    """

    fast_s: int = 900
    slow_s: int = 43_200

    @staticmethod
    def chosen() -> "Ages":
        """Those of the settings."""
        return Ages(settings.current.news2_fast_s, settings.current.news2_slow_s)

    def __post_init__(self) -> None:
        if self.slow_s < self.fast_s:
            raise ValueError(f"slow_s ({self.slow_s}) is shorter than fast_s ({self.fast_s})")


@dataclass(frozen=True)
class Parts:
    """What the score is made of, in the order of the chart. None: missing, never 'normal'."""

    respiration: float | None = None
    spo2: float | None = None
    on_oxygen: bool | None = None
    systolic: float | None = None
    pulse: float | None = None
    consciousness: Consciousness | None = None
    temperature: float | None = None


class Band(StrEnum):
    """Clinical risk (RCP, chart 2): 0–4, 3 in a single part, 5–6, 7 or more."""

    LOW = "low"
    LOW_MEDIUM = "low-medium"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Score:
    """`points` of each part, in the order of the chart; None: missing."""

    points: dict[str, int | None]

    @property
    def total(self) -> int:
        """At least this: missing parts count nothing, so it is a lower bound unless `complete`."""
        return sum(self._present)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(part for part, points in self.points.items() if points is None)

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def red(self) -> bool:
        """3 in a single part, whatever the total."""
        return 3 in self._present

    @property
    def band(self) -> Band:
        """By the lower bound when incomplete: the true band is this or a higher one."""
        if self.total >= 7:
            return Band.HIGH
        if self.total >= 5:
            return Band.MEDIUM
        return Band.LOW_MEDIUM if self.red else Band.LOW

    @property
    def text(self) -> str:
        """'7', or '≥ 5' when parts are missing."""
        return f"{self.total}" if self.complete else f"≥ {self.total}"

    @property
    def risk(self) -> str:
        return self.band.capitalize()

    @property
    def response(self) -> str:
        return self._answer.response

    @property
    def observe_within(self) -> timedelta:
        """When the next observations are due at the latest, from these: RCP's shortest ('4–6 hourly' is 4 h).

        0: continuously. The 12 hours are for a complete 0 only; an incomplete one is observed like 1–4.
        """
        return self._answer.observe_within

    @property
    def priority(self) -> Priority | None:
        """None: raises no alert. Ours, for clinical review: RCP names risks and not alarm priorities."""
        return self._answer.priority

    @property
    def _present(self) -> list[int]:
        return [points for points in self.points.values() if points is not None]

    @property
    def _answer(self) -> "_Answer":
        return _ROUTINE if self.complete and self.total == 0 else _ANSWERS[self.band]


def parts(latest: Latest, now: datetime, ages: Ages) -> Parts:
    """The parts that are known now and not too old.

    Pressure and temperature are live from the first source that spoke within `fast_s`, else the newest within `slow_s`:
    an arterial line that was taken out hours ago does not hide the cuff of a moment ago.
    """
    fast, slow = timedelta(seconds=ages.fast_s), timedelta(seconds=ages.slow_s)
    return Parts(
        respiration=_value(current(latest, Vital.RR, now, fast)),
        spo2=_value(current(latest, Vital.SPO2, now, fast)),
        on_oxygen=still(latest.on_oxygen, now, slow),
        systolic=_value(current(latest, Vital.SBP, now, fast) or newest(latest, Vital.SBP, now, slow)),
        pulse=_value(current(latest, Vital.HR, now, fast)),
        consciousness=still(latest.consciousness, now, slow),
        temperature=_value(current(latest, Vital.TEMP, now, fast) or newest(latest, Vital.TEMP, now, slow)),
    )


def score(parts: Parts, scale: int) -> Score:
    """Points by chart 1 of RCP NEWS2 (December 2017).

    `scale`: 1, or 2 for confirmed hypercapnic respiratory failure with a target of 88–92 %; else ValueError.
    The chart has no points between its bands: temperature is first rounded to 0.1 °C, everything else to whole
    numbers, halves up (20.5 breaths are 21).
    """
    if scale not in (1, 2):
        raise ValueError(f"NEWS2 has SpO2 scales 1 and 2, not {scale}")
    spo2 = _points_of_spo2(parts) if scale == 1 else _points_of_spo2_on_scale_2(parts)
    points = {
        "respiration": _points(_RESPIRATION, _whole(parts.respiration)),
        "spo2": spo2,
        "on_oxygen": None if parts.on_oxygen is None else 2 if parts.on_oxygen else 0,
        "systolic": _points(_SYSTOLIC, _whole(parts.systolic)),
        "pulse": _points(_PULSE, _whole(parts.pulse)),
        "consciousness": _points_of_consciousness(parts),
        "temperature": _points(_TEMPERATURE, _rounded(parts.temperature, "0.1")),
    }
    return Score({part.name: points[part.name] for part in fields(Parts)})


_Row = tuple[tuple[int, float], ...]  # points up to and including a value, from below

_ABOVE = float("inf")
_RESPIRATION: _Row = ((3, 8), (1, 11), (0, 20), (2, 24), (3, _ABOVE))
_SPO2: _Row = ((3, 91), (2, 93), (1, 95), (0, _ABOVE))
_SPO2_SCALE_2_ON_AIR: _Row = ((3, 83), (2, 85), (1, 87), (0, _ABOVE))
_SPO2_SCALE_2_ON_OXYGEN: _Row = ((3, 83), (2, 85), (1, 87), (0, 92), (1, 94), (2, 96), (3, _ABOVE))
_SYSTOLIC: _Row = ((3, 90), (2, 100), (1, 110), (0, 219), (3, _ABOVE))
_PULSE: _Row = ((3, 40), (1, 50), (0, 90), (1, 110), (2, 130), (3, _ABOVE))
_TEMPERATURE: _Row = ((3, 35.0), (1, 36.0), (0, 38.0), (1, 39.0), (2, _ABOVE))


def _points_of_spo2(parts: Parts) -> int | None:
    return _points(_SPO2, _whole(parts.spo2))


def _points_of_spo2_on_scale_2(parts: Parts) -> int | None:
    """Too much is a danger only on oxygen; whether 93 % or more is too much nobody knows while that is unknown."""
    spo2 = _whole(parts.spo2)
    if parts.on_oxygen is None and spo2 is not None and spo2 >= 93:
        return None
    return _points(_SPO2_SCALE_2_ON_OXYGEN if parts.on_oxygen else _SPO2_SCALE_2_ON_AIR, spo2)


def _points_of_consciousness(parts: Parts) -> int | None:
    if parts.consciousness is None:
        return None
    return 0 if parts.consciousness is Consciousness.ALERT else 3


def _points(row: _Row, value: float | None) -> int | None:
    return None if value is None else next(points for points, up_to in row if value <= up_to)


def _whole(value: float | None) -> float | None:
    return _rounded(value, "1")


def _rounded(value: float | None, to: str) -> float | None:
    """Halves up, of the decimals that a person reads: the float 38.05 is less than that, and yet it is 38.1."""
    return None if value is None else float(Decimal(str(value)).quantize(Decimal(to), ROUND_HALF_UP))


def _value(measured: Measured | None) -> float | None:
    return None if measured is None else measured.value


@dataclass(frozen=True)
class _Answer:
    """A row of chart 4, and the priority that we give it."""

    observe_within: timedelta
    priority: Priority | None
    response: str


_ROUTINE = _Answer(timedelta(hours=12), None, "Continue routine NEWS monitoring.")
_ANSWERS = {
    Band.LOW: _Answer(
        timedelta(hours=4),
        None,
        "Inform registered nurse, who must assess the patient and decides whether increased frequency of monitoring "
        "and/or escalation of care is required.",
    ),
    Band.LOW_MEDIUM: _Answer(
        timedelta(hours=1),
        Priority.LOW,
        "Registered nurse to inform medical team caring for the patient, who will review and decide whether escalation "
        "of care is necessary.",
    ),
    Band.MEDIUM: _Answer(
        timedelta(hours=1),
        Priority.MEDIUM,
        "Registered nurse to immediately inform the medical team caring for the patient, and to request urgent "
        "assessment by a clinician or team with core competencies in the care of acutely ill patients. Provide "
        "clinical care in an environment with monitoring facilities.",
    ),
    Band.HIGH: _Answer(
        timedelta(0),
        Priority.HIGH,
        "Registered nurse to immediately inform the medical team caring for the patient, at least at specialist "
        "registrar level. Emergency assessment by a team with critical care competencies, including advanced airway "
        "management skills. Consider transfer of care to a level 2 or 3 clinical care facility. Clinical care in an "
        "environment with monitoring facilities.",
    ),
}
