"""Readings, patients and their beds as FHIR R4 tells them: Observation, Patient, Encounter, and Bundles of them.

Unknown fields are allowed, wrong types are not. Whether the subject is known needs the database: the caller asks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from hospital import clock
from hospital.intake import codes
from hospital.intake.codes import Aspect, Measure, Why
from hospital.triage.alarm import Place, Subject
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Vital

# Taken without a person's confirmation: preliminary. The rest of FHIR's statuses hold no reading to rely on.
_VERIFIED = {"final": True, "amended": True, "corrected": True, "preliminary": False}
_NOT_TAKEN = ("registered", "cancelled", "entered-in-error", "unknown")
_THERE = ("arrived", "triaged", "in-progress", "onleave")
_NOT_THERE = ("planned", "cancelled", "entered-in-error", "unknown")
_NOT_YET = ("planned", "reserved", "completed")  # or no longer: of Encounter.location
_SYSTEMS = ("http://loinc.org", "urn:iso:std:iso:11073:10101", "http://snomed.info/sct")
_UCUM = "http://unitsofmeasure.org"
_ORDER = ("Patient", "Encounter", "Observation")

_DATE_TIME = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
_HISTORY = re.compile(r"/_history/[^/]*$")
_AT = re.compile(r" - at `\$(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")


class Invalid(Exception):
    """What is not taken. `status`: 400 (it is no FHIR) or 422. `expression`: the element, as FHIRPath, or ''.

    `diagnostics` may be shown and sent: it never holds what was sent.
    """

    def __init__(self, status: int, expression: str, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.status = status
        self.expression = expression
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class PatientSeen:
    """`references`: every name by which others may refer to this patient, 'Patient/<id>' first if it has an id.

    References to it in the same bundle are told as the first of them. Empty: it has neither id nor fullUrl.
    """

    references: tuple[str, ...]
    subject: Subject
    element: str = "Patient"
    position: int = 0


@dataclass(frozen=True)
class EncounterSeen:
    """`patient`: a reference. `place` None: it tells no bed. `left` None: still there. `since` None: not told.

    Histories hold encounters of long ago: one that ended before the present stay began ends nothing.
    """

    patient: str
    place: Place | None
    left: datetime | None
    element: str = "Encounter"
    position: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class ObservationSeen:
    """`patient`: a reference. `observed` None: no reading. `skipped`: why, for each value that was not taken."""

    patient: str
    observed: ObservationSet | None
    skipped: tuple[Why, ...] = ()
    element: str = "Observation"
    position: int = 0


@dataclass(frozen=True)
class Kept:
    """A resource that nothing is done with."""

    resource_type: str
    element: str
    position: int = 0


@dataclass(frozen=True)
class NotTaken:
    """One entry of a batch: the others are taken all the same. (In a transaction it is Invalid for all.)"""

    invalid: Invalid
    element: str
    position: int = 0


Entry = PatientSeen | EncounterSeen | ObservationSeen | Kept | NotTaken


# ---- The resources, as far as we read them ---------------------------------------------------------------------------

_Text = Annotated[str, Meta(max_length=1000, pattern=r"\A[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")]
_Name = Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
_Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.-]{1,64}\Z")]


class _Resource(Struct, frozen=True, rename="camel"):
    resource_type: _Name


class _Coding(Struct, frozen=True):
    system: _Text = ""
    code: _Text = ""


class _Concept(Struct, frozen=True):
    coding: tuple[_Coding, ...] = ()

    def codes(self) -> list[str]:
        return [coding.code for coding in self.coding if coding.system in _SYSTEMS]


class _Identifier(Struct, frozen=True):
    use: _Name = ""
    system: _Name = ""
    value: _Name = ""
    type: _Concept = _Concept()


class _Reference(Struct, frozen=True):
    reference: _Name = ""
    identifier: _Identifier = _Identifier()
    display: _Name = ""


class _Period(Struct, frozen=True):
    start: _Name = ""
    end: _Name = ""


class _Quantity(Struct, frozen=True):
    value: float | None = None
    comparator: _Name = ""
    unit: _Text = ""
    system: _Text = ""
    code: _Text = ""

    def units(self) -> list[str]:
        return [self.code, self.unit] if self.system in ("", _UCUM, _SYSTEMS[1]) else [self.unit or self.code]


class _Component(Struct, frozen=True, rename="camel"):
    code: _Concept
    value_quantity: _Quantity | None = None
    value_codeable_concept: _Concept | None = None
    data_absent_reason: _Concept | None = None


class _Observation(Struct, frozen=True, rename="camel"):
    status: _Name
    code: _Concept
    subject: _Reference = _Reference()
    effective_date_time: _Name = ""
    effective_instant: _Name = ""
    effective_period: _Period = _Period()
    issued: _Name = ""
    value_quantity: _Quantity | None = None
    value_codeable_concept: _Concept | None = None
    data_absent_reason: _Concept | None = None
    component: tuple[_Component, ...] = ()


class _HumanName(Struct, frozen=True):
    use: _Name = ""
    text: _Name = ""
    family: _Name = ""
    given: tuple[_Name, ...] = ()


class _Patient(Struct, frozen=True, rename="camel"):
    id: _Id | None = None
    identifier: tuple[_Identifier, ...] = ()
    name: tuple[_HumanName, ...] = ()
    birth_date: _Name = ""
    gender: _Name = ""


class _Stay(Struct, frozen=True, rename="camel"):
    location: _Reference
    status: _Name = ""
    physical_type: _Concept = _Concept()
    period: _Period = _Period()


class _Encounter(Struct, frozen=True):
    status: _Name
    subject: _Reference = _Reference()
    period: _Period = _Period()
    location: tuple[_Stay, ...] = ()


class _Request(Struct, frozen=True):
    method: _Name = "POST"
    url: _Name = ""


class _BundleEntry(Struct, frozen=True, rename="camel"):
    full_url: _Name = ""
    resource: msgspec.Raw = msgspec.Raw()
    request: _Request = _Request()


class _Bundle(Struct, frozen=True):
    type: _Name
    entry: tuple[_BundleEntry, ...] = ()


# ---- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Item:
    """One resource, where it stands, and by what names the patients of its bundle are known."""

    body: bytes | msgspec.Raw
    type: str
    element: str
    zone: tzinfo
    position: int = 0
    full_url: str = ""
    url: str = ""
    patients: Mapping[str, str] = field(default_factory=dict)

    def patient(self, reference: str) -> str:
        bare = _HISTORY.sub("", reference)
        return self.patients.get(bare, bare)

    def time(self, written: str, element: str) -> datetime | None:
        """In UTC; a date is its first moment here. None: not sent. Raises Invalid."""
        return _time(written, f"{self.element}.{element}", self.zone) if written else None


def read(body: bytes, zone: tzinfo = UTC) -> tuple[Entry, ...]:
    """What a request holds: patients first, then encounters, then observations, then the rest. Raises Invalid only.

    `zone`: the hospital's, for dates that have no time. `position` says where in the bundle each entry stood.
    """
    resource_type = _type_of(body, "")
    if resource_type != "Bundle":
        return (_read_one(_Item(body, resource_type, resource_type, zone)),)
    bundle = _decode(body, _Bundle, "Bundle")
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


def _read_bundle(bundle: _Bundle, zone: tzinfo) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    items: list[_Item] = []
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


def _not_taken(bundle: _Bundle, invalid: Invalid, element: str, position: int) -> NotTaken:
    if bundle.type == "transaction":
        raise invalid
    return NotTaken(invalid, element, position)


def _item(entry: _BundleEntry, element: str, position: int, zone: tzinfo) -> _Item:
    if entry.request.method not in ("POST", "PUT"):
        raise Invalid(422, f"{element}.request.method", "Only POST and PUT are taken.")
    if not bytes(entry.resource):
        raise Invalid(422, f"{element}.resource", "There is no resource.")
    element = f"{element}.resource"
    kind = _type_of(entry.resource, element)
    url = entry.request.url if entry.request.method == "PUT" else ""
    return _Item(entry.resource, kind, element, zone, position, entry.full_url, url)


def _rank(item: _Item) -> int:
    return _ORDER.index(item.type) if item.type in _ORDER else len(_ORDER)


def _register(patient: PatientSeen, patients: dict[str, str]) -> None:
    """Two patients of one name would get each other's values: not even a batch is taken then."""
    if any(name in patients for name in patient.references):
        raise Invalid(422, f"{patient.element}.id", "Another patient of this bundle has the same id or fullUrl.")
    for name in patient.references:
        patients[name] = patient.references[0]


