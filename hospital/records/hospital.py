"""A hospital with its units and beds. Its row is the head of its journal."""

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.records.database import Base


class Hospital(Base):
    """`head` is the number of the last journal line, `epoch` a word that changes when a backup is put back.

    `second_factor_roles`: words of the roles that must have a second factor, between spaces.
    """

    __tablename__ = "hospital"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    epoch: Mapped[str] = mapped_column(String(16))
    head: Mapped[int] = mapped_column(default=0)
    last_hash: Mapped[str] = mapped_column(String(64), default="")
    second_factor_roles: Mapped[str] = mapped_column(String(100), default="")


class Unit(Base):
    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))


class Bed(Base):
    __tablename__ = "bed"
    __table_args__ = (UniqueConstraint("unit_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    code: Mapped[str] = mapped_column(String(40))


def find_bed(session: Session, hospital_id: int, unit_code: str, bed_code: str) -> Bed | None:
    """The bed that a sender calls `unit_code` and `bed_code` ('MED-07', or '07' within its unit); None: no such bed."""
    if not bed_code:
        return None
    query = select(Bed).join(Unit, Unit.id == Bed.unit_id).where(Bed.hospital_id == hospital_id)
    if unit_code:
        query = query.where(Unit.code == unit_code, Bed.code.in_((bed_code, f"{unit_code}-{bed_code}")))
    else:
        query = query.where(Bed.code == bed_code)
    beds = session.scalars(query.limit(2)).all()
    return beds[0] if len(beds) == 1 else None
