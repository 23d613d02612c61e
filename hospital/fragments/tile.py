"""What a screen shows of a patient: the newest of each vital sign, how old it is, and the score that it makes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import clock, settings
from hospital.fragments import words
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.words import gettext
from hospital.records import Alert, Monitoring
from hospital.triage.latest import Latest, current, newest
from hospital.triage.news2 import Ages, Parts, Score, parts, score
from hospital.triage.observation import Measured, Vital
from hospital.vocabulary import N_, Priority, State

_FAST = (Vital.HR, Vital.SPO2, Vital.RR)
_WORDS = {
    Vital.HR: (N_("HR"), "/min"),
    Vital.SPO2: ("SpO₂", "%"),
    Vital.RR: (N_("RR"), "/min"),
    Vital.SBP: (N_("SBP"), "mmHg"),
    Vital.DBP: (N_("DBP"), "mmHg"),
    Vital.TEMP: (N_("T"), "°C"),
}
_PART_WORDS = {
    "respiration": N_("RR"),
    "spo2": "SpO₂",
    "on_oxygen": "O₂",
    "systolic": N_("SBP"),
    "pulse": N_("HR"),
    "consciousness": N_("ACVPU"),
    "temperature": N_("T"),
}
_OF_THIS_MINUTE = timedelta(minutes=1)
_OLDEST_AGE = 120  # years; a birth date before is somebody's placeholder


@dataclass(frozen=True)
class OpenAlerts:
    """How many unresolved alerts a patient has, and the most urgent of them."""

    count: int = 0
    worst: Priority | None = None


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


@dataclass(frozen=True)
class Due:
    iso: str
    text: str
    due: bool


@dataclass(frozen=True)
class Sum:
    """NEWS2 as people read it. `parts`: (word, shown, points or None where it is missing)."""

    text: str
    total: int | None
    band: str
    risk: str
    complete: bool
    missing: list[str]
    parts: list[tuple[str, str, int | None]]
    response: str
    scale: int


@dataclass(frozen=True)
class Tile:
    id: int
    version: int
    sort: str
    place: str
    unit_code: str
    unassigned: bool
    identity: bool
    name: str | None
    age_word: str
    sex: str
    cells: list[Cell]
    news2: Sum
    at: Moment
    no_data: Moment | None
    observe_by: Due | None
    clock_off: bool
    alerts: int
    worst: str
    worst_word: str


def tile(monitoring: Monitoring, zone: ZoneInfo, alerts: OpenAlerts, *, identity: bool) -> Tile:
    now, latest = clock.now(), Latest.from_json(monitoring.latest)
    place = monitoring.bed.code if monitoring.bed else monitoring.place
    patient = monitoring.patient
    return Tile(
        id=monitoring.patient_id,
        version=monitoring.version,
        sort=f"{0 if monitoring.unit_id else 1}{place}",
        place=place,
        unit_code=monitoring.unit.code if monitoring.unit else "",
        unassigned=monitoring.unit_id is None,
        identity=identity,
        name=patient.name or None if identity else None,
        age_word=_age(patient.birth_date, now) if identity else "",
        sex=patient.sex if identity else "",
        cells=_cells(monitoring, latest, now, zone),
        news2=_sum(score(of := parts(latest, now, Ages.chosen()), monitoring.spo2_scale), of, monitoring.spo2_scale),
        at=_seen(monitoring.observed_at or monitoring.received_at, now, zone),
        no_data=moment_or_none(monitoring.silent_since, zone),
        observe_by=_due(monitoring.observe_by, now, zone),
        clock_off=abs(monitoring.clock_off_s) > settings.current.clock_off_s,
        alerts=alerts.count,
        worst=alerts.worst or "",
        worst_word=gettext(words.PRIORITIES[alerts.worst]) if alerts.worst else "",
    )


def open_alerts(session: Session, patient_ids: list[int]) -> dict[int, OpenAlerts]:
    """How many unresolved alerts each of these patients has; also those that have none."""
    found: dict[int | None, dict[Priority, int]] = {patient_id: {} for patient_id in patient_ids}
    query = (
        select(Alert.patient_id, Alert.priority, func.count())
        .where(Alert.patient_id.in_(patient_ids), Alert.state != State.RESOLVED)
        .group_by(Alert.patient_id, Alert.priority)
    )
    for patient_id, priority, count in session.execute(query) if patient_ids else ():
        found[patient_id][priority] = count
    return {id: OpenAlerts(sum(found[id].values()), _worst(found[id])) for id in patient_ids}


def _cells(monitoring: Monitoring, latest: Latest, now: datetime, zone: ZoneInfo) -> list[Cell]:
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
        at=_seen(seen.at, now, zone) if seen else None,
        aged=best is not None and now - best.at > _OF_THIS_MINUTE,
    )


def _best(latest: Latest, vital: Vital, now: datetime, fresh_s: float) -> Measured | None:
    fast = timedelta(seconds=settings.current.news2_fast_s)
    return current(latest, vital, now, fast) or newest(latest, vital, now, timedelta(seconds=fresh_s))


def _sum(scored: Score, of: Parts, scale: int) -> Sum:
    nothing = len(scored.missing) == len(scored.points)
    return Sum(
        text="–" if nothing else scored.text,
        total=None if nothing else scored.total,
        band="none" if nothing else scored.band.value,
        risk="" if nothing else gettext(words.RISKS[scored.band]),
        complete=scored.complete,
        missing=[gettext(_PART_WORDS[part]) for part in scored.missing],
        parts=[
            (gettext(_PART_WORDS[part]), _shown(getattr(of, part)), points) for part, points in scored.points.items()
        ],
        response="" if nothing else gettext(scored.response),
        scale=scale,
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return gettext("oxygen") if value else gettext("air")
    return f"{value:g}" if isinstance(value, float | int) else str(value or "")


def _seen(at: datetime, now: datetime, zone: ZoneInfo) -> Moment:
    return moment(at, zone, old=now - at > timedelta(days=1))


def _due(at: datetime | None, now: datetime, zone: ZoneInfo) -> Due | None:
    if at is None:
        return None
    when = moment(at, zone)
    return Due(when.iso, when.text, at <= now)


def _age(birth_date: str, now: datetime) -> str:
    if not birth_date:
        return ""
    born = date.fromisoformat(birth_date)
    years = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
    return gettext("%(years)s y", years=years) if 0 <= years <= _OLDEST_AGE else ""


def _worst(priorities: Iterable[Priority]) -> Priority | None:
    return min(priorities, key=lambda priority: priority.rank, default=None)
