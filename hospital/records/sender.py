"""Who sends to us: gateways and programs, what they are bound to, and their tokens."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Float, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital.records.database import Base, UtcDateTime
from hospital.records.hospital import Unit

sender_unit = Table(
    "sender_unit",
    Base.metadata,
    Column("sender_id", ForeignKey("sender.id"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
)


class Kind(StrEnum):
    """In which form something was handed in; a token opens some of these doors."""

    HL7 = "hl7"
    FHIR = "fhir"
    ALERTS = "alerts"


class Sender(Base):
    """A gateway, known by MSH-3 and MSH-4 (both None: it does not speak MLLP) or by its tokens.

    `addresses`: networks, with spaces between, from which it may speak MLLP; '': this machine alone. No `units`: it may
    speak for every unit of its hospital. `authority` stands in for a missing PID-3.4. `heard_at` and `clock_off_s` (its
    clock less ours) are written once a minute at most. `over_at`: when it was last over its limit, `told_over`: whether
    an alert says so.
    """

    __tablename__ = "sender"
    __table_args__ = (UniqueConstraint("application", "facility"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    name: Mapped[str] = mapped_column(String(420))  # "application / facility" where nobody gave it a better one
    application: Mapped[str | None] = mapped_column(String(200))
    facility: Mapped[str | None] = mapped_column(String(200))
    authority: Mapped[str] = mapped_column(String(420))
    training: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    addresses: Mapped[str] = mapped_column(String(1000), default="")
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clock_off_s: Mapped[float | None] = mapped_column(Float(53))
    over_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_over: Mapped[bool] = mapped_column(default=False)
    units: Mapped[list[Unit]] = relationship(secondary=sender_unit, order_by=Unit.code)
    tokens: Mapped[list["SenderToken"]] = relationship(order_by="SenderToken.id", back_populates="sender")


class SenderToken(Base):
    """Opens the doors of HTTP that `kinds` names (words with spaces between), for its sender. Only its hash is kept.

    `used_at` is written once a minute at most. `revoked_at`: somebody ended it before its time.
    """

    __tablename__ = "sender_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("sender.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kinds: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sender: Mapped[Sender] = relationship(back_populates="tokens")

    def is_living(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now
