"""The audit as people read it: staff by name, units by code, and as CSV. No patient is named: only ids of things."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hospital import clock
from hospital.records import audit
from hospital.records.audit import AuditLine
from hospital.records.hospital import Unit
from hospital.records.person import Person
from hospital.records.sealed import CannotOpen
from hospital.records.sender import Sender
from hospital.records.spreadsheet import csv_line

COLUMNS = ("number", "at", "person", "session", "act", "object", "outcome", "units", "address", "reason")
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Row:
    """One line of the audit; '' where there is nothing to say. `reason`: why it was done, or what was changed."""

    number: int
    at: datetime
    person: str
    session: str
    act: str
    object: str
    outcome: str
    units: str
    address: str
    reason: str


def rows(session: Session, hospital_id: int, query: Select[AuditLine, bytes]) -> Iterator[Row]:
    """Of this hospital alone, whatever `query` (audit.with_sealed_detail()) says."""
    names = _Names(session, hospital_id)
    found = session.execute(query.where(AuditLine.hospital_id == hospital_id).execution_options(yield_per=_AT_ONCE))
    for line, sealed_detail in found:
        detail = _detail(sealed_detail)
        yield Row(
            number=line.number,
            at=line.at,
            person=names.people.get(line.person_id) or names.senders.get(line.sender_id) or "",
            session=str(line.session_id or ""),
            act=line.act,
            object=line.object,
            outcome=str(line.outcome or ""),
            units=", ".join(names.units.get(unit, unit) for unit in line.scope.split(",") if unit),
            address=detail.get("address", ""),
            reason=detail.get("reason") or detail.get("change", ""),
        )


def csv_lines(session: Session, hospital_id: int, query: Select[AuditLine, bytes]) -> Iterator[str]:
    """Oldest first, with a head line."""
    yield csv_line(COLUMNS)
    for row in rows(session, hospital_id, query.order_by(AuditLine.number)):
        told = [clock.iso(row.at) if name == "at" else str(getattr(row, name)) for name in COLUMNS]
        yield csv_line(told)


class _Names:
    """What ids mean in one hospital."""

    def __init__(self, session: Session, hospital_id: int) -> None:
        def named(id: Any, name: Any) -> dict[Any, str]:
            query = select(id, name).where(id.class_.hospital_id == hospital_id)
            return {row[0]: row[1] for row in session.execute(query)}

        self.people = named(Person.id, Person.display_name)
        self.senders = named(Sender.id, Sender.name)
        self.units = {str(id): code for id, code in named(Unit.id, Unit.code).items()} | {"none": "unassigned"}


def _detail(sealed_detail: bytes | None) -> dict[str, str]:
    try:
        text = audit.open_detail(sealed_detail)
    except CannotOpen:
        return {"reason": "(changed: run audit verify)"}
    return json.loads(text) if text else {}