def _read_one(item: _Item) -> Entry:
    match item.type:
        case "Patient":
            return _read_patient(_decode(item.body, _Patient, item.element), item)
        case "Encounter":
            return _read_encounter(_decode(item.body, _Encounter, item.element), item)
        case "Observation":
            return _read_observation(_decode(item.body, _Observation, item.element), item)
        case _:
            return Kept(item.type, item.element, item.position)


_T = TypeVar("_T")


def _type_of(body: bytes | msgspec.Raw, element: str) -> str:
    return _decode(body, _Resource, element).resource_type


def _decode(body: bytes | msgspec.Raw, kind: type[_T], element: str) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), kind is _Resource, element) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(400, element, "This is not JSON in UTF-8.") from None


def _invalid(error: str, is_head: bool, element: str) -> Invalid:
    """msgspec's own words name types, bounds and fields of ours, never a value."""
    where = _AT.search(error)
    missing = _MISSING.match(error)
    path = element + (where[1] if where else "") + (f".{missing[1]}" if missing else "")
    return Invalid(400 if is_head else 422, path.lstrip("."), _AT.sub("", error) + ".")


# ---- A patient -------------------------------------------------------------------------------------------------------


def _read_patient(patient: _Patient, item: _Item) -> PatientSeen:
    own = f"Patient/{patient.id}" if patient.id else ""
    names = dict.fromkeys(_HISTORY.sub("", name) for name in (own, item.full_url, item.url) if name)
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


