"""Readings, patients and their beds as FHIR R4 tells them: Observation, Patient, Encounter, and Bundles of them.

Whether the subject is known needs the database: the caller asks. `fhir_entries` holds what reading gives,
`fhir_shapes` the resources as we read them, `fhir_people` and `fhir_observation` what they mean.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, tzinfo

from hospital.intake.fhir_entries import Entry, Invalid, Kept, NotTaken, PatientSeen
from hospital.intake.fhir_item import Item
from hospital.intake.fhir_observation import read_observation
from hospital.intake.fhir_people import read_encounter, read_patient
from hospital.intake.fhir_shapes import Bundle, BundleEntry, Encounter, Observation, Patient, decode, type_of

_MOST_PARTS = 50_000
_ORDER = ("Patient", "Encounter", "Observation")


def read(body: bytes, zone: tzinfo = UTC) -> tuple[Entry, ...]:
    """What a request holds: patients first, then encounters, then observations, then the rest. Raises Invalid only.

    `zone`: the hospital's, for dates that have no time. `position` says where in the bundle each entry stood.
    """
    if body.count(b",") > _MOST_PARTS:  # the decoder makes them all before it looks how many there are
        raise Invalid(422, "", f"There are more than {_MOST_PARTS} parts: send several requests.")
    resource_type = type_of(body, "")
    if resource_type != "Bundle":
        return (_read_one(Item(body, resource_type, resource_type, zone)),)
    bundle = decode(body, Bundle, "Bundle")
    if bundle.type not in ("transaction", "batch"):
        raise Invalid(422, "Bundle.type", "Only transactions and batches are taken.")
    return _read_bundle(bundle, zone)


def outcome(issues: Iterable[Invalid]) -> dict[str, object]:
    """An OperationOutcome that names the element of each; with no issue it says that all is well."""
    told = [_issue(issue) for issue in issues]
    well = {"severity": "information", "code": "informational", "diagnostics": "Taken."}
    return {"resourceType": "OperationOutcome", "issue": told or [well]}


def _issue(issue: Invalid) -> dict[str, object]:
    code = "structure" if issue.status == 400 else "invalid"
    told: dict[str, object] = {"severity": "error", "code": code, "diagnostics": issue.diagnostics}
    return told | {"expression": [issue.expression]} if issue.expression else told


def _read_bundle(bundle: Bundle, zone: tzinfo) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    items: list[Item] = []
    for position, sent in enumerate(bundle.entry):
        element = f"Bundle.entry[{position}]"
        try:
            items.append(_item(sent, element, position, zone))
        except Invalid as invalid:
            entries.append(_not_taken(bundle, invalid, element, position))
    patients: dict[str, str] = {}
    for item in sorted(items, key=_rank):  # sorting is stable: of the same kind, as sent
        try:
            entry = _read_one(replace(item, patients=patients))
        except Invalid as invalid:
            entry = _not_taken(bundle, invalid, item.element, item.position)
        if isinstance(entry, PatientSeen):
            _register(entry, patients)
        entries.append(entry)
    return tuple(entries)


def _not_taken(bundle: Bundle, invalid: Invalid, element: str, position: int) -> NotTaken:
    if bundle.type == "transaction":
        raise invalid
    return NotTaken(invalid, element, position)


def _item(entry: BundleEntry, element: str, position: int, zone: tzinfo) -> Item:
    if entry.request.method not in ("POST", "PUT"):
        raise Invalid(422, f"{element}.request.method", "Only POST and PUT are taken.")
    if not bytes(entry.resource):
        raise Invalid(422, f"{element}.resource", "There is no resource.")
    element = f"{element}.resource"
    kind = type_of(entry.resource, element)
    url = entry.request.url if entry.request.method == "PUT" else ""
    return Item(entry.resource, kind, element, zone, position, entry.full_url, url)


def _rank(item: Item) -> int:
    return _ORDER.index(item.type) if item.type in _ORDER else len(_ORDER)


def _register(patient: PatientSeen, patients: dict[str, str]) -> None:
    """Two patients of one name would get each other's values: not even a batch is taken then."""
    if any(name in patients for name in patient.references):
        raise Invalid(422, f"{patient.element}.id", "Another patient of this bundle has the same id or fullUrl.")
    for name in patient.references:
        patients[name] = patient.references[0]


def _read_one(item: Item) -> Entry:
    match item.type:
        case "Patient":
            return read_patient(decode(item.body, Patient, item.element), item)
        case "Encounter":
            return read_encounter(decode(item.body, Encounter, item.element), item)
        case "Observation":
            return read_observation(decode(item.body, Observation, item.element), item)
        case _:
            return Kept(item.type, item.element, item.position)
