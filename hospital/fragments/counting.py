"""Alerts in numbers: counted by the database, however many there are, on SQLite and PostgreSQL alike."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, Subquery, and_, case, cast, extract, func, literal, or_, select
from sqlalchemy.orm import Session

from hospital import clock, settings
from hospital.fragments.ranges import Range
from hospital.records import Acknowledgement, Alert, Bed, JournalLine, Unit
from hospital.records.database import UtcDateTime
from hospital.vocabulary import AlertKind, Happening, Priority, State

_TOP = 12

Scope = frozenset[int | None]
What = tuple[str | None, int | None, int | None, AlertKind]  # our rules' word for it, event, source, kind


@dataclass(frozen=True)
class Waiting:
    """What is open now, counted by priority, unit (None: unassigned) and who has been told."""

    open: int
    unacknowledged: int
    oldest: datetime | None
    by_priority: Mapping[Priority, int]
    by_unit: Mapping[str | None, int]
    by_step: Mapping[int, int]
    at: datetime


@dataclass(frozen=True)
class Spread:
    """Of some durations in seconds: how many, within what half of them lie, within what nine of ten."""

    count: int = 0
    median_s: float | None = None
    p90_s: float | None = None


@dataclass(frozen=True)
class Tally:
    """The alerts of one priority. `due`: somebody has them, or nobody had them within the limit; `in_time` of these.

    `unseen`: over before anybody had them.
    """

    raised: int = 0
    due: int = 0
    in_time: int = 0
    told_charge: int = 0
    told_physician: int = 0
    unseen: int = 0
    taken: Spread = field(default_factory=Spread)
    resolved: Spread = field(default_factory=Spread)


@dataclass(frozen=True)
class Most:
    """One bed, or one thing that alarms. `unseen`: of these, over before anybody had them."""

    what: Any
    raised: int
    unseen: int


@dataclass(frozen=True)
class Counted:
    """`bars`: how many of each priority were raised in each bar of the range."""

    range: Range
    bars: dict[Priority, list[int]]
    tallies: dict[Priority, Tally]
    beds: list[Most]
    limits: list[Most]


def in_scope(hospital_id: int, scope: Scope) -> ColumnElement[bool]:
    """Alerts of these units; None in `scope` stands for the unassigned."""
    in_units = Alert.unit_id.in_([unit for unit in scope if unit is not None])
    return (Alert.hospital_id == hospital_id) & (in_units | Alert.unit_id.is_(None) if None in scope else in_units)


def raised_in(range_: Range) -> ColumnElement[bool]:
    return (Alert.raised_at > range_.since) & (Alert.raised_at <= range_.until)


def over_unseen() -> ColumnElement[bool]:
    """Over before anybody had it."""
    return _over_before(Alert.cleared_at, _first_taken())


def limit_s(priority: Priority) -> float:
    """Within what an alert should be taken: after that it climbs."""
    return float(getattr(settings.current, f"escalate_{priority}_s"))


def waiting(session: Session, hospital_id: int, scope: Scope) -> Waiting:
    query = (
        select(Alert.priority, Alert.state, Alert.step, Unit.code, func.count(), func.min(Alert.raised_at))
        .outerjoin(Unit, Unit.id == Alert.unit_id)
        .where(in_scope(hospital_id, scope), Alert.state != State.RESOLVED)
        .group_by(Alert.priority, Alert.state, Alert.step, Unit.code)
        .order_by(Unit.code)
    )
    by_priority: Counter[Priority] = Counter()
    by_unit: Counter[str | None] = Counter()
    by_step: Counter[int] = Counter()
    unacknowledged, firsts = 0, []
    for priority, state, step, unit, number, first in session.execute(query):
        by_priority[priority] += number
        by_unit[unit] += number
        by_step[step] += number
        if state is State.OPEN:
            unacknowledged += number
            firsts.append(first)
    oldest = min(firsts, default=None)
    return Waiting(by_priority.total(), unacknowledged, oldest, by_priority, by_unit, by_step, clock.now())


def count(session: Session, hospital_id: int, scope: Scope, zone: ZoneInfo, range_: Range) -> Counted:
    """Six questions to the database, whatever the range."""
    bars = range_.bars(zone)
    stories = _stories(in_scope(hospital_id, scope) & raised_in(range_), bars)
    return Counted(
        range_,
        _by_bar(session, stories, len(bars)),
        _tallies(session, stories),
        _top(session, stories, stories.c.place),
        _top(session, stories, stories.c.key, stories.c.event_code, stories.c.source_code, stories.c.kind),
    )


def _over_before(cleared_at: Any, taken_at: Any) -> ColumnElement[bool]:
    return and_(cleared_at.is_not(None), or_(taken_at.is_(None), taken_at > cleared_at))


def _first_taken() -> ColumnElement[datetime]:
    first = select(func.min(Acknowledgement.since)).where(Acknowledgement.alert_id == Alert.id)
    return first.correlate(Alert).scalar_subquery()


def _stories(which: ColumnElement[bool], bars: list[datetime]) -> Subquery:
    """What became of each alert. Its bar is asked by comparing moments: neither database knows the hospital's clocks.

    `key`: only what is about a patient; a board's or a sender's names that board.
    """
    one = _alerts(which).c
    resolved = select(func.min(JournalLine.at)).where(
        JournalLine.alert_id == one.id, JournalLine.happening == Happening.RESOLVED
    )
    left_at = case((one.state == State.RESOLVED, one.changed_at), else_=literal(clock.now(), UtcDateTime()))
    edges = [(one.raised_at < edge, number) for number, edge in enumerate(bars[1:])]
    of_a_patient = one.patient_id.is_not(None) | (one.kind != AlertKind.TECHNICAL)
    known = one.condition_key.is_not(None) & of_a_patient
    return select(
        one.priority,
        one.step,
        one.kind,
        one.place,
        case(*edges, else_=len(bars) - 1).label("bar") if edges else literal(0).label("bar"),
        case((known, one.condition_key)).label("key"),
        case((~known, one.event_code)).label("event_code"),
        case((~known, one.source_code)).label("source_code"),
        case((_over_before(one.cleared_at, one.taken_at), 1), else_=0).label("unseen"),
        _seconds(one.raised_at, one.taken_at).label("taken_s"),
        _seconds(one.raised_at, resolved.scalar_subquery()).label("resolved_s"),
        _seconds(one.raised_at, func.coalesce(one.taken_at, one.cleared_at, left_at)).label("waited_s"),
    ).subquery("stories")


def _alerts(which: ColumnElement[bool]) -> Subquery:
    """With when each was first taken."""
    columns = (Alert.id, Alert.priority, Alert.step, Alert.kind, Alert.state, Alert.raised_at, Alert.changed_at)
    about = (Alert.cleared_at, Alert.patient_id, Alert.condition_key, Alert.event_code, Alert.source_code)
    place = func.coalesce(Bed.code, Alert.place).label("place")
    query = select(*columns, *about, place, _first_taken().label("taken_at")).outerjoin(Bed, Bed.id == Alert.bed_id)
    return query.where(which).subquery("alerts")


def _seconds(since: ColumnElement[Any], until: ColumnElement[Any]) -> ColumnElement[float]:
    """In whole seconds; NULL where that has not happened."""
    return cast(extract("epoch", until) - extract("epoch", since), Float)


def _by_bar(session: Session, stories: Subquery, many: int) -> dict[Priority, list[int]]:
    counts = {priority: [0] * many for priority in Priority}
    query = select(stories.c.priority, stories.c.bar, func.count()).group_by(stories.c.priority, stories.c.bar)
    for priority, bar, number in session.execute(query):
        counts[priority][bar] = number
    return counts


def _tallies(session: Session, stories: Subquery) -> dict[Priority, Tally]:
    limit = case(*((stories.c.priority == priority, limit_s(priority)) for priority in Priority))
    late = stories.c.waited_s > limit
    query = select(
        stories.c.priority,
        func.count(),
        func.count().filter(stories.c.taken_s.is_not(None) | late),
        func.count().filter(stories.c.taken_s.is_not(None), ~late),
        func.count().filter(stories.c.step >= 1),
        func.count().filter(stories.c.step >= 2),
        func.sum(stories.c.unseen),
    ).group_by(stories.c.priority)
    taken, resolved = (_spreads(session, stories, which) for which in (stories.c.taken_s, stories.c.resolved_s))
    found = {
        row.priority: replace(
            Tally(*row[1:]), taken=taken.get(row.priority, Spread()), resolved=resolved.get(row.priority, Spread())
        )
        for row in session.execute(query)
    }
    return {priority: found.get(priority, Tally()) for priority in Priority}


def _spreads(session: Session, stories: Subquery, duration: ColumnElement[Any]) -> dict[Priority, Spread]:
    """Nearest ranks: the smallest duration within which at least half, or nine of ten, lie."""
    ranked = (
        select(
            stories.c.priority,
            duration.label("seconds"),
            func.row_number().over(partition_by=stories.c.priority, order_by=duration).label("rank"),
            func.count().over(partition_by=stories.c.priority).label("many"),
        )
        .where(duration.is_not(None))
        .subquery()
    )
    rank, many, seconds = ranked.c.rank, ranked.c.many, ranked.c.seconds
    query = select(
        ranked.c.priority,
        func.count(),
        func.min(seconds).filter(rank * 2 >= many),
        func.min(seconds).filter(rank * 10 >= many * 9),
    ).group_by(ranked.c.priority)
    return {row.priority: Spread(*row[1:]) for row in session.execute(query)}


def _top(session: Session, stories: Subquery, *what: ColumnElement[Any]) -> list[Most]:
    """The most frequent of these, of one column as it is, of several as a tuple."""
    many = func.count().label("many")
    query = select(many, func.sum(stories.c.unseen), *what).group_by(*what).order_by(many.desc(), *what).limit(_TOP)
    return [
        Most(key[0] if len(key) == 1 else tuple(key), number, int(unseen))
        for number, unseen, *key in session.execute(query)
    ]
