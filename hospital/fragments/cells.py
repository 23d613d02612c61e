"""What a card shows of each vital sign: the value to trust while it is fresh, else its age alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hospital import settings
from hospital.fragments import words
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.records import Monitoring
from hospital.triage.latest import Latest, current, newest
from hospital.triage.observation import Measured, Vital
from hospital.vocabulary import N_

_FAST = (Vital.HR, Vital.SPO2, Vital.RR)
_WORDS = {
    Vital.HR: (N_("HR"), "/min"),
    Vital.SPO2: ("SpO₂", "%"),
    Vital.RR: (N_("RR"), "/min"),
    Vital.SBP: (N_("SBP"), "mmHg"),
    Vital.DBP: (N_("DBP"), "mmHg"),
    Vital.TEMP: (N_("T"), "°C"),
}
_OF_THIS_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Cell:
    """One vital sign. `fresh` False: show its age and never itself. `aged`: fresh, but not of this minute."""

    vital: str
    word: str
    unit: str
    value: str | None
    fresh: bool
    crossed: str
    crossed_word: str
    limit: str
    unverified: bool
    source: str
    at: Moment | None
    aged: bool


def cells_of(monitoring: Monitoring, latest: Latest, now: datetime, zone: ZoneInfo) -> list[Cell]:
    crossed = monitoring.watches.get("crossed", {})
    silent = monitoring.silent_since is not None
    return [_cell(vital, latest, now, zone, crossed, silent) for vital in _WORDS]


def _cell(
    vital: Vital, latest: Latest, now: datetime, zone: ZoneInfo, crossed: Mapping[str, list[str]], silent: bool
) -> Cell:
    """The value to trust, if there is one that is fresh enough; else the newest there is, for its age alone."""
    fresh_s = settings.current.news2_fast_s if vital in _FAST else settings.current.vitals_shown_slow_s
    best = None if silent else _best(latest, vital, now, fresh_s)
    seen = best or newest(latest, vital, now, timedelta.max)
    word, unit = _WORDS[vital]
    side, limit = crossed.get(vital.value, ("", "")) if best else ("", "")
    return Cell(
        vital=vital.value,
        word=gettext(word),
        unit=unit,
        value=f"{best.value:.1f}" if best and vital is Vital.TEMP else f"{best.value:.0f}" if best else None,
        fresh=best is not None,
        crossed=side,
        crossed_word=gettext(words.CROSSED[side]) if side else "",
        limit=limit,
        unverified=best is not None and not best.verified,
        source="",
        at=seen_at(seen.at, now, zone) if seen else None,
        aged=best is not None and now - best.at > _OF_THIS_MINUTE,
    )


def _best(latest: Latest, vital: Vital, now: datetime, fresh_s: float) -> Measured | None:
    fast = timedelta(seconds=settings.current.news2_fast_s)
    return current(latest, vital, now, fast) or newest(latest, vital, now, timedelta(seconds=fresh_s))


def seen_at(at: datetime, now: datetime, zone: ZoneInfo) -> Moment:
    return moment(at, zone, old=now - at > timedelta(days=1))