def _identifier(patient: _Patient) -> _Identifier | None:
    """The medical record number (v2 table 0203: MR) if there is one, else the first, else the resource's id."""
    sent = [one for one in patient.identifier if one.value and one.use != "old"]
    record_numbers = [one for one in sent if any(coding.code == "MR" for coding in one.type.coding)]
    own = [_Identifier(value=patient.id)] if patient.id else []
    return next(iter(record_numbers + sent + own), None)


def _name(names: tuple[_HumanName, ...]) -> str:
    """'Hon, Albert', as from HL7 v2: the official name, else the first that is not an old one."""
    current = [name for name in names if name.use not in ("old", "maiden")]
    chosen = next((name for name in current if name.use == "official"), next(iter(current), _HumanName()))
    return ", ".join(part for part in (chosen.family, *chosen.given[:1]) if part) or chosen.text


def _birth_date(written: str, item: _Item) -> date | None:
    if not written or re.fullmatch(r"[0-9]{4}(-[0-9]{2})?", written):
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise Invalid(422, f"{item.element}.birthDate", "This is not a date.")


# ---- An encounter ----------------------------------------------------------------------------------------------------


def _read_encounter(encounter: _Encounter, item: _Item) -> EncounterSeen | Kept:
    if encounter.status not in (*_THERE, *_NOT_THERE, "finished"):
        raise Invalid(422, f"{item.element}.status", "This is not a status of an encounter.")
    patient = _patient(encounter.subject, item)
    if encounter.status in _NOT_THERE or patient is None:
        return Kept("Encounter", item.element, item.position)
    left, since = _left(encounter, item), item.time(encounter.period.start, "period.start")
    return EncounterSeen(patient, _place(encounter.location), left, item.element, item.position, since)


def _left(encounter: _Encounter, item: _Item) -> datetime | None:
    """An end in the future is a plan; who is finished without an end has left by now."""
    end = item.time(encounter.period.end, "period.end")
    if encounter.status == "finished":
        return end or clock.now()
    return end if end and end <= clock.now() else None


def _place(stays: tuple[_Stay, ...]) -> Place | None:
    """Where the patient is now: the bed (physicalType `bd`) if one is told, else the last place."""
    current = [stay for stay in stays if stay.status not in _NOT_YET and not stay.period.end]
    beds = [stay for stay in current if any(coding.code == "bd" for coding in stay.physical_type.coding)]
    place = _place_of((beds or current)[-1].location) if current else None
    return place if place and place.known else None


def _place_of(location: _Reference) -> Place:
    """'MED^^MED-03' (as PV1-3) in the identifier or the display, else 'Location/MED-03', else either as the bed."""
    for text in (location.identifier.value, location.display):
        if "^" in text:
            unit, room, bed, *_ = [part.strip() for part in text.split("^")] + [""]
            return Place(unit, room, bed)
    kind, _, name = _HISTORY.sub("", location.reference).rpartition("/")
    if kind.rpartition("/")[2] == "Location":
        return Place("", "", name)
    return Place("", "", location.identifier.value or location.display)


# ---- An observation --------------------------------------------------------------------------------------------------


def _read_observation(observation: _Observation, item: _Item) -> ObservationSeen | Kept:
    if observation.status not in (*_VERIFIED, *_NOT_TAKEN):
        raise Invalid(422, f"{item.element}.status", "This is not a status of an observation.")
    patient = _patient(observation.subject, item)
    if patient is None:
        return Kept("Observation", item.element, item.position)
    at = _observed_at(observation, item)
    seen = _Seen(at, _VERIFIED.get(observation.status))
    seen.take(observation)
    return ObservationSeen(patient, seen.as_set(), tuple(seen.skipped), item.element, item.position)


