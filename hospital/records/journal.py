"""The journal: event log, outbox and history in one. A line's number is the stream's cursor.

Numbers of a hospital have no gap and come in commit order, because whoever appends holds the hospital's head row until
its commit. Each line carries the hash of the one before. It holds ids and codes only; free text is bound in by a keyed
digest. `unit_before` and `unit_after` (None: unassigned) let a screen learn that a thing has left its scope.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import clock
from hospital.records.alert import Alert
from hospital.records.database import Base, UtcDateTime, ring_after
from hospital.records.hospital import Hospital
from hospital.records.sealed import keyed_digest
from hospital.vocabulary import Happening


class JournalLine(Base):
    """`facts` are the alert's codes after the line, so that the journal replays to the alert's state."""

    __tablename__ = "journal"

    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    happening: Mapped[Happening]
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    unit_before: Mapped[int | None]
    unit_after: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    text_digest: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


def append(
    session: Session,
    alert: Alert,
    happening: Happening,
    *,
    at: datetime,
    by: int | None = None,
    free_text: str | None = None,
    was_unassigned: bool = False,
) -> JournalLine:
    """Write what has just been done to `alert` as the next line and make its number the alert's version.

    Called once by each act, after it has changed the alert. `by` is a person's id; None: the system or a sender.
    `was_unassigned`: the act has given it the unit that it has now.
    """
    alert.happening, alert.changed_at, alert.changed_by_id = happening, at, by
    if alert in session.new:  # its number is told by the line
        session.flush()
    with session.no_autoflush:  # what the act has changed is written once, with its version
        query = select(Hospital.head, Hospital.last_hash).where(Hospital.id == alert.hospital_id)
        head, last_hash = session.execute(query).one()
    line = JournalLine(
        hospital_id=alert.hospital_id,
        number=head + 1,
        at=at,
        happening=happening,
        alert_id=alert.id,
        person_id=by,
        unit_before=None if was_unassigned else alert.unit_id,
        unit_after=alert.unit_id,
        facts=_facts(alert),
        text_digest=keyed_digest(free_text) if free_text is not None else None,
    )
    line.hash = line_hash(last_hash, line)
    session.add(line)
    alert.version = line.number
    session.flush()
    _move_head(session, line)
    ring_after(session)
    return line


def line_hash(hash_before: str, line: JournalLine) -> str:
    """SHA-256 over the hash of the line before and everything that this line says."""
    says = [
        hash_before,
        line.hospital_id,
        line.number,
        clock.iso(line.at),
        line.happening,
        line.alert_id,
        line.person_id,
        line.unit_before,
        line.unit_after,
        line.facts,
        line.text_digest,
    ]
    return hashlib.sha256(json.dumps(says, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def cursor(epoch: str, number: int) -> str:
    return f"{epoch}-{number}"


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "state": str(alert.state),
        "priority": str(alert.priority),
        "condition": str(alert.condition),
        "step": alert.step,
        "owner": alert.owner_id,
        "value": alert.value,
    }


def _move_head(session: Session, line: JournalLine) -> None:
    session.execute(
        update(Hospital)
        .where(Hospital.id == line.hospital_id)
        .values(head=line.number, last_hash=line.hash)
        .execution_options(synchronize_session=False)
    )
