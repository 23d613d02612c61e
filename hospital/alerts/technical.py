"""Alerts of our own making that are about no patient: a wall that is silent, a door that somebody broke open."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.alerts.escalating import start_escalation
from hospital.alerts.raising import arm_again
from hospital.records import Alert, journal
from hospital.vocabulary import AlertKind, Condition, Happening, Priority, State


def raise_technical(
    session: Session,
    hospital_id: int,
    unit_id: int | None,
    key: str,
    place: str,
    text: str,
    priority: Priority,
    at: datetime,
    *,
    since: datetime | None = None,
    step: int = 0,
) -> Alert:
    """Part of other acts. `key` finds it again; `place` is its headline; `since` when, if not now, it began.

    `unit_id` None: for the charge nurses.

    `step`: who is told at once (vocabulary.TOLD_AT_STEP).
    """
    alert = Alert(
        hospital_id=hospital_id,
        unit_id=unit_id,
        sender_alert_id="",
        condition_key=key,
        place=place,
        kind=AlertKind.TECHNICAL,
        priority=priority,
        priority_sent=True,
        register_conflict=False,
        training=False,
        observed_at=since or at,
        raised_at=at,
        last_at=at,
        repeats=0,
        state=State.OPEN,
        condition=Condition.ACTIVE,
        text=text,
    )
    start_escalation(alert, at)
    alert.step = step
    session.add(alert)
    journal.append(session, alert, Happening.RAISED, at=at, free_text=text)
    return alert


def raise_again(session: Session, alert: Alert, text: str, at: datetime) -> None:
    """Part of other acts: it is back before its alert has left the list."""
    alert.text = text
    arm_again(session, alert, at, Condition.ACTIVE)
    journal.append(session, alert, Happening.RECURRED, at=at, free_text=text)


def open_technical(session: Session, key: str) -> Sequence[Alert]:
    """Its unresolved alerts, the newest first."""
    query = select(Alert).where(Alert.patient_id.is_(None), Alert.condition_key == key, Alert.state != State.RESOLVED)
    return session.scalars(query.order_by(Alert.id.desc())).all()
