"""Who is sending: by MSH-3 and MSH-4 over MLLP, by a token over HTTP."""

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hospital import clock, records, settings
from hospital.access.tokens import token_hash
from hospital.records import Hospital, Sender

DEMO_HOSPITAL = "demo"
_REMEMBERED_S = 5.0  # a gateway sends many messages a second, and hardly ever becomes another

_remembered: dict[tuple[int, str, str], tuple["KnownSender | None", float]] = {}


@dataclass(frozen=True)
class KnownSender:
    """`zone` is its hospital's: times that name none are read in it."""

    id: int
    hospital_id: int
    zone: ZoneInfo


def by_header(application: str, facility: str) -> KnownSender | None:
    """The sender that calls itself so; None: nobody knows it. With demo hospitals an unknown one is bound to `demo`."""
    key = (records.generation(), application, facility)
    known, until = _remembered.get(key, (None, 0.0))
    if known is not None and time.monotonic() < until:
        return known
    known = _find(select(Sender).where(Sender.application == application, Sender.facility == facility))
    if known is not None:
        _remembered[key] = (known, time.monotonic() + _REMEMBERED_S)
    if known is None and settings.current.demo:
        records.write(None, lambda session: _bind(session, application, facility))
        return by_header(application, facility)
    return known


def by_token(token: str) -> KnownSender | None:
    return _find(select(Sender).where(Sender.token_hash == token_hash(token)))


def _find(query: Select[Sender]) -> KnownSender | None:
    with records.read() as session:
        row = session.execute(
            query.join(Hospital, Hospital.id == Sender.hospital_id).with_only_columns(
                Sender.id, Sender.hospital_id, Hospital.timezone
            )
        ).one_or_none()
    return KnownSender(row[0], row[1], ZoneInfo(row[2])) if row else None


def _bind(session: Session, application: str, facility: str) -> None:
    there = select(Sender.id).where(Sender.application == application, Sender.facility == facility)
    if session.scalar(there) is not None:  # another connection was first
        return
    demo = session.scalars(select(Hospital).where(Hospital.code == DEMO_HOSPITAL)).one()
    name = " / ".join(part for part in (application, facility) if part) or "unnamed sender"
    session.add(
        Sender(
            hospital_id=demo.id,
            name=name,
            application=application,
            facility=facility,
            authority=name,
            created_at=clock.now(),
        )
    )
