"""What reading a FHIR request gives: patients, encounters and observations seen, and what is not taken."""

from dataclasses import dataclass
from datetime import datetime

from hospital.intake.codes import Why
from hospital.triage.alarm import Place, Subject
from hospital.triage.observation import ObservationSet


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
