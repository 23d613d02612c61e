"""An alarm becomes an alert, or more of one that is already there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.alerts.acknowledging import release
from hospital.alerts.clearing import clear_alert
from hospital.alerts.escalating import start_escalation
from hospital.records import Alert, Bed, Patient, Sender, find_bed, journal, meet_patient, settle
from hospital.triage.alarm import Alarm, Place, Subject
from hospital.triage.assess import Assessment
from hospital.vocabulary import Condition, Happening, State


@dataclass(frozen=True)
class Report:
    """One alarm, whom and where it is about, and what triage made of it. `at`: when it reached us."""

    alarm: Alarm
    assessment: Assessment
    subject: Subject | None
    place: Place
    at: datetime


def raise_alert(session: Session, sender: Sender, report: Report) -> Alert:
    """Open an alert, or count this as a repeat of the open one that the sender means.

    A repeat that changes neither state, priority nor what the card shows writes no journal line.
    """
    patient = _patient(session, sender, report.subject) if report.subject else None
    alert = find_open(session, sender, report, patient)
    if alert is None:
        return _open(session, sender, report, patient)
    _repeat(session, alert, report, patient)
    return alert


def clear_reported(session: Session, sender: Sender, report: Report) -> Alert | None:
    """The sender says that its alarm has ended. None: there is no such open alert."""
    patient = _patient(session, sender, report.subject) if report.subject else None
    alert = find_open(session, sender, report, patient)
    if alert is not None:
        clear_alert(session, alert, report.at)
    return alert


def find_open(session: Session, sender: Sender, report: Report, patient: Patient | None) -> Alert | None:
    """The newest unresolved alert with the sender's alert id, from the same place and about nobody else.

    Gateways restart their numbers at 1: an id alone never joins two beds, nor a new start with another event.
    """
    query = (
        select(Alert)
        .where(
            Alert.sender_id == sender.id,
            Alert.sender_alert_id == report.alarm.alert_id,
            Alert.place == report.place.label,
            Alert.state != State.RESOLVED,
        )
        .order_by(Alert.id.desc())
    )
    return next((alert for alert in session.scalars(query) if _is_meant(alert, report, patient)), None)


def _is_meant(alert: Alert, report: Report, patient: Patient | None) -> bool:
    if patient is not None and alert.patient_id not in (None, patient.id):
        return False
    return not (report.assessment.starts and alert.event_code != report.alarm.event_code)


def _open(session: Session, sender: Sender, report: Report, patient: Patient | None) -> Alert:
    alarm, assessment = report.alarm, report.assessment
    bed = find_bed(session, sender.hospital_id, report.place.unit, report.place.bed)
    alert = Alert(
        hospital_id=sender.hospital_id,
        unit_id=bed.unit_id if bed else None,
        bed_id=bed.id if bed else None,
        patient_id=patient.id if patient else None,
        sender_id=sender.id,
        sender_alert_id=alarm.alert_id,
        place=report.place.label,
        kind=alarm.kind,
        priority=assessment.priority,
        priority_sent=assessment.priority_sent,
        register_conflict=_conflicts(session, patient, bed, report.at),
        training=sender.training,
        observed_at=alarm.observed_at or report.at,
        raised_at=report.at,
        repeats=0,
        state=State.OPEN,
        condition=Condition.LATCHED if assessment.latched else Condition.ACTIVE,
    )
    _show(alert, report, patient)
    start_escalation(alert, report.at)
    session.add(alert)
    journal.append(session, alert, Happening.RAISED, at=report.at, free_text=alarm.text)
    return alert


def _repeat(session: Session, alert: Alert, report: Report, patient: Patient | None) -> None:
    shown_before = _shown(alert)
    if alert.patient_id is None:
        alert.register_conflict = _conflicts(session, patient, alert.bed, report.at)
    _show(alert, report, patient)
    alert.repeats += 1
    happening = _change(session, alert, report)
    if happening is None and _shown(alert) != shown_before:
        happening = Happening.UPDATED
    if happening is not None:
        journal.append(session, alert, happening, at=report.at, free_text=report.alarm.text)


def _change(session: Session, alert: Alert, report: Report) -> Happening | None:
    """More urgent, back again, or gone but latched by the device; None: none of these."""
    assessment = report.assessment
    if assessment.priority_sent and assessment.priority.is_above(alert.priority):
        alert.priority, alert.priority_sent = assessment.priority, True
        _arm_again(session, alert, report)
        return Happening.PRIORITY_RAISED
    if alert.condition is not Condition.ACTIVE and not assessment.latched:
        _arm_again(session, alert, report)
        return Happening.RECURRED
    if alert.condition is Condition.ACTIVE and assessment.latched:
        alert.condition, alert.cleared_at = Condition.LATCHED, report.at
        return Happening.CLEARED
    return None


def _arm_again(session: Session, alert: Alert, report: Report) -> None:
    """Nobody has acknowledged what it is now, whatever was acknowledged before."""
    release(session, alert, report.at)
    alert.state = State.OPEN
    alert.condition = Condition.LATCHED if report.assessment.latched else Condition.ACTIVE
    alert.cleared_at = alert.expires_at = None
    start_escalation(alert, report.at)


def _show(alert: Alert, report: Report, patient: Patient | None) -> None:
    """What the card says is the last that the sender said; what a sender leaves out stays as it last said it."""
    alarm = report.alarm
    alert.last_at = report.at
    alert.text = alarm.text
    alert.event_code, alert.source_code = alarm.event_code, alarm.source_code or alert.source_code
    alert.patient_id = alert.patient_id or (patient.id if patient else None)
    if alarm.value is not None:
        alert.value, alert.value_unit = alarm.value, alarm.unit
    if alarm.low is not None or alarm.high is not None:
        alert.low, alert.high = alarm.low, alarm.high


def _shown(alert: Alert) -> tuple[object, ...]:
    return alert.text, alert.value, alert.value_unit, alert.low, alert.high, alert.patient_id


def _patient(session: Session, sender: Sender, subject: Subject) -> Patient:
    return meet_patient(
        session,
        sender.hospital_id,
        identifier=subject.identifier,
        authority=subject.authority or sender.authority,
        name=subject.name,
        birth_date=subject.birth_date,
        sex=subject.sex,
    )


def _conflicts(session: Session, patient: Patient | None, bed: Bed | None, at: datetime) -> bool:
    return patient is not None and bed is not None and not settle(session, patient, bed, at)
