"""How this hospital writes HL7 v2.6: the segments that every message begins with, and what stands inside a field."""

from datetime import UTC, datetime

from hospital.simulator.patients import Bed, Patient

APPLICATION = "WARD_SIMULATOR"
FACILITY = "DEMO"

_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "})


def message(segments: list[str]) -> bytes:
    """Without its MLLP frame, in UTF-8; every segment ends in CR."""
    return "".join(f"{segment}\r" for segment in segments).encode()


def header(structure: str, profile: str, *, at: datetime, control_id: str) -> str:
    """MSH. `structure` as in MSH-9, `profile` as in MSH-21."""
    fields = {3: APPLICATION, 4: FACILITY, 7: time(at), 9: structure, 10: escape(control_id), 11: "P", 12: "2.6"}
    fields |= {15: "AL", 16: "NE", 18: "UNICODE UTF-8", 21: profile}
    return r"MSH|^~\&|" + segment("", {number - 2: value for number, value in fields.items()})[1:]


def whose(bed: Bed) -> list[str]:
    """PV1, and PID before it if the monitor knows who lies there."""
    visit = segment("PV1", {2: "I", 3: f"{escape(bed.unit)}^^{escape(bed.name)}"})
    return [visit] if bed.patient is None else [_identity(bed.patient), visit]


def segment(name: str, fields: dict[int, str]) -> str:
    """Fields by their HL7 number; those not named are empty."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def escape(text: str) -> str:
    """Text that may stand inside a field (HL7 v2.6, 2.7.1); line ends, which would cut the segment, become spaces."""
    return text.translate(_ESCAPES)


def time(at: datetime) -> str:
    """In UTC, to the millisecond."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y%m%d%H%M%S}.{utc.microsecond // 1000:03}+0000"


def _identity(patient: Patient) -> str:
    name = f"{escape(patient.family)}^{escape(patient.given)}^^^^^L"
    number = f"{escape(patient.number)}^^^{FACILITY}^PI"
    return segment("PID", {3: number, 5: name, 7: f"{patient.born:%Y%m%d}", 8: patient.sex})
