"""What a card shows of NEWS2: the score, whether it rises, and the seven parts that it is made of."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hospital.fragments import words
from hospital.fragments.cells import Cell, seen_at
from hospital.fragments.moment import Moment
from hospital.fragments.words import gettext
from hospital.triage.latest import Latest
from hospital.triage.news2 import Ages, Score, parts
from hospital.triage.observation import Consciousness, Vital
from hospital.triage.rounds import Trend
from hospital.vocabulary import N_

# part of the score → where it stands on the card, and the vital signs that are shown there
_PLACES: dict[str, tuple[str, tuple[Vital, ...]]] = {
    "respiration": ("rr", (Vital.RR,)),
    "spo2": ("spo2", (Vital.SPO2,)),
    "on_oxygen": ("o2", ()),
    "systolic": ("bp", (Vital.SBP, Vital.DBP)),
    "pulse": ("hr", (Vital.HR,)),
    "consciousness": ("acvpu", ()),
    "temperature": ("temp", (Vital.TEMP,)),
}
_PART_WORDS = {
    "respiration": N_("RR"),
    "spo2": "SpO₂",
    "on_oxygen": "O₂",
    "systolic": N_("BP"),
    "pulse": N_("HR"),
    "consciousness": N_("ACVPU"),
    "temperature": N_("T"),
}


@dataclass(frozen=True)
class Part:
    """One part of the score: what is shown of it, and the points that it gives (None: it is missing, never 'normal').

    `cells`: the vital signs that it is made of, none where only a person can say (`seen`). `rise`: in points.
    """

    place: str
    word: str
    cells: list[Cell]
    seen: str
    at: Moment | None
    points: int | None
    rise: int


@dataclass(frozen=True)
class Rise:
    """How the score has changed since the round before: `way` is up, down or same."""

    way: str
    by: int
    since: Moment


@dataclass(frozen=True)
class Sum:
    """NEWS2 as people read it."""

    text: str
    total: int | None
    band: str
    risk: str
    complete: bool
    missing: list[str]
    rise: Rise | None
    response: str
    scale: int


def parts_of(
    scored: Score, risen: Trend | None, cells: list[Cell], latest: Latest, now: datetime, zone: ZoneInfo
) -> list[Part]:
    of = parts(latest, now, Ages.chosen())
    told = {"on_oxygen": latest.on_oxygen, "consciousness": latest.consciousness}
    return [
        Part(
            place=place,
            word=gettext(_PART_WORDS[part]),
            cells=[cell for cell in cells if cell.vital in vitals],
            seen="" if vitals else _shown(getattr(of, part)),
            at=seen_at(seen.at, now, zone) if (seen := told.get(part)) else None,
            points=scored.points[part],
            rise=risen.parts.get(part, 0) if risen else 0,
        )
        for part, (place, vitals) in _PLACES.items()
    ]


def sum_of(scored: Score, risen: Trend | None, scale: int, now: datetime, zone: ZoneInfo) -> Sum:
    nothing = is_nothing(scored)
    return Sum(
        text="–" if nothing else scored.text,
        total=None if nothing else scored.total,
        band="none" if nothing else scored.band.value,
        risk="" if nothing else gettext(words.RISKS[scored.band]),
        complete=scored.complete,
        missing=[gettext(_PART_WORDS[part]) for part in scored.missing],
        rise=_rise(risen, now, zone) if risen else None,
        response="" if nothing else gettext(scored.response),
        scale=scale,
    )


def _rise(risen: Trend, now: datetime, zone: ZoneInfo) -> Rise:
    way = "up" if risen.by > 0 else "down" if risen.by < 0 else "same"
    return Rise(way, abs(risen.by), seen_at(risen.since, now, zone))


def is_nothing(scored: Score) -> bool:
    return len(scored.missing) == len(scored.points)


def _shown(value: bool | Consciousness | None) -> str:
    if isinstance(value, bool):
        return gettext("oxygen") if value else gettext("air")
    return value or ""
