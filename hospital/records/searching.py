"""Find a patient by bed, number or surname: exactly, through the blind indexes, in the units of whoever searches."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from hospital.records import sealed
from hospital.records.hospital import Bed
from hospital.records.observation import Monitoring
from hospital.records.patient import Patient, plain
from hospital.roles import Actor, Right

_MANY = 50


def find_patients(session: Session, actor: Actor, words: str) -> Sequence[Monitoring]:
    """Whom these words name, as known now; nobody if there is none, or none that the actor may see.

    A bed by its code ('MED-07'), a number or a surname whatever their case, accents, blanks and signs. Who may not see
    identity finds by bed alone: a hit would tell whose bed it is. The caller leaves the trace (access/traces.py).
    """
    wanted = plain(words)
    if not wanted or not actor.may(Right.SEE_ALERTS):
        return []
    sealed.learn(session)
    bed = func.upper(Bed.code) == words.strip().upper()
    named = _named(str(actor.hospital_id), wanted) if actor.may(Right.SEE_IDENTITY) else false()
    units = [unit for unit in actor.scope if unit is not None]
    in_units = Monitoring.unit_id.in_(units)
    query = (
        select(Monitoring)
        .join(Patient, Patient.id == Monitoring.patient_id)
        .outerjoin(Bed, Bed.id == Monitoring.bed_id)
        .options(joinedload(Monitoring.patient), joinedload(Monitoring.unit), joinedload(Monitoring.bed))
        .where(Monitoring.hospital_id == actor.hospital_id, Patient.hospital_id == actor.hospital_id)
        .where(in_units | Monitoring.unit_id.is_(None) if None in actor.scope else in_units)
        .where(or_(bed, named))
        .order_by(Monitoring.received_at.desc())
    )
    return session.scalars(query.limit(_MANY)).all()


def _named(hospital: str, wanted: str) -> ColumnElement[bool]:
    by_number = Patient.number_index.in_(sealed.blinds(hospital, "number", wanted))
    return by_number | Patient.surname_index.in_(sealed.blinds(hospital, "surname", wanted))
