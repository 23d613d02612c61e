"""A FHIR Patient, and an Encounter that says where one lies."""

import re
from datetime import date, datetime

from hospital import clock
from hospital.intake.fhir_entries import EncounterSeen, Invalid, Kept, PatientSeen
from hospital.intake.fhir_item import Item, patient_of, without_version
from hospital.intake.fhir_shapes import Encounter, HumanName, Identifier, Patient, Reference, Stay
from hospital.triage.alarm import Place, Subject

_THERE = ("arrived", "triaged", "in-progress", "onleave")
_NOT_THERE = ("planned", "cancelled", "entered-in-error", "unknown")
_NOT_YET = ("planned", "reserved", "completed")  # or no longer: of Encounter.location


def read_patient(patient: Patient, item: Item) -> PatientSeen:
    own = f"Patient/{patient.id}" if patient.id else ""
    names = dict.fromkeys(without_version(name) for name in (own, item.full_url, item.url) if name)
    identifier = _identifier(patient)
    if identifier is None:
        raise Invalid(422, f"{item.element}.identifier", "The patient has neither an identifier nor an id.")
    subject = Subject(
        identifier=identifier.value,
        authority=identifier.system or None,
        name=_name(patient.name),
        birth_date=_birth_date(patient.birth_date, item),
        sex=patient.gender[:1].upper(),
    )
    return PatientSeen(tuple(names), subject, item.element, item.position)


def _identifier(patient: Patient) -> Identifier | None:
    """The medical record number (v2 table 0203: MR) if there is one, else the first, else the resource's id."""
    sent = [one for one in patient.identifier if one.value and one.use != "old"]
    record_numbers = [one for one in sent if any(coding.code == "MR" for coding in one.type.coding)]
    own = [Identifier(value=patient.id)] if patient.id else []
    return next(iter(record_numbers + sent + own), None)


def _name(names: tuple[HumanName, ...]) -> str:
    """'Hon, Albert', as from HL7 v2: the official name, else the first that is not an old one."""
    current = [name for name in names if name.use not in ("old", "maiden")]
    chosen = next((name for name in current if name.use == "official"), next(iter(current), HumanName()))
    return ", ".join(part for part in (chosen.family, *chosen.given[:1]) if part) or chosen.text


def _birth_date(written: str, item: Item) -> date | None:
    if not written or re.fullmatch(r"[0-9]{4}(-[0-9]{2})?", written):
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise Invalid(422, f"{item.element}.birthDate", "This is not a date.")


def read_encounter(encounter: Encounter, item: Item) -> EncounterSeen | Kept:
    if encounter.status not in (*_THERE, *_NOT_THERE, "finished"):
        raise Invalid(422, f"{item.element}.status", "This is not a status of an encounter.")
    patient = patient_of(encounter.subject, item)
    if encounter.status in _NOT_THERE or patient is None:
        return Kept("Encounter", item.element, item.position)
    left, since = _left(encounter, item), item.time(encounter.period.start, "period.start")
    return EncounterSeen(patient, _place(encounter.location), left, item.element, item.position, since)


def _left(encounter: Encounter, item: Item) -> datetime | None:
    """An end in the future is a plan; who is finished without an end has left by now."""
    end = item.time(encounter.period.end, "period.end")
    if encounter.status == "finished":
        return end or clock.now()
    return end if end and end <= clock.now() else None


def _place(stays: tuple[Stay, ...]) -> Place | None:
    """Where the patient is now: the bed (physicalType `bd`) if one is told, else the last place."""
    current = [stay for stay in stays if stay.status not in _NOT_YET and not stay.period.end]
    beds = [stay for stay in current if any(coding.code == "bd" for coding in stay.physical_type.coding)]
    place = _place_of((beds or current)[-1].location) if current else None
    return place if place and place.known else None


def _place_of(location: Reference) -> Place:
    """'MED^^MED-03' (as PV1-3) in the identifier or the display, else 'Location/MED-03', else either as the bed."""
    for text in (location.identifier.value, location.display):
        if "^" in text:
            return Place.read(text)
    kind, _, name = without_version(location.reference).rpartition("/")
    if kind.rpartition("/")[2] == "Location":
        return Place("", "", name)
    return Place("", "", location.identifier.value or location.display)
