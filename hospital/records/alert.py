"""An alert as it stands, who has acknowledged it, and the notes on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital.records.database import Base, UtcDateTime
from hospital.records.hospital import Bed, Unit
from hospital.records.patient import Patient
from hospital.records.person import Person
from hospital.records.sealed import Sealed
from hospital.records.sender import Sender
from hospital.vocabulary import HIGHEST_STEP, AlertKind, Condition, Happening, Priority, State

_UNRESOLVED = text("state <> 'resolved'")


class Alert(Base):
    """`version` is the number of its last journal line. `unit_id` None: unassigned, for the charge nurses.

    `sender_id` None: raised by our own rules. `condition_key` ('spo2-low'): one open alert for each of a patient.
    `course`: [seconds since 1970, value] of its vital sign, one a minute, until it was raised or changed
    (None: by an earlier version).
    `place` is what the sender wrote in PV1-3. `escalate_at` and `expires_at` are due columns: None means never.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_unresolved", "hospital_id", "unit_id", sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED),
        Index("ix_alert_sender_alert_id", "sender_id", "sender_alert_id"),
        Index("ix_alert_condition", "patient_id", "condition_key"),
        Index("ix_alert_raised", "hospital_id", "raised_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    bed_id: Mapped[int | None] = mapped_column(ForeignKey("bed.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("sender.id"))
    sender_alert_id: Mapped[str] = mapped_column(String(200))
    condition_key: Mapped[str | None] = mapped_column(String(40))
    place: Mapped[str] = mapped_column(String(200))

    kind: Mapped[AlertKind]
    priority: Mapped[Priority]
    priority_sent: Mapped[bool]
    event_code: Mapped[int | None]
    source_code: Mapped[int | None]
    text: Mapped[str] = mapped_column(Sealed("alert.text"))
    value: Mapped[str | None] = mapped_column(String(40))
    value_unit: Mapped[str | None] = mapped_column(String(40))
    low: Mapped[float | None] = mapped_column(Float(53))
    high: Mapped[float | None] = mapped_column(Float(53))
    advice: Mapped[str] = mapped_column(String(500), default="")
    register_conflict: Mapped[bool]
    training: Mapped[bool]

    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    repeats: Mapped[int] = mapped_column(default=0)

    state: Mapped[State]
    condition: Mapped[Condition]
    step: Mapped[int] = mapped_column(default=0)
    escalate_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    owned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    version: Mapped[int] = mapped_column(default=0)
    happening: Mapped[Happening]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    course: Mapped[list[Any] | None] = mapped_column(JSON, default=list)

    unit: Mapped[Unit | None] = relationship()
    bed: Mapped[Bed | None] = relationship()
    patient: Mapped[Patient | None] = relationship()
    sender: Mapped[Sender | None] = relationship()
    owner: Mapped[Person | None] = relationship(foreign_keys=owner_id)
    changed_by: Mapped[Person | None] = relationship(foreign_keys=changed_by_id)

    @property
    def last_step(self) -> int:
        """How far it can climb. An unassigned alert ends with the charge nurse: nobody above sees it."""
        return 1 if self.unit_id is None else HIGHEST_STEP


class Acknowledgement(Base):
    """Someone has an alert from `since` until `until` (None: still)."""

    __tablename__ = "acknowledgement"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Note(Base):
    """`number` is the journal line that it was written with."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Sealed("note.text"))
