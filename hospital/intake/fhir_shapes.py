"""The FHIR R4 resources, as far as we read them: unknown fields are allowed, wrong types are not."""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from hospital.intake.fhir_entries import Invalid

_SYSTEMS = ("http://loinc.org", "urn:iso:std:iso:11073:10101", "http://snomed.info/sct")
_UCUM = "http://unitsofmeasure.org"
_AT = re.compile(r" - at `\$(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")

_Text = Annotated[str, Meta(max_length=1000, pattern=r"\A[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")]
_Name = Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*\Z")]
_Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.-]{1,64}\Z")]

# A body of brackets alone would keep everybody waiting for seconds. Nothing that is meant has so many parts.
_Few = Meta(max_length=500)
_Entries = Meta(max_length=1_000)  # each may be an observation, which takes 50 µs; no other may wait for it


class Resource(Struct, frozen=True, rename="camel"):
    resource_type: _Name


class Coding(Struct, frozen=True):
    system: _Text = ""
    code: _Text = ""


class Concept(Struct, frozen=True):
    coding: Annotated[tuple[Coding, ...], _Few] = ()

    def codes(self) -> list[str]:
        return [coding.code for coding in self.coding if coding.system in _SYSTEMS]


class Identifier(Struct, frozen=True):
    use: _Name = ""
    system: _Name = ""
    value: _Name = ""
    type: Concept = Concept()


class Reference(Struct, frozen=True):
    reference: _Name = ""
    identifier: Identifier = Identifier()
    display: _Name = ""


class Period(Struct, frozen=True):
    start: _Name = ""
    end: _Name = ""


class Quantity(Struct, frozen=True):
    value: float | None = None
    comparator: _Name = ""
    unit: _Text = ""
    system: _Text = ""
    code: _Text = ""

    def units(self) -> list[str]:
        return [self.code, self.unit] if self.system in ("", _UCUM, _SYSTEMS[1]) else [self.unit or self.code]


class Component(Struct, frozen=True, rename="camel"):
    code: Concept
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    data_absent_reason: Concept | None = None


class Observation(Struct, frozen=True, rename="camel"):
    status: _Name
    code: Concept
    subject: Reference = Reference()
    effective_date_time: _Name = ""
    effective_instant: _Name = ""
    effective_period: Period = Period()
    issued: _Name = ""
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    data_absent_reason: Concept | None = None
    component: Annotated[tuple[Component, ...], _Few] = ()


class HumanName(Struct, frozen=True):
    use: _Name = ""
    text: _Name = ""
    family: _Name = ""
    given: Annotated[tuple[_Name, ...], _Few] = ()


class Patient(Struct, frozen=True, rename="camel"):
    id: _Id | None = None
    identifier: Annotated[tuple[Identifier, ...], _Few] = ()
    name: Annotated[tuple[HumanName, ...], _Few] = ()
    birth_date: _Name = ""
    gender: _Name = ""


class Stay(Struct, frozen=True, rename="camel"):
    location: Reference
    status: _Name = ""
    physical_type: Concept = Concept()
    period: Period = Period()


class Encounter(Struct, frozen=True):
    status: _Name
    subject: Reference = Reference()
    period: Period = Period()
    location: Annotated[tuple[Stay, ...], _Few] = ()


class Request(Struct, frozen=True):
    method: _Name = "POST"
    url: _Name = ""


class BundleEntry(Struct, frozen=True, rename="camel"):
    full_url: _Name = ""
    resource: msgspec.Raw = msgspec.Raw()
    request: Request = Request()


class Bundle(Struct, frozen=True):
    type: _Name
    entry: Annotated[tuple[BundleEntry, ...], _Entries] = ()


_T = TypeVar("_T")


def type_of(body: bytes | msgspec.Raw, element: str) -> str:
    return decode(body, Resource, element).resource_type


def decode(body: bytes | msgspec.Raw, kind: type[_T], element: str) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), kind is Resource, element) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(400, element, "This is not JSON in UTF-8.") from None


def _invalid(error: str, is_head: bool, element: str) -> Invalid:
    """msgspec's own words name types, bounds and fields of ours, never a value."""
    where = _AT.search(error)
    missing = _MISSING.match(error)
    path = element + (where[1] if where else "") + (f".{missing[1]}" if missing else "")
    return Invalid(400 if is_head else 422, path.lstrip("."), _AT.sub("", error) + ".")
