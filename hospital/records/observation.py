"""Vital signs: one row for each observation set, and what is known of each patient now. No journal lines."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital import clock
from hospital.records.database import Base, UtcDateTime
from hospital.records.hospital import Bed, Unit
from hospital.records.patient import Patient
from hospital.records.person import Person

MOVES_KEPT = timedelta(minutes=5)  # longer than any screen goes without its page


class Observation(Base):
    """What was observed at one moment, in the units of triage/observation.py. None: not observed.

    `measured` holds each value with its source; the columns hold the best source of each vital sign, for trends.
    """

    __tablename__ = "observation"
    __table_args__ = (Index("ix_observation_trend", "patient_id", "observed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("sender.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    hr: Mapped[float | None]
    rr: Mapped[float | None]
    spo2: Mapped[float | None]
    sbp: Mapped[float | None]
    dbp: Mapped[float | None]
    map: Mapped[float | None]
    temp: Mapped[float | None]
    consciousness: Mapped[str | None] = mapped_column(String(1))
    on_oxygen: Mapped[bool | None]
    measured: Mapped[list[Any]] = mapped_column(JSON)


class Monitoring(Base):
    """A patient as known now: where, the newest value of each vital sign, the score, and how old all that is.

    `version` counts its changes. `silent_since`: the readings have stopped, and somebody has been told.
    `monitored`: a device has sent readings, so their end means something.
    `unit_id` None: from a place that the hospital does not know, for the charge nurses.
    `units_left`: [unit_id, when] of the last moves, so that screens of those units can be told, whoever tells them.
    """

    __tablename__ = "monitoring"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True, autoincrement=False)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    bed_id: Mapped[int | None] = mapped_column(ForeignKey("bed.id"))
    place: Mapped[str] = mapped_column(String(200))
    latest: Mapped[dict[str, Any]] = mapped_column(JSON)
    watches: Mapped[dict[str, Any]] = mapped_column(JSON)
    spo2_scale: Mapped[int] = mapped_column(default=1)
    scale_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    scale_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    observed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    observe_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    monitored: Mapped[bool] = mapped_column(default=False)
    silent_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clock_off_s: Mapped[float] = mapped_column(default=0.0)
    version: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    units_left: Mapped[list[Any]] = mapped_column(JSON, default=list)

    patient: Mapped[Patient] = relationship()
    unit: Mapped[Unit | None] = relationship()
    bed: Mapped[Bed | None] = relationship()
    scale_by: Mapped[Person | None] = relationship()

    def move_to(self, unit_id: int | None, at: datetime) -> None:
        """It is in this unit from now on, wherever it was before."""
        if unit_id != self.unit_id:
            recent = [left for left in self.units_left if datetime.fromisoformat(left[1]) > at - MOVES_KEPT]
            self.units_left = [*recent, [self.unit_id, clock.iso(at)]]
            self.unit_id = unit_id

    @property
    def moved_at(self) -> datetime | None:
        return datetime.fromisoformat(self.units_left[-1][1]) if self.units_left else None

    def left_since(self, moment: datetime) -> frozenset[int | None]:
        """The units that it has left since then; it may be back in one of them."""
        return frozenset(unit_id for unit_id, at in self.units_left if datetime.fromisoformat(at) > moment)


class UnitLimit(Base):
    """A limit as a unit has set it; a unit without rows uses the defaults of triage/limits.py."""

    __tablename__ = "unit_limit"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str] = mapped_column(String(40))
    vital: Mapped[str] = mapped_column(String(10))
    low: Mapped[float | None]
    high: Mapped[float | None]
    priority: Mapped[str] = mapped_column(String(10))
    delay_s: Mapped[float]
    hysteresis: Mapped[float]
