"""Wall boards: screens that were paired, and screens that show a code and wait for it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hospital.records.database import Base, UtcDateTime
from hospital.records.person import Person


class Board(Base):
    """A paired screen. Its person has the role display, no password, and the units that it shows.

    `painted` is the cursor that it last said it shows, at `pulse_at`; `current_at`: when that was last all there was.
    `silent_since`: it has been silent or behind since then, and somebody has been told.
    """

    __tablename__ = "board"

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    paired_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    paired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    painted: Mapped[str] = mapped_column(String(40), default="")
    pulse_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    current_at: Mapped[datetime] = mapped_column(UtcDateTime)
    silent_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship(foreign_keys=person_id)
    paired_by: Mapped[Person] = relationship(foreign_keys=paired_by_id)


class Pairing(Base):
    """A screen that shows a code and waits. `code_index` is keyed, `secret_hash` is of what only that screen knows.

    `board_id`: somebody has entered the code, and the screen may come in as this board, once.
    """

    __tablename__ = "pairing"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_index: Mapped[str] = mapped_column(String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(45))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    board_id: Mapped[int | None] = mapped_column(ForeignKey("board.id"))
