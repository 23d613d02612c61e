"""What rules say of a patient's vital signs becomes alerts: one open alert for each condition of a patient."""

from datetime import datetime

from sqlalchemy.orm import Session

from hospital.alerts.clearing import clear_alert
from hospital.alerts.course import remember_course
from hospital.alerts.escalating import start_escalation
from hospital.alerts.raising import arm_again, open_alert
from hospital.records import Alert, Monitoring, journal
from hospital.triage.conditions import LINK, Condition, Turn
from hospital.vocabulary import AlertKind, Happening, State
from hospital.vocabulary import Condition as Course


def apply(session: Session, monitoring: Monitoring, condition: Condition, at: datetime) -> None:
    """Raise, worsen or clear the alert of this condition.

    A condition that goes on raises nothing anew: what someone has resolved stays so until it starts again.
    """
    alert = open_alert(session, monitoring.patient_id, condition.key)
    if condition.turn is Turn.ENDED:
        if alert is not None and alert.sender_id is None:
            clear_alert(session, alert, at)
    elif alert is not None:
        _worsen(session, alert, condition, at)
    elif condition.turn is Turn.STARTED:
        _raise(session, monitoring, condition, at)


def _raise(session: Session, monitoring: Monitoring, condition: Condition, at: datetime) -> None:
    alert = Alert(
        hospital_id=monitoring.hospital_id,
        unit_id=monitoring.unit_id,
        bed_id=monitoring.bed_id,
        patient_id=monitoring.patient_id,
        sender_id=None,
        sender_alert_id="",
        condition_key=condition.key,
        place=monitoring.place,
        kind=AlertKind.TECHNICAL if condition.key == LINK else AlertKind.PHYSIOLOGICAL,
        priority=condition.priority,
        priority_sent=True,
        register_conflict=False,
        training=False,
        observed_at=condition.at,
        raised_at=at,
        last_at=at,
        repeats=0,
        state=State.OPEN,
        condition=Course.ACTIVE,
    )
    _show(alert, condition)
    remember_course(session, alert, condition.at)
    start_escalation(alert, at)
    session.add(alert)
    journal.append(session, alert, Happening.RAISED, at=at, free_text=condition.text)


def _worsen(session: Session, alert: Alert, condition: Condition, at: datetime) -> None:
    """More urgent, back again, or further off than ever: each is a line; anything else is a repeat."""
    alert.last_at = at
    alert.repeats += 1
    happening = None
    if condition.priority.is_above(alert.priority):
        alert.priority, alert.priority_sent = condition.priority, True
        happening = Happening.PRIORITY_RAISED
    elif condition.turn is Turn.STARTED and alert.condition is not Course.ACTIVE:
        happening = Happening.RECURRED
    if happening is not None:
        arm_again(session, alert, at, Course.ACTIVE)
        _show(alert, condition)
    elif alert.condition is Course.ACTIVE and condition.is_worse_than(alert.value):
        happening = Happening.UPDATED
        _show(alert, condition)
    if happening is not None:
        remember_course(session, alert, condition.at)
        journal.append(session, alert, happening, at=at, free_text=condition.text)


def _show(alert: Alert, condition: Condition) -> None:
    alert.text, alert.advice = condition.text, condition.advice
    alert.value, alert.value_unit = condition.shown, condition.unit
    alert.low, alert.high = condition.low, condition.high
