"""People, the units they work in, their signed-in sessions, and what guards their sign-in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital import clock
from hospital.records.database import Base, UtcDateTime
from hospital.records.hospital import Unit
from hospital.records.preferences import Kept, Preferences
from hospital.records.sealed import Sealed
from hospital.roles import Role

person_unit = Table(
    "person_unit",
    Base.metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
)


class Person(Base):
    """`changed_at` moves whenever role, units or `active` change: open streams look at it.

    A display has no password: '' opens for nobody. `totp_step`: the last 30-second step whose code was taken, which is
    never taken again; None: a secret that may lie there has not been confirmed yet and is not asked for.
    `one_time_until`: until then a password that somebody else gave opens; None: they have chosen one of their own.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    name: Mapped[str] = mapped_column(String(100), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role]
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(Sealed("person.totp_secret"))
    totp_step: Mapped[int | None]
    one_time_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    preferences: Mapped[Preferences] = mapped_column(Kept, default=Preferences)
    units: Mapped[list[Unit]] = relationship(secondary=person_unit, order_by=Unit.code)


class RecoveryCode(Base):
    """Stands in for the second factor, once."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Ended(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed-out"
    IDLE = "idle"
    EXPIRED = "expired"
    BY_HAND = "by-hand"  # in the list of one's sessions, or by an administrator
    PASSWORD = "password"  # noqa: S105 (the password was changed elsewhere)
    REUSED = "reused"  # a token that had been replaced was used again: two have it


class PersonSession(Base):
    """One sign-in. The cookie holds the token, the row only hashes; `ended_at` ends its streams too.

    A token is replaced in two steps, so that an answer that is lost signs nobody out: `next_hash` has been given at
    `next_at` and becomes `token_hash` when it is first used; `previous_hash` is taken for a while after that.
    `seen_at`: when a person last did something. `complete`: False while the second factor is awaited.
    `emergency_until`: until then its person sees all units of the hospital (records/emergency.py); None: the own ones.
    """

    __tablename__ = "person_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    next_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    previous_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    rotated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    complete: Mapped[bool] = mapped_column(default=True)
    address: Mapped[str] = mapped_column(String(45), default="")
    browser: Mapped[str] = mapped_column(String(60), default="")
    ended_why: Mapped[Ended | None]
    emergency_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()


class SignInDelay(Base):
    """Wrong tries of one account, device or address (`key` is a hash of which), and from when on the next is taken."""

    __tablename__ = "sign_in_delay"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