def _patient(subject: _Reference, item: _Item) -> str | None:
    """The reference of a patient; None: it is about something else, a device or a group. Raises Invalid."""
    if not subject.reference or subject.reference.startswith("#"):
        raise Invalid(422, f"{item.element}.subject", "It must refer to a patient.")
    reference = item.patient(subject.reference)
    about = re.fullmatch(r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+", reference)
    return None if about and about[1] != "Patient" else reference


def _observed_at(observation: _Observation, item: _Item) -> datetime | None:
    written = (
        ("effectiveDateTime", observation.effective_date_time),
        ("effectiveInstant", observation.effective_instant),
        ("effectivePeriod.end", observation.effective_period.end),
        ("effectivePeriod.start", observation.effective_period.start),
        ("issued", observation.issued),
    )
    times = [item.time(text, element) for element, text in written]
    return next((time for time in times if time), None)


class _Seen:
    """What one observation holds, its own value and its components'; of the same thing twice, the last."""

    def __init__(self, at: datetime | None, verified: bool | None) -> None:
        self.skipped: list[Why] = []
        self._at = at
        self._verified = verified
        self._measured: dict[Measure, float] = {}
        self._oxygen: dict[Aspect, bool] = {}
        self._consciousness: Consciousness | None = None

    def take(self, observation: _Observation) -> None:
        panel = not codes.PANELS.isdisjoint(observation.code.codes())
        if self._verified is None:
            self.skipped.append(Why.STATUS)
        elif not panel and codes.observable(observation.code.codes()) is None:
            self.skipped.append(Why.UNKNOWN)
        elif self._at is None:
            self.skipped.append(Why.NO_TIME)
        else:
            whys = [self._take_one(one) for one in _parts(observation, panel)]
            self.skipped += [why for why in whys if why]
            if not whys:
                self.skipped.append(Why.NO_VALUE)  # only references to other observations

    def as_set(self) -> ObservationSet | None:
        on_oxygen = any(self._oxygen.values()) if self._oxygen else None
        if self._at is None or not (self._measured or self._consciousness or self._oxygen):
            return None
        at, verified = self._at, bool(self._verified)
        measured = tuple(Measured(*what, value, at, verified) for what, value in self._measured.items())
        return ObservationSet(at, measured, self._consciousness, on_oxygen)

    def _take_one(self, one: _Observation | _Component) -> Why | None:
        what = codes.observable(one.code.codes())
        if what is None:
            return Why.UNKNOWN
        if one.data_absent_reason is not None:
            return Why.NO_VALUE
        if what is Aspect.CONSCIOUSNESS:
            return self._take_answer(one.value_codeable_concept)
        value = _value(what.vital if isinstance(what, Measure) else what, one.value_quantity)
        if isinstance(value, Why):
            return value
        if isinstance(what, Measure):
            self._measured[what] = value
        else:
            self._oxygen[what] = codes.on_oxygen(what, value)
        return None

    def _take_answer(self, concept: _Concept | None) -> Why | None:
        answer = codes.consciousness(concept.codes()) if concept else None
        self._consciousness = answer or self._consciousness
        return None if answer else Why.UNKNOWN if concept else Why.NO_VALUE


def _parts(observation: _Observation, panel: bool) -> Iterator[_Observation | _Component]:
    """A panel has no value of its own."""
    if not panel:
        yield observation
    yield from observation.component


def _value(what: Vital | Aspect, quantity: _Quantity | None) -> float | Why:
    if quantity is None or quantity.value is None:
        return Why.NO_VALUE
    if quantity.comparator:  # "less than 50" is no 50
        return Why.NO_NUMBER
    return codes.canonical(what, quantity.value, quantity.units())


def _time(written: str, element: str, zone: tzinfo) -> datetime:
    found = _DATE_TIME.fullmatch(written)
    try:
        if found:
            year, month, day, hour, minute, second, fraction, offset = found.groups()
            second = "59" if second == "60" else second  # a leap second, which datetime does not have
            local = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
                             int(second or 0), int(f"{fraction or 0:0<6}"[:6]), _zone(offset) or zone)  # fmt: skip
            return local.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(422, element, "This is not a date, nor a time with its zone.")


def _zone(offset: str | None) -> tzinfo | None:
    if offset is None or offset == "Z":
        return UTC if offset else None
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    return timezone(-ahead if offset[0] == "-" else ahead)
