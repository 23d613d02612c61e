"""Notices: what somebody tells a hospital, a unit or a role, and who has read it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital.records.database import Base, UtcDateTime
from hospital.records.person import Person
from hospital.records.sealed import Sealed
from hospital.roles import Role


class Notice(Base):
    """For all who are in `unit_id` and have the `role`; None: in every unit, of every role.

    It stands until `until`, or until it is withdrawn, which sets that to now.
    """

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[Role | None]
    text: Mapped[str] = mapped_column(Sealed("notice.text"))
    on_boards: Mapped[bool]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)

    by: Mapped[Person] = relationship()


class NoticeReading(Base):
    __tablename__ = "notice_reading"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
