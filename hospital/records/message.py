"""Every message as it came: accepted or refused, sealed, to be played again."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from hospital.records.database import Base, UtcDateTime
from hospital.records.sealed import Sealed
from hospital.records.sender import Kind

_REFUSED = text("verdict = 'refused'")


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Message(Base):
    """`hospital_id` None: nobody knows whose it is. `answer`: what we said to it.

    `address`: where it came from over MLLP; None: a token told whose it is. `digest`: keyed, of the bytes; '': an
    earlier version did not make it. `alert_ids`: what it raised, repeated or cleared.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_repeat", "sender_id", "control_id", "received_at"),
        Index("ix_message_refused", "hospital_id", "id", sqlite_where=_REFUSED, postgresql_where=_REFUSED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hospital_id: Mapped[int | None] = mapped_column(ForeignKey("hospital.id"))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("sender.id"))
    control_id: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    verdict: Mapped[Verdict]
    code: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500), default="")
    of_alarm: Mapped[bool] = mapped_column(default=False)  # readings are kept for a shorter time than alarms
    number_reused: Mapped[bool] = mapped_column(default=False)
    alert_ids: Mapped[list[int]] = mapped_column(JSON)
    answer: Mapped[str | None] = mapped_column(Sealed("message.answer"))
    raw: Mapped[str] = mapped_column(Sealed("message.raw"))
    kind: Mapped[Kind]
    address: Mapped[str | None] = mapped_column(String(45))
