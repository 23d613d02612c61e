"""Is what was written still what is there? Journal and audit, line by line, against their heads and the anchors.

Names the first line of a chain that is not as it was written: changed, removed, put elsewhere, or missing at the end.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.records import audit, journal
from hospital.records.alert import Note
from hospital.records.anchoring import Anchor
from hospital.records.audit import NOBODYS, AuditHead, AuditLine
from hospital.records.database import read
from hospital.records.hospital import Hospital
from hospital.records.journal import JournalLine
from hospital.records.key_register import digest_keys
from hospital.records.sealed import CannotOpen, is_digest
from hospital.vocabulary import Happening

_AT_ONCE = 1_000  # lines in memory

TextFits = Callable[[Any], bool]


@dataclass(frozen=True)
class Verdict:
    """What was found of one chain. `broken` '': it is whole; else a sentence that names its first line which is not."""

    hospital: str
    chain: str
    lines: int
    broken: str


@dataclass(frozen=True)
class _Chain:
    """`query` gives lines and what their text_fits needs; `end`: number and hash of the head; `pins`: the anchors'."""

    hospital: str
    name: str
    query: Any
    hash_of: Callable[[str, Any], str]
    text_fits: TextFits
    end: tuple[int, str]
    pins: list[tuple[int, str, str]]


def verify(anchors: list[Anchor]) -> Iterator[Verdict]:
    """Both chains of each hospital, and the audit of nobody's (''), as they were at one moment."""
    with read() as session:
        if session.get_bind().dialect.name == "postgresql":  # SQLite's sessions see one moment anyway
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        keys = digest_keys(session)
        for hospital in session.scalars(select(Hospital).order_by(Hospital.id)).all():
            mine = [anchor for anchor in anchors if anchor.hospital == hospital.code]
            yield _walk(session, _journal(session, hospital, mine, keys))
            yield _walk(session, _audit(session, hospital.id, hospital.code, mine, keys))
        yield _walk(session, _audit(session, NOBODYS, "", [one for one in anchors if one.hospital == ""], keys))


def _journal(session: Session, hospital: Hospital, anchors: list[Anchor], keys: list[bytes]) -> _Chain:
    def text_fits(row: Any) -> bool:
        line: JournalLine = row[0]
        if line.happening is not Happening.NOTED or line.text_digest is None:
            return True
        note = select(Note.text).where(Note.alert_id == line.alert_id, Note.number == line.number)
        return _fits(lambda: session.scalar(note), line.text_digest, keys)

    query = select(JournalLine).where(JournalLine.hospital_id == hospital.id)
    pins = [(*anchor.journal, anchor.at) for anchor in anchors]
    end = (hospital.head, hospital.last_hash)
    return _Chain(hospital.code, "journal", query, journal.line_hash, text_fits, end, pins)


def _audit(session: Session, hospital_id: int, code: str, anchors: list[Anchor], keys: list[bytes]) -> _Chain:
    def text_fits(row: Any) -> bool:
        line, sealed_detail = row
        return _fits(lambda: audit.open_detail(sealed_detail), line.detail_digest, keys)

    query = audit.with_sealed_detail().where(AuditLine.hospital_id == hospital_id)
    head = session.get(AuditHead, hospital_id)
    end = (head.number, head.hash) if head else (0, "")
    pins = [(*anchor.audit, anchor.at) for anchor in anchors]
    return _Chain(code, "audit", query, audit.line_hash, text_fits, end, pins)


def _fits(read_text: Callable[[], str | None], digest: str | None, keys: list[bytes]) -> bool:
    try:
        text = read_text()
    except CannotOpen:
        return False
    return (text is None) == (digest is None) and (digest is None or is_digest(text or "", digest, keys))


def _walk(session: Session, chain: _Chain) -> Verdict:
    before, number = "", 0
    for found, row in _rows(session, chain.query):
        wrong = _wrong(chain, number + 1, found, row, before)
        if wrong:
            return Verdict(chain.hospital, chain.name, number, wrong)
        before, number = row[0].hash, found
    return Verdict(chain.hospital, chain.name, number, _wrong_end(chain, number, before))


def _wrong(chain: _Chain, number: int, found: int, row: Any, before: str) -> str:
    if found != number:
        return f"line {number} is missing"
    if row is None or row[0].hash != chain.hash_of(before, row[0]):
        return f"line {number} is not what was written"
    if not chain.text_fits(row):
        return f"the text of line {number} is not what was written"
    for at in (at for pinned, hash_then, at in chain.pins if pinned == number and hash_then != row[0].hash):
        return f"line {number}, or one before it, was written anew: the anchor of {at} knows it otherwise"
    return ""


def _wrong_end(chain: _Chain, number: int, last_hash: str) -> str:
    seen, _, at = max(chain.pins, default=(0, "", ""))
    if number < seen:
        return f"line {number + 1} is missing: the chain ends at {number}, the anchor of {at} has seen {seen}"
    if number < chain.end[0]:
        return f"line {number + 1} is missing: the chain ends at {number}, its head says {chain.end[0]}"
    if (number, last_hash) != chain.end:
        return f"line {number} is not the last that was written: the head says {chain.end[0]}"
    return ""


def _rows(session: Session, query: Any) -> Iterator[tuple[int, Any]]:
    """Number and row, in order. None: what stands in this line cannot even be read."""
    numbers, last = query.selected_columns["number"], 0
    while rows := _page(session, query, query.where(numbers > last).order_by(numbers).limit(_AT_ONCE)):
        yield from rows
        session.expunge_all()
        last = rows[-1][0]


def _page(session: Session, query: Any, page: Any) -> list[tuple[int, Any]]:
    try:
        return [(row[0].number, row) for row in session.execute(page)]
    except (LookupError, ValueError, TypeError):  # no such word, no JSON, no time: one of these lines was changed
        column = query.selected_columns["number"]
        found: Iterable[int] = session.scalars(page.with_only_columns(column)).all()
        return [(number, _one(session, query.where(column == number))) for number in found]


def _one(session: Session, query: Any) -> Any:
    try:
        return session.execute(query).one()
    except (LookupError, ValueError, TypeError):
        return None
