"""What a screen shows of a patient: the newest of each vital sign, how old it is, and the score that it makes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import clock, settings
from hospital.fragments import words
from hospital.fragments.cells import Cell, cells_of, seen_at
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.news2 import Part, Sum, is_nothing, parts_of, sum_of
from hospital.fragments.words import gettext
from hospital.records import Alert, Monitoring
from hospital.records.patient import plain
from hospital.triage.latest import Latest
from hospital.triage.news2 import Ages, Band, Score, parts, score
from hospital.triage.rounds import Round, trend
from hospital.vocabulary import Priority, State

_OLDEST_AGE = 120  # years; a birth date before is somebody's placeholder


@dataclass(frozen=True)
class OpenAlerts:
    """How many unresolved alerts a patient has, and the most urgent of them."""

    count: int = 0
    worst: Priority | None = None


@dataclass(frozen=True)
class Due:
    iso: str
    text: str
    due: bool


@dataclass(frozen=True)
class Tile:
    id: int
    version: int
    sort: dict[str, str]
    find: str
    place: str
    unit_code: str
    unassigned: bool
    identity: bool
    name: str | None
    age_word: str
    sex: str
    cells: list[Cell]
    parts: list[Part]
    news2: Sum
    at: Moment
    no_data: Moment | None
    observe_by: Due | None
    clock_off: bool
    alerts: int
    worst: str
    worst_word: str

    @property
    def overdue(self) -> bool:
        """Who scores 7 or more is observed continuously: that never stops being due."""
        return self.observe_by is not None and self.observe_by.due and self.news2.band != Band.HIGH

    @property
    def scores_high(self) -> bool:
        """5 or more: where NEWS2 asks for an urgent answer."""
        return self.news2.band in (Band.MEDIUM, Band.HIGH)

    @property
    def quiet(self) -> bool:
        return self.news2.band == Band.LOW and not (self.overdue or self.no_data or self.alerts)


def tile(monitoring: Monitoring, zone: ZoneInfo, alerts: OpenAlerts, *, identity: bool) -> Tile:
    now, latest = clock.now(), Latest.from_json(monitoring.latest)
    place = monitoring.bed.code if monitoring.bed else monitoring.place
    patient = monitoring.patient
    scored = score(parts(latest, now, Ages.chosen()), monitoring.spo2_scale)
    risen = trend([Round.from_json(one) for one in monitoring.watches.get("rounds", ())], scored.points)
    cells = cells_of(monitoring, latest, now, zone)
    return Tile(
        id=monitoring.patient_id,
        version=monitoring.version,
        sort=_sort(monitoring, place, scored),
        find=plain(place + patient.name if identity else place),
        place=place,
        unit_code=monitoring.unit.code if monitoring.unit else "",
        unassigned=monitoring.unit_id is None,
        identity=identity,
        name=patient.name or None if identity else None,
        age_word=_age(patient.birth_date, now) if identity else "",
        sex=patient.sex if identity else "",
        cells=cells,
        parts=parts_of(scored, risen, cells, latest, now, zone),
        news2=sum_of(scored, risen, monitoring.spo2_scale, now, zone),
        at=seen_at(monitoring.observed_at or monitoring.received_at, now, zone),
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


def _sort(monitoring: Monitoring, place: str, scored: Score) -> dict[str, str]:
    """By which a list can be ordered, compared as text. Each ends with who it is, so that no two rows are equal."""
    bed = f"{0 if monitoring.unit_id else 1}{place} {monitoring.patient_id}"
    due = clock.iso(monitoring.observe_by) if monitoring.observe_by else "~"
    total = -1 if is_nothing(scored) else scored.total
    return {"bed": bed, "due": f"{due} {bed}", "score": f"{20 - total:02} {bed}"}


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
