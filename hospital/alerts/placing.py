"""A place that nobody knew has been bound to a bed: what is open there stands on that bed from now on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.alerts.escalating import start_escalation
from hospital.alerts.monitoring import changed
from hospital.records import Alert, Bed, Monitoring, journal
from hospital.records.patient import move_unidentified
from hospital.vocabulary import Happening, State


def place(session: Session, bed: Bed, label: str, at: datetime, by: int) -> None:
    """Bring the alerts and patients of this place, which belonged to no unit, to the people of the bed's unit."""
    of_nobody = (Alert.hospital_id == bed.hospital_id, Alert.place == label, Alert.bed_id.is_(None))
    for alert in session.scalars(select(Alert).where(*of_nobody, Alert.state != State.RESOLVED)):
        alert.unit_id, alert.bed_id = bed.unit_id, bed.id
        if alert.state is State.OPEN:
            start_escalation(alert, at)  # these nurses have heard nothing of it yet
        journal.append(session, alert, Happening.UPDATED, at=at, by=by, was_unassigned=True)
    there = (Monitoring.hospital_id == bed.hospital_id, Monitoring.place == label, Monitoring.bed_id.is_(None))
    for monitoring in session.scalars(select(Monitoring).where(*there)):
        _move(session, monitoring, bed, at)


def _move(session: Session, monitoring: Monitoring, bed: Bed, at: datetime) -> None:
    monitoring.move_to(bed.unit_id, at)
    monitoring.bed_id = bed.id
    patient = monitoring.patient
    if not patient.identifier and not move_unidentified(session, patient, bed.code):
        monitoring.monitored = False  # who is unidentified in that bed has the readings from now on
    changed(monitoring, at)
