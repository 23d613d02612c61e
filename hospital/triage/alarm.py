"""An alarm as its sender told it, before anybody decided what it means."""

from dataclasses import dataclass
from datetime import date, datetime

from hospital.vocabulary import AlertKind, Priority


@dataclass(frozen=True)
class Place:
    """Where the sender says it is (PV1-3): unit, room, bed; any of them may be empty."""

    unit: str
    room: str
    bed: str

    @classmethod
    def read(cls, text: str) -> "Place":
        """'MED^^MED-03', as PV1-3; what follows the bed is not used."""
        unit, room, bed, *_ = [part.strip() for part in text.split("^")] + ["", ""]
        return cls(unit, room, bed)

    @property
    def label(self) -> str:
        """'HO Surgery / OR / 1'; a dash for what was not sent."""
        return " / ".join(part or "–" for part in (self.unit, self.room, self.bed))

    @classmethod
    def of_label(cls, label: str) -> "Place | None":
        """What a label was made of; None: that cannot be told, since a part has the sign that parts it."""
        parts = ["" if part == "–" else part for part in label.split(" / ")]
        return cls(*parts) if len(parts) == 3 else None

    @property
    def code(self) -> str:
        """'7W^07^A', as its sender writes it."""
        return "^".join((self.unit, self.room, self.bed)).rstrip("^")

    @property
    def known(self) -> bool:
        return bool(self.unit or self.room or self.bed)


@dataclass(frozen=True)
class Subject:
    """Whom the sender says it is about (PID). `authority` None: the sender did not say who gave the number."""

    identifier: str
    authority: str | None
    name: str
    birth_date: date | None
    sex: str


@dataclass(frozen=True)
class Alarm:
    """One alarm message. `priority` None: not sent. Limits and value are the sender's, in `unit`.

    `condition`: what our own rules call the same thing ('spo2-low'); None where they have no word for it.
    """

    alert_id: str
    event_code: int | None
    source_code: int | None
    text: str
    kind: AlertKind
    priority: Priority | None
    phase: str | None
    state: str | None
    value: str | None
    unit: str | None
    low: float | None
    high: float | None
    observed_at: datetime | None
    condition: str | None = None
