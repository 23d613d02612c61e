"""A hospital with its units and beds. Its row is the head of its journal."""

from sqlalchemy import ColumnElement, ForeignKey, String, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.records.database import Base


class Hospital(Base):
    """`head` is the number of the last journal line, `epoch` a word that changes when a backup is put back.

    `notices` counts each change of its notices, so that screens learn of it.
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
    notices: Mapped[int] = mapped_column(default=0)


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


class BedCode(Base):
    """A place as senders call it (`Place.label`), which somebody has bound to a bed: '7W / 07 / A' is MED-07."""

    __tablename__ = "bed_code"
    __table_args__ = (UniqueConstraint("hospital_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"))
    bed_id: Mapped[int] = mapped_column(ForeignKey("bed.id"), index=True)
    place: Mapped[str] = mapped_column(String(200))


def find_bed(session: Session, hospital_id: int, unit_code: str, bed_code: str, place: str) -> Bed | None:
    """The bed that a sender calls `unit_code` and `bed_code` ('MED-07', or '07' within its unit), or that somebody has
    bound to the whole `place`. None: no such bed, or more than one that could be meant."""
    meant: ColumnElement[bool] = Bed.id.in_(
        select(BedCode.bed_id).where(BedCode.hospital_id == hospital_id, BedCode.place == place)
    )
    if bed_code and unit_code:
        meant = or_(meant, and_(Unit.code == unit_code, Bed.code.in_((bed_code, f"{unit_code}-{bed_code}"))))
    elif bed_code:
        meant = or_(meant, Bed.code == bed_code)
    query = select(Bed).join(Unit, Unit.id == Bed.unit_id).where(Bed.hospital_id == hospital_id, meant)
    beds = session.scalars(query.limit(2)).all()
    return beds[0] if len(beds) == 1 else None
