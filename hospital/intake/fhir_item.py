"""One resource of a request, where it stands in it, and the times and references that it holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec

from hospital.intake.fhir_entries import Invalid
from hospital.intake.fhir_shapes import Reference

_DATE_TIME = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
_HISTORY = re.compile(r"/_history/[^/]*$")


@dataclass(frozen=True)
class Item:
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
        bare = without_version(reference)
        return self.patients.get(bare, bare)

    def time(self, written: str, element: str) -> datetime | None:
        """In UTC; a date is its first moment here. None: not sent. Raises Invalid."""
        return _time(written, f"{self.element}.{element}", self.zone) if written else None


def patient_of(subject: Reference, item: Item) -> str | None:
    """The reference of a patient; None: it is about something else, a device or a group. Raises Invalid."""
    if not subject.reference or subject.reference.startswith("#"):
        raise Invalid(422, f"{item.element}.subject", "It must refer to a patient.")
    reference = item.patient(subject.reference)
    about = re.fullmatch(r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+", reference)
    return None if about and about[1] != "Patient" else reference


def without_version(reference: str) -> str:
    """'Patient/1' of 'Patient/1/_history/2'."""
    return _HISTORY.sub("", reference)


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
