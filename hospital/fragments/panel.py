"""Alerts in numbers, and the wall's row of beds: computed from the records each time that they are shown."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hospital import clock
from hospital.fragments import words
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.words import gettext
from hospital.records import Alert, Bed, JournalLine, Monitoring, Unit
from hospital.vocabulary import N_, Happening, Priority, State

_BACK = timedelta(hours=24)
_MANY = 20_000  # alerts of a day that are counted; more than that is told as that
_TOP_BEDS = 12
_STEPS = {"nurses": N_("nurses"), "charge nurse": N_("charge nurse"), "physician": N_("physician")}

Bar = tuple[str, str, object, int]  # key, word, number, its share of the largest in percent


@dataclass(frozen=True)
class Metrics:
    """What the metrics page shows. Times are texts ('1:12'); '–' where there is nothing to measure yet."""

    version: int
    open: int
    unacknowledged: int
    oldest: Moment | None
    by_priority: list[Bar]
    by_unit: list[Bar]
    by_step: list[Bar]
    ack_median: str
    ack_p90: str
    resolve_median: str
    resolve_p90: str
    acked_count: int
    per_bed_day: list[Bar]
    per_hour: list[Bar]
    since: Moment
    at: Moment


@dataclass(frozen=True)
class BoardBed:
    """`state`: quiet, alarm-high, alarm-medium, alarm-low, acknowledged, no-data or empty."""

    code: str
    state: str

    @property
    def state_word(self) -> str:
        return gettext(words.BED_STATES[self.state])


def in_scope(hospital_id: int, scope: frozenset[int | None]) -> ColumnElement[bool]:
    """Alerts of these units; None in `scope` stands for the unassigned."""
    in_units = Alert.unit_id.in_([unit for unit in scope if unit is not None])
    return (Alert.hospital_id == hospital_id) & (in_units | Alert.unit_id.is_(None) if None in scope else in_units)


def metrics(session: Session, hospital_id: int, scope: frozenset[int | None], zone: ZoneInfo) -> Metrics:
    """The last 24 hours of these units."""
    now = clock.now()
    mine = in_scope(hospital_id, scope)
    open_now = session.execute(
        select(Alert.priority, Alert.state, Alert.step, Alert.raised_at, Alert.unit_id).where(
            mine, Alert.state != State.RESOLVED
        )
    ).all()
    waiting = [row.raised_at for row in open_now if row.state is State.OPEN]
    units = {unit.id: unit.code for unit in session.scalars(select(Unit).where(Unit.hospital_id == hospital_id))}
    raised = session.execute(
        select(Alert.raised_at, Alert.place, Bed.code)
        .outerjoin(Bed, Bed.id == Alert.bed_id)
        .where(mine, Alert.raised_at > now - _BACK)
        .limit(_MANY)
    ).all()
    acked, resolved = (_durations(session, mine, what, now) for what in (Happening.ACKNOWLEDGED, Happening.RESOLVED))
    return Metrics(
        version=int(now.timestamp()),
        open=len(open_now),
        unacknowledged=len(waiting),
        oldest=moment_or_none(min(waiting, default=None), zone),
        by_priority=_bars(
            {word.value: sum(row.priority is word for row in open_now) for word in Priority}, words.PRIORITIES
        ),
        by_unit=_bars(Counter(units.get(row.unit_id, gettext("Unassigned")) for row in open_now)),
        by_step=_bars({word: sum(row.step == step for row in open_now) for step, word in enumerate(_STEPS)}, _STEPS),
        ack_median=_middle(acked),
        ack_p90=_ninth_of_ten(acked),
        resolve_median=_middle(resolved),
        resolve_p90=_ninth_of_ten(resolved),
        acked_count=len(acked),
        per_bed_day=_bars(dict(Counter(row.code or row.place for row in raised).most_common(_TOP_BEDS))),
        per_hour=_per_hour([row.raised_at for row in raised], now, zone),
        since=moment(now - _BACK, zone, old=True),
        at=moment(now, zone, seconds=True),
    )


def board_beds(session: Session, hospital_id: int, scope: frozenset[int | None]) -> list[BoardBed]:
    """Every bed of these units, always."""
    units = [unit for unit in scope if unit is not None]
    alerts = session.execute(
        select(Alert.bed_id, Alert.priority, Alert.state).where(
            in_scope(hospital_id, scope), Alert.state != State.RESOLVED, Alert.bed_id.is_not(None)
        )
    ).all()
    monitored = {row.bed_id: row for row in session.scalars(select(Monitoring).where(Monitoring.unit_id.in_(units)))}
    return [
        BoardBed(bed.code, _bed_state(bed.id, alerts, monitored.get(bed.id)))
        for bed in session.scalars(select(Bed).where(Bed.unit_id.in_(units)).order_by(Bed.code))
    ]


def _bed_state(bed_id: int, alerts: Sequence[object], monitoring: Monitoring | None) -> str:
    mine = [alert for alert in alerts if alert.bed_id == bed_id]  # type: ignore[attr-defined]
    waiting = [alert.priority for alert in mine if alert.state is State.OPEN]  # type: ignore[attr-defined]
    if waiting:
        return f"alarm-{min(waiting, key=lambda priority: priority.rank)}"
    if mine:
        return "acknowledged"
    if monitoring is None:
        return "empty"
    return "no-data" if monitoring.silent_since else "quiet"


def _durations(session: Session, mine: ColumnElement[bool], what: Happening, now: datetime) -> list[float]:
    """Seconds from raising to the first of these happenings, for alerts raised within the time shown."""
    lines = session.execute(
        select(JournalLine.alert_id, JournalLine.at, Alert.raised_at)
        .join(Alert, Alert.id == JournalLine.alert_id)
        .where(mine, JournalLine.happening == what, Alert.raised_at > now - _BACK)
        .order_by(JournalLine.number.desc())
        .limit(_MANY)
    )
    return list({alert_id: (at - raised_at).total_seconds() for alert_id, at, raised_at in lines}.values())


def _bars(counts: dict[str, int] | Counter[str], named: Mapping[str, str] | None = None) -> list[Bar]:
    most = max(counts.values(), default=0) or 1
    return [(key, _word(key, named or {}), count, round(100 * count / most)) for key, count in counts.items()]


def _word(key: str, named: Mapping[str, str]) -> str:
    return gettext(named[key]).capitalize() if key in named else key


def _per_hour(raised: list[datetime], now: datetime, zone: ZoneInfo) -> list[Bar]:
    """Oldest first; the last is the hour that is going on."""
    one = timedelta(hours=1)
    this = _hour_of(now, zone)
    hours_ago = Counter((this - _hour_of(at, zone)) // one for at in raised)
    hours = {(this - ago * one).astimezone(zone).strftime("%H"): hours_ago[ago] for ago in range(23, -1, -1)}
    return _bars(hours)


def _hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """When its hour began on the clocks of the hospital."""
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def _middle(durations: list[float]) -> str:
    return _span(statistics.median(durations)) if durations else "–"


def _ninth_of_ten(durations: list[float]) -> str:
    """The smallest duration within which at least nine of ten lie."""
    return _span(sorted(durations)[-(-9 * len(durations) // 10) - 1]) if durations else "–"


def _span(seconds: float) -> str:
    whole = int(seconds)
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d}"
