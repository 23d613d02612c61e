"""What a screen shows of an alert."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.orm import joinedload

from hospital import clock
from hospital.fragments import words
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.sparkline import Sparkline, sparkline
from hospital.fragments.words import gettext
from hospital.records import Alert
from hospital.vocabulary import Priority, State

_OLD_S = 900  # an alarm observed longer ago than this when it was raised shows its date

_MARKS = {Priority.HIGH: "***", Priority.MEDIUM: "**", Priority.LOW: "*"}


@dataclass(frozen=True)
class Card:
    """What a screen shows of an alert; `patient` None: unidentified, `identity` False: this screen must not know."""

    id: int
    version: int
    sort: str
    priority: str
    mark: str
    priority_word: str
    priority_sent: bool
    state: str
    condition: str
    step: int
    kind: str
    kind_word: str
    place: str
    unit_code: str
    unassigned: bool
    text: str
    reading: str | None
    limit: str | None
    unit: str
    course: Sparkline | None
    identity: bool
    patient: str | None
    patient_id: int | None
    register_conflict: bool
    training: bool
    observed: Moment
    raised: Moment
    owner: str | None
    owner_id: int | None
    owned: Moment | None
    told: str | None
    next_told: str | None
    next: Moment | None
    cleared: Moment | None
    expires: Moment | None
    happening: str
    by: str
    at: str


def with_everything(query: Select[Alert]) -> Select[Alert]:
    """Load with each alert all that its card shows, in the same query."""
    to_one = (Alert.unit, Alert.bed, Alert.patient, Alert.sender, Alert.owner, Alert.changed_by)
    return query.options(*(joinedload(what) for what in to_one))


def alerts_in(hospital_id: int, scope: frozenset[int | None]) -> Select[Alert]:
    """Every unresolved alert of these units; None in `scope` stands for the unassigned."""
    return with_everything(select(Alert).where(unresolved_in(hospital_id, scope)))


def unresolved_in(hospital_id: int, scope: frozenset[int | None]) -> ColumnElement[bool]:
    in_units = Alert.unit_id.in_([unit for unit in scope if unit is not None])
    in_scope = in_units | Alert.unit_id.is_(None) if None in scope else in_units
    return and_(Alert.hospital_id == hospital_id, Alert.state != State.RESOLVED, in_scope)


def card(alert: Alert, zone: ZoneInfo, *, identity: bool) -> Card:
    return Card(
        id=alert.id,
        version=alert.version,
        sort=sort_of(alert),
        priority=alert.priority,
        mark=_MARKS[alert.priority],
        priority_word=gettext(words.PRIORITIES[alert.priority]).upper(),
        priority_sent=alert.priority_sent,
        state=alert.state,
        condition=alert.condition,
        step=alert.step,
        kind=alert.kind,
        kind_word=gettext(words.KINDS[alert.kind]),
        place=alert.bed.code if alert.bed else alert.place,
        unit_code=alert.unit.code if alert.unit else "",
        unassigned=alert.unit_id is None,
        text=words.rule(alert.text) if alert.sender_id is None else alert.text,
        reading=alert.value,
        limit=_limit(alert),
        unit=alert.value_unit or "",
        course=_course(alert, zone),
        identity=identity and not _is_about_no_patient(alert),
        patient=alert.patient.name if identity and alert.patient else None,
        patient_id=alert.patient_id,
        register_conflict=alert.register_conflict,
        training=alert.training,
        observed=moment(alert.observed_at, zone, old=_is_old(alert)),
        raised=moment(alert.raised_at, zone),
        owner=alert.owner.display_name if alert.owner else None,
        owner_id=alert.owner_id,
        owned=moment_or_none(alert.owned_at, zone),
        told=words.told(alert.step),
        next_told=words.told(alert.step + 1) if alert.step < alert.last_step else None,
        next=moment_or_none(alert.escalate_at, zone),
        cleared=moment_or_none(alert.cleared_at, zone),
        expires=moment_or_none(alert.expires_at, zone),
        happening=alert.happening,
        by=alert.changed_by.display_name if alert.changed_by else "",
        at=clock.iso(alert.changed_at),
    )


def sort_of(alert: "Alert | Row[*tuple[Any, ...]]") -> str:
    """Most urgent first: priority, nobody has it, how far it has climbed, newest. Compared as text."""
    taken = 0 if alert.state is State.OPEN else 1
    gone = 0 if alert.cleared_at is None else 1
    newest_first = 10**13 - int(alert.raised_at.timestamp() * 1000)
    return f"{alert.priority.rank}{taken}{gone}{9 - alert.step}-{newest_first:014d}-{alert.id:012d}"


def _limit(alert: Alert) -> str | None:
    """The limit that was crossed ('< 90'), or both where the value tells no side ('90–96')."""
    low, high = _number(alert.low), _number(alert.high)
    try:
        value = float(alert.value or "")
    except ValueError:
        value = None
    if value is not None and alert.low is not None and value < alert.low:
        return f"< {low}"
    if value is not None and alert.high is not None and value > alert.high:
        return f"> {high}"
    if low and high:
        return f"{low}–{high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else None


def _course(alert: Alert, zone: ZoneInfo) -> Sparkline | None:
    """With the limit on whose side it is."""
    limit = alert.low if (alert.condition_key or "").endswith("-low") else alert.high
    return sparkline(alert.course or (), limit, zone)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _is_about_no_patient(alert: Alert) -> bool:
    """Of our own making, and of no patient: a wall board that is silent."""
    return alert.sender_id is None and alert.patient_id is None


def _is_old(alert: Alert) -> bool:
    return (alert.raised_at - alert.observed_at).total_seconds() > _OLD_S
