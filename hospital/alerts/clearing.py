"""The condition goes away: what that means depends on who has seen the alert."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.acknowledging import close_acknowledgements
from hospital.alerts.course import remember_course
from hospital.records import Alert, journal
from hospital.vocabulary import Condition, Happening, Priority, State

_AT_ONCE = 200  # alerts in one transaction; the rest a second later


def clear_alert(session: Session, alert: Alert, at: datetime) -> None:
    """The sender says that the alarm has ended.

    A high alert latches: it stays until someone has acknowledged and resolved it. A lower one ends at once if someone
    has it; if nobody does, it stays for a while as "cleared, nobody saw it". Ending twice writes one line.
    """
    alert.last_at = at
    alert.repeats += 1
    if _has_ended(alert):
        return
    alert.cleared_at = at
    remember_course(session, alert, at)
    if alert.priority is Priority.HIGH:
        alert.condition = Condition.LATCHED
    elif alert.state is State.ACKNOWLEDGED:
        alert.condition = Condition.CLEARED
        end(session, alert, at)
    else:
        alert.condition = Condition.CLEARED
        alert.escalate_at = None
        alert.expires_at = at + timedelta(seconds=settings.current.cleared_unseen_s)
    journal.append(session, alert, Happening.CLEARED, at=at)


def _has_ended(alert: Alert) -> bool:
    """Whether the end is already known. A lower alert is latched by its device alone, until the device says "end"."""
    if alert.priority is Priority.HIGH:
        return alert.condition is Condition.LATCHED and alert.cleared_at is not None
    return alert.condition is Condition.CLEARED


def expire_unseen(session: Session, hospital_id: int, now: datetime) -> int:
    """End the cleared alerts that nobody looked at in time; how many."""
    due = (
        select(Alert)
        .where(Alert.hospital_id == hospital_id, Alert.state != State.RESOLVED, Alert.expires_at <= now)
        .order_by(Alert.expires_at, Alert.id)
        .limit(_AT_ONCE)
    )
    expired = session.scalars(due).all()
    for alert in expired:
        end(session, alert, now)
        journal.append(session, alert, Happening.EXPIRED, at=now)
    return len(expired)


def end(session: Session, alert: Alert, at: datetime) -> None:
    """Part of other acts: nothing more will happen to this alert."""
    close_acknowledgements(session, alert, at)
    alert.state = State.RESOLVED
    alert.escalate_at = alert.expires_at = None
