"""The audit: who came in, who looked at what, who administered, who was refused. One chain for each hospital.

Like the journal, a hospital's lines have no gap in their numbers, each carries the hash of the one before, and the last
hash lies in a head row: one of its own, because the journal's numbers are the stream's cursors. Lines hold ids and
codes. What may say more (the address, a reason that somebody gave) is sealed and bound in by a digest.

Hospital 0 is nobody's: those who did not sign in.
"""

import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import gevent
import gevent.event
from gevent.lock import BoundedSemaphore
from sqlalchemy import Index, LargeBinary, Select, String, select, text, type_coerce
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from hospital import clock
from hospital.records.database import Base, UtcDateTime, write
from hospital.records.sealed import Sealed, keyed_digest

NOBODYS = 0
_PAUSE_S = 0.02  # alone, nobody waits; of two hundred looks a second four are written together


@dataclass(frozen=True)
class Trace:
    """What to remember. `object`: 'alert:7', 'patient:3' or a page; `scope`: the units whose things were shown.

    `outcome`: the HTTP status, 0 for a command. `detail`: JSON, sealed.
    """

    hospital_id: int
    act: str
    object: str
    outcome: int = 0
    person_id: int | None = None
    sender_id: int | None = None
    session_id: int | None = None
    scope: str = ""
    detail: str | None = None


class AuditLine(Base):
    __tablename__ = "audit_line"
    __table_args__ = (
        Index("ix_audit_line_at", "hospital_id", "at"),
        Index("ix_audit_line_person", "hospital_id", "person_id", "number"),
        Index("ix_audit_line_object", "hospital_id", "object", "number"),
    )

    hospital_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[int]
    person_id: Mapped[int | None]
    sender_id: Mapped[int | None]
    session_id: Mapped[int | None]
    scope: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str | None] = mapped_column(Sealed("audit_line.detail"))
    detail_digest: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last line of a hospital's audit."""

    __tablename__ = "audit_head"

    hospital_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(eq=False)
class _Together:
    """Traces of one hospital that are written down by one act: most of what a line costs is what its act costs."""

    traces: list[Trace] = field(default_factory=list)
    done: gevent.event.AsyncResult = field(default_factory=gevent.event.AsyncResult)


@dataclass(eq=False)
class _Pen:
    """Of one hospital: one act at a time, and none right after the one before."""

    free: BoundedSemaphore = field(default_factory=BoundedSemaphore)
    used_at: float = 0.0


_collected: dict[int, _Together] = {}  # of each hospital, while those before them are being written
_pens: defaultdict[int, _Pen] = defaultdict(_Pen)


def leave(trace: Trace) -> None:
    """Write it down, and wait until it is committed. Raises NotStored."""
    together = _collected.get(trace.hospital_id)
    if together is None:
        together = _collected[trace.hospital_id] = _Together()
        gevent.spawn(_store, trace.hospital_id, together)
    together.traces.append(trace)
    together.done.get()


def _store(hospital_id: int, together: _Together) -> None:
    pen = _pens[hospital_id]
    with pen.free:
        gevent.sleep(max(0.0, pen.used_at + _PAUSE_S - time.monotonic()))
        pen.used_at = time.monotonic()
        del _collected[hospital_id]
        try:
            write(hospital_id or None, lambda session: append(session, *together.traces))
        except Exception as error:  # raised by leave(), in whoever waits there
            together.done.set_exception(error)
        else:
            together.done.set()


def append(session: Session, *traces: Trace) -> None:
    """Write them as the next lines of their one hospital, in an act of `records.write()`: what they tell of is stored
    with them."""
    head = _head(session, traces[0].hospital_id)
    for trace in traces:
        line = _line(head, trace)
        head.number, head.hash = line.number, line.hash
        session.add(line)
    session.flush()


def _line(head: AuditHead, trace: Trace) -> AuditLine:
    """The one that comes next."""
    line = AuditLine(
        hospital_id=trace.hospital_id,
        number=head.number + 1,
        at=clock.now(),
        act=trace.act,
        object=trace.object[:200],
        outcome=trace.outcome,
        person_id=trace.person_id,
        sender_id=trace.sender_id,
        session_id=trace.session_id,
        scope=trace.scope[:200],
        detail=trace.detail,
        detail_digest=keyed_digest(trace.detail) if trace.detail is not None else None,
    )
    line.hash = line_hash(head.hash, line)
    return line


def line_hash(hash_before: str, line: AuditLine) -> str:
    """SHA-256 over the hash of the line before and everything that this line says."""
    says = [
        hash_before,
        line.hospital_id,
        line.number,
        clock.iso(line.at),
        line.act,
        line.object,
        line.outcome,
        line.person_id,
        line.sender_id,
        line.session_id,
        line.scope,
        line.detail_digest,
    ]
    return hashlib.sha256(json.dumps(says, separators=(",", ":")).encode()).hexdigest()


def with_sealed_detail() -> Select[AuditLine, bytes]:
    """Lines, each with its detail still sealed: one that somebody has changed must not hide the others."""
    sealed_detail = type_coerce(AuditLine.detail, LargeBinary)
    return select(AuditLine, sealed_detail).options(defer(AuditLine.detail))


def open_detail(sealed_detail: bytes | None) -> str | None:
    """Raises CannotOpen."""
    return Sealed("audit_line.detail").open(bytes(sealed_detail)) if sealed_detail is not None else None


def _head(session: Session, hospital_id: int) -> AuditHead:
    """Locked until the commit, so that numbers come in the order of commits."""
    query = select(AuditHead).where(AuditHead.hospital_id == hospital_id).with_for_update()
    head = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if head is not None:
        return head
    first = text("INSERT INTO audit_head (hospital_id, number, hash) VALUES (:id, 0, '') ON CONFLICT DO NOTHING")
    session.execute(first, {"id": hospital_id})
    return session.scalars(query).one()
