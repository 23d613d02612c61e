"""What is known of a patient now: one row for each, which readings, people and silence change."""

from datetime import datetime

from sqlalchemy.orm import Session

from hospital.records import Monitoring, Patient

UNPLACED = "– / – / –"


def monitoring_of(
    session: Session, patient: Patient, *, unit_id: int | None, bed_id: int | None, place: str, at: datetime
) -> Monitoring:
    """What is known of the patient, who is now where these readings come from."""
    monitoring = session.get(Monitoring, patient.id)
    if monitoring is None:
        monitoring = Monitoring(
            patient_id=patient.id, hospital_id=patient.hospital_id, latest={}, watches={}, version=0
        )
        monitoring.spo2_scale, monitoring.clock_off_s, monitoring.monitored = 1, 0.0, False
        monitoring.received_at = monitoring.changed_at = at
        monitoring.unit_id, monitoring.units_left = unit_id, []
        session.add(monitoring)
    monitoring.move_to(unit_id, at)
    monitoring.bed_id, monitoring.place = bed_id, place
    return monitoring


def without_bed(session: Session, patient_id: int, at: datetime) -> None:
    """Someone else lies there now, and nobody has said where this patient is: still of the unit, on no bed's card."""
    monitoring = session.get(Monitoring, patient_id)
    if monitoring is not None and monitoring.bed_id is not None:
        monitoring.bed_id, monitoring.place = None, UNPLACED
        changed(monitoring, at)


def changed(monitoring: Monitoring, at: datetime) -> None:
    """Screens show the newest version; this is the next."""
    monitoring.version += 1
    monitoring.changed_at = at
