"""What happens to FHIR resources: patients are met, beds taken, readings observed, in one transaction for a request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, meters, records
from hospital.alerts.monitoring import UNPLACED, changed, monitoring_of, without_bed
from hospital.alerts.observing import Readings, observe
from hospital.intake import senders
from hospital.intake.fhir import outcome, read
from hospital.intake.fhir_entries import (
    EncounterSeen,
    Entry,
    Invalid,
    Kept,
    NotTaken,
    ObservationSeen,
    PatientSeen,
)
from hospital.intake.keeping import kept
from hospital.intake.senders import KnownSender, NotBound
from hospital.records import Kind, Monitoring, Patient, Sender, Stay, Verdict, find_bed, meet_patient
from hospital.records.patient import move, name_patient, named_patient


class _Head(Struct, rename="camel"):
    """`type`: a Bundle's; another resource's is no concern of ours."""

    resource_type: str
    type: Any = ""


@dataclass(frozen=True)
class Taken:
    """What became of a request: its HTTP status and the resource that answers it."""

    status: int
    body: dict[str, Any]


def take_fhir(body: bytes, known: KnownSender) -> Taken:
    """Take one resource or Bundle; nothing of a transaction that is refused stays. Raises NotStored."""
    meters.count("fhir_requests_total")
    try:
        entries = read(body, known.zone)
        message_id, refused = records.write(known.hospital_id, lambda session: _take(session, body, entries, known))
    except Invalid as invalid:
        refusal = _message(body, known, invalid)
        records.write(None, lambda session: session.add(refusal))
        return Taken(invalid.status, outcome([invalid]))
    return Taken(202, _answer(body, entries, refused, message_id))


def _take(
    session: Session, body: bytes, entries: tuple[Entry, ...], known: KnownSender
) -> tuple[int, dict[int, Invalid]]:
    """The message's id, and what was refused of a batch by position. Raises Invalid where all is refused."""
    batch = _bundle_type(body) == "batch"
    sender = session.get_one(Sender, known.id)
    senders.heard(sender)
    refused = {entry.position: entry.invalid for entry in entries if isinstance(entry, NotTaken)}
    for entry in entries:
        try:
            with session.begin_nested():
                _carry_out(session, sender, known, entry)
        except Invalid as invalid:
            if not batch:
                raise
            refused[entry.position] = invalid
    row = _message(body, known)
    session.add(row)
    session.flush()
    return row.id, refused


def _bundle_type(body: bytes) -> str:
    """'transaction', 'batch', or '' for one resource; the body has been read already."""
    head = msgspec.json.decode(body, type=_Head)
    return str(head.type) if head.resource_type == "Bundle" else ""


def _carry_out(session: Session, sender: Sender, known: KnownSender, entry: Entry) -> None:
    try:
        _check_unit(session, sender, known, entry)
    except NotBound as barred:
        meters.count("senders_refused_total", why=barred.why)
        raise Invalid(422, entry.element, str(barred)) from None
    match entry:
        case PatientSeen():
            _meet(session, sender, entry)
        case EncounterSeen():
            _place(session, sender, entry)
        case ObservationSeen():
            _observe(session, sender, entry)
        case Kept():
            meters.count("fhir_resources_kept_total")


def _check_unit(session: Session, sender: Sender, known: KnownSender, entry: Entry) -> None:
    """A sender that is bound to units tells nothing of a patient in another. Raises NotBound, Invalid."""
    if isinstance(entry, EncounterSeen) and entry.place is not None:
        senders.check_place(session, known, entry.place)
    elif isinstance(entry, EncounterSeen | ObservationSeen):
        patient = _known(session, sender, entry.patient, f"{entry.element}.subject")
        monitoring = session.get(Monitoring, patient.id)
        senders.check_unit(known, monitoring.unit_id if monitoring else None)


def _meet(session: Session, sender: Sender, seen: PatientSeen) -> None:
    subject = seen.subject
    patient = meet_patient(
        session,
        sender.hospital_id,
        identifier=subject.identifier,
        authority=subject.authority or sender.authority,
        name=subject.name,
        birth_date=subject.birth_date,
        sex=subject.sex,
    )
    name_patient(session, sender.id, seen.references, patient)


def _place(session: Session, sender: Sender, seen: EncounterSeen) -> None:
    patient = _known(session, sender, seen.patient, f"{seen.element}.subject")
    now, place = clock.now(), seen.place
    if seen.left is not None and _ended_before(session, patient, seen.left):
        return
    if place is None and seen.left is None:
        return
    bed = None
    if place is not None and seen.left is None:
        bed = find_bed(session, sender.hospital_id, place.unit, place.bed, place.label)
    for displaced in move(session, patient, bed, seen.left or now):
        without_bed(session, displaced, now)
    monitoring = monitoring_of(
        session,
        patient,
        unit_id=bed.unit_id if bed else None,
        bed_id=bed.id if bed else None,
        place=place.label if place else UNPLACED,
        at=now,
    )
    changed(monitoring, now)  # screens of the old unit and of the new one must hear of it, without a reading


def _ended_before(session: Session, patient: Patient, left: datetime) -> bool:
    """Histories hold encounters of long ago: one that ended before the present stay began ends nothing."""
    query = select(Stay.id).where(Stay.patient_id == patient.id, Stay.until.is_(None), Stay.since > left)
    return session.scalar(query.limit(1)) is not None


def _observe(session: Session, sender: Sender, seen: ObservationSeen) -> None:
    patient = _known(session, sender, seen.patient, f"{seen.element}.subject")
    meters.count("results_skipped_total", len(seen.skipped))
    if seen.observed is None:
        return
    now = clock.now()
    monitoring = session.get(Monitoring, patient.id)
    if monitoring is None:
        monitoring = monitoring_of(session, patient, unit_id=None, bed_id=None, place=UNPLACED, at=now)
    observe(session, monitoring, Readings((seen.observed,), now, sender_id=sender.id))
    meters.count("observations_total")


def _known(session: Session, sender: Sender, reference: str, element: str) -> Patient:
    patient = named_patient(session, sender.id, reference)
    if patient is None:
        raise Invalid(422, element, "This patient is not known here. Send the Patient first.")
    return patient


def _message(body: bytes, known: KnownSender, refused: Invalid | None = None) -> records.Message:
    return kept(
        body,
        Kind.FHIR,
        known,
        verdict=Verdict.REFUSED if refused else Verdict.ACCEPTED,
        code=str(refused.status) if refused else "202",
        reason=refused.diagnostics if refused else "",
    )


def _answer(body: bytes, entries: tuple[Entry, ...], refused: dict[int, Invalid], message_id: int) -> dict[str, Any]:
    """For one resource an OperationOutcome, for a Bundle one with an answer for each entry, in its order."""
    bundle_type = _bundle_type(body)
    if not bundle_type:
        return outcome([]) | {"id": str(message_id)}
    answers = [_entry(refused.get(entry.position)) for entry in sorted(entries, key=lambda entry: entry.position)]
    return {"resourceType": "Bundle", "id": str(message_id), "type": f"{bundle_type}-response", "entry": answers}


def _entry(invalid: Invalid | None) -> dict[str, Any]:
    status = "202 Accepted" if invalid is None else f"{invalid.status} Refused"
    return {"response": {"status": status, "outcome": outcome([invalid] if invalid else [])}}
