"""An alarm becomes an alert, or more of one that is already there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.alerts.acknowledging import release
from hospital.alerts.clearing import clear_alert
from hospital.alerts.course import remember_course
from hospital.alerts.escalating import start_escalation
from hospital.alerts.monitoring import monitoring_of
from hospital.records import (
    Alert,
    Bed,
    Monitoring,
    Patient,
    Sender,
    find_bed,
    journal,
    meet_patient,
    meet_unidentified,
    settle,
)
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
    known = find_open(session, sender, report, patient)
    alert = known or _adopt(session, sender, report, patient)
    if alert is None:
        return _open(session, sender, report, patient)
    _repeat(session, alert, report, patient, adopted=known is None)
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


def where_monitored(
    session: Session, sender: Sender, subject: Subject | None, place: Place, at: datetime
) -> Monitoring:
    """The patient whom a sender's readings are about, at the place that they come from; a stay opens as for alarms."""
    bed = find_bed(session, sender.hospital_id, place.unit, place.bed, place.label)
    if subject is None:
        patient = meet_unidentified(session, sender.hospital_id, bed.code if bed else place.label)
    else:
        patient = _patient(session, sender, subject)
        _conflicts(session, patient, bed, at)
    return monitoring_of(
        session,
        patient,
        unit_id=bed.unit_id if bed else None,
        bed_id=bed.id if bed else None,
        place=place.label,
        at=at,
    )


def open_alert(session: Session, patient_id: int, condition: str) -> Alert | None:
    """The patient's unresolved alert of this condition, whoever raised it: a rule or a monitor."""
    query = select(Alert).where(
        Alert.patient_id == patient_id, Alert.condition_key == condition, Alert.state != State.RESOLVED
    )
    return session.scalars(query.order_by(Alert.id.desc()).limit(1)).one_or_none()


def _adopt(session: Session, sender: Sender, report: Report, patient: Patient | None) -> Alert | None:
    """What a rule has raised already is the same alert: from now on the monitor says when it ends."""
    if patient is None or report.alarm.condition is None:
        return None
    alert = open_alert(session, patient.id, report.alarm.condition)
    if alert is None or alert.sender_id is not None or not _is_there(session, alert, report.place):
        return None
    alert.sender_id, alert.sender_alert_id, alert.place = sender.id, report.alarm.alert_id, report.place.label
    return alert


def _is_there(session: Session, alert: Alert, place: Place) -> bool:
    """Whether they are the same place: an alarm from another bed must reach the people of that bed."""
    bed = find_bed(session, alert.hospital_id, place.unit, place.bed, place.label)
    if bed is None:
        return alert.bed_id is None and alert.place == place.label
    return alert.bed_id == bed.id


def _is_meant(alert: Alert, report: Report, patient: Patient | None) -> bool:
    if patient is not None and alert.patient_id not in (None, patient.id):
        return False
    if not report.assessment.starts:
        return True
    # A new start that names nobody may be about anybody: it never joins what is known to be somebody's.
    nobody = patient is None and alert.patient_id is not None
    return alert.event_code == report.alarm.event_code and not nobody


def _open(session: Session, sender: Sender, report: Report, patient: Patient | None) -> Alert:
    alarm, assessment, place = report.alarm, report.assessment, report.place
    bed = find_bed(session, sender.hospital_id, place.unit, place.bed, place.label)
    alert = Alert(
        hospital_id=sender.hospital_id,
        unit_id=bed.unit_id if bed else None,
        bed_id=bed.id if bed else None,
        patient_id=patient.id if patient else None,
        sender_id=sender.id,
        sender_alert_id=alarm.alert_id,
        condition_key=alarm.condition,
        place=place.label,
        kind=alarm.kind,
        priority=assessment.priority,
        priority_sent=assessment.priority_sent,
        register_conflict=_conflicts(session, patient, bed, report.at),
        training=sender.training,
        observed_at=alarm.observed_at or report.at,
        raised_at=report.at,
        repeats=0,
        state=State.OPEN,
        condition=_condition(report),
    )
    _show(alert, report, patient)
    remember_course(session, alert, _observed_at(report), alarm.value)
    start_escalation(alert, report.at)
    session.add(alert)
    journal.append(session, alert, Happening.RAISED, at=report.at, free_text=alarm.text)
    return alert


def _repeat(session: Session, alert: Alert, report: Report, patient: Patient | None, *, adopted: bool = False) -> None:
    shown_before = _shown(alert)
    if alert.patient_id is None:
        alert.register_conflict = _conflicts(session, patient, alert.bed, report.at)
    _show(alert, report, patient)
    alert.repeats += 1
    happening = _change(session, alert, report)
    if happening is None and (adopted or _shown(alert) != shown_before):
        happening = Happening.UPDATED
    if happening is not None:
        remember_course(session, alert, _observed_at(report), report.alarm.value)
        journal.append(session, alert, happening, at=report.at, free_text=report.alarm.text)


def _change(session: Session, alert: Alert, report: Report) -> Happening | None:
    """More urgent, back again, or gone but latched by the device; None: none of these."""
    assessment = report.assessment
    if assessment.priority_sent and assessment.priority.is_above(alert.priority):
        alert.priority, alert.priority_sent = assessment.priority, True
        arm_again(session, alert, report.at, _condition(report))
        return Happening.PRIORITY_RAISED
    if alert.condition is not Condition.ACTIVE and not assessment.latched:
        arm_again(session, alert, report.at, _condition(report))
        return Happening.RECURRED
    if alert.condition is Condition.ACTIVE and assessment.latched:
        alert.condition, alert.cleared_at = Condition.LATCHED, report.at
        return Happening.CLEARED
    return None


def arm_again(session: Session, alert: Alert, at: datetime, condition: Condition) -> None:
    """Part of other acts: nobody has acknowledged what it is now, whatever was acknowledged before."""
    release(session, alert, at)
    alert.state, alert.condition = State.OPEN, condition
    alert.cleared_at = alert.expires_at = None
    start_escalation(alert, at)


def _condition(report: Report) -> Condition:
    return Condition.LATCHED if report.assessment.latched else Condition.ACTIVE


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


def _observed_at(report: Report) -> datetime:
    """A sender's clock may run ahead; nothing has been measured after now."""
    return min(report.alarm.observed_at or report.at, report.at)


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
