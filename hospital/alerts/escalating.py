"""Nobody answers: the alert climbs, from the nurses to the charge nurse to the physician."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.refusals import AtTheTop
from hospital.alerts.rights import Seen, alert_for, still_as
from hospital.records import Alert, journal
from hospital.roles import Actor, Right
from hospital.vocabulary import Condition, Happening, Priority, State

_AT_ONCE = 200  # overdue alerts in one transaction; the rest a second later


def escalate(session: Session, actor: Actor, alert_id: int, seen: Seen, at: datetime) -> Alert:
    """A person calls the next step now, acknowledged or not. Raises a Refusal (AtTheTop: there is no next step).

    It climbs on by itself only if it did before: what is over, and waits to be seen, does not.
    """
    alert = alert_for(session, actor, alert_id, Right.ESCALATE)
    still_as(alert, seen)
    if alert.step >= alert.last_step:
        raise AtTheTop
    _climb(session, alert, at, by=actor.person_id)
    return alert


def escalate_overdue(session: Session, hospital_id: int, now: datetime) -> int:
    """Let every open alert climb whose time has come; how many did. Whoever holds the head row claims them."""
    due = (
        select(Alert)
        .where(Alert.hospital_id == hospital_id, Alert.state == State.OPEN, Alert.escalate_at <= now)
        .order_by(Alert.escalate_at, Alert.id)
        .limit(_AT_ONCE)
    )
    overdue = session.scalars(due).all()
    for alert in overdue:
        _climb(session, alert, now)
    return len(overdue)


def start_escalation(alert: Alert, at: datetime) -> None:
    """Part of other acts: back to the first step, and from now on the clock runs."""
    alert.step = 0
    alert.escalate_at = at + delay(alert.priority)


def delay(priority: Priority) -> timedelta:
    """How long an unacknowledged alert waits on each step."""
    return timedelta(seconds=getattr(settings.current, f"escalate_{priority}_s"))


def _climb(session: Session, alert: Alert, at: datetime, by: int | None = None) -> None:
    alert.step += 1
    alert.escalate_at = None
    if alert.state is State.OPEN and alert.condition is not Condition.CLEARED and alert.step < alert.last_step:
        alert.escalate_at = at + delay(alert.priority)
    journal.append(session, alert, Happening.ESCALATED, at=at, by=by)
