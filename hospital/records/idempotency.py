"""What an act's key led to: the same key gets the same outcome, and never acts twice."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hospital.records.database import Base, UtcDateTime


class Idempotency(Base):
    """Holds no content: the answer is rendered again from what it is about, as that is now.

    `about_id`: the number of the alert, or of the patient, whichever `act` is about.
    """

    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("person_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    key: Mapped[str] = mapped_column(String(100))
    act: Mapped[str] = mapped_column(String(40))
    about_id: Mapped[int]
    version: Mapped[int]
    status: Mapped[int]
    reason: Mapped[str] = mapped_column(String(60), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
