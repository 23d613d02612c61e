"""Anchors: where both chains of each hospital stood, each hour, signed, in a file outside the database.

Whoever can write to the database could cut a chain's tail, or make all its hashes anew: that fits together, but not to
the anchors. Their key comes from the ring, which the database does not hold. The newest anchor proves all that was
there before it; what came after it is proved by the next.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock
from hospital.records import sealed
from hospital.records.audit import AuditHead
from hospital.records.database import read
from hospital.records.hospital import Hospital

_file: Path | None = None


@dataclass(frozen=True)
class Anchor:
    """`journal` and `audit`: number and hash of the last line. `proved` None: its key has left the ring."""

    line: int
    at: str
    hospital: str
    journal: tuple[int, str]
    audit: tuple[int, str]
    proved: bool | None


def use_file(path: Path) -> None:
    """Where anchors are added from now on."""
    global _file
    _file = path


def anchor() -> None:
    """Add where each hospital's chains stand now. Raises OSError."""
    assert _file is not None
    with read() as session:
        said = _where_they_stand(session)
    lines = [f"{json.dumps(words | {'mac': _mac(words, words['key'])})}\n" for words in said]
    gevent.get_hub().threadpool.apply(_add, (_file, "".join(lines)))  # the file may lie behind a slow network


def anchors() -> list[Anchor]:
    """All of the file, oldest first; none if there is no file. What is no anchor counts as one that is not proved."""
    if _file is None or not _file.exists():
        return []
    return [_read(number, line) for number, line in enumerate(_file.read_text().splitlines(), 1)]


def _add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _where_they_stand(session: Session) -> list[dict[str, Any]]:
    """The audit of nobody's hospital has the code ''."""
    heads = {head.hospital_id: (head.number, head.hash) for head in session.scalars(select(AuditHead))}
    rows = session.execute(select(Hospital.id, Hospital.code, Hospital.epoch, Hospital.head, Hospital.last_hash)).all()
    stand = [(id, code, epoch, (head, last_hash)) for id, code, epoch, head, last_hash in rows]
    return [
        {
            "at": clock.iso(clock.now()),
            "hospital": code,
            "epoch": epoch,
            "journal": journal,
            "audit": heads.get(hospital_id, (0, "")),
            "key": sealed.current(),
        }
        for hospital_id, code, epoch, journal in [*stand, (0, "", "", (0, ""))]
    ]


def _read(number: int, line: str) -> Anchor:
    try:
        words = json.loads(line)
        mac = str(words.pop("mac"))
        (journal, journal_hash), (audit, audit_hash) = words["journal"], words["audit"]
        proved = hmac.compare_digest(_mac(words, words["key"]), mac) if words["key"] in sealed.ring() else None
        at, hospital = str(words["at"]), str(words["hospital"])
        return Anchor(number, at, hospital, (int(journal), journal_hash), (int(audit), audit_hash), proved)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Anchor(number, "", "", (0, ""), (0, ""), False)


def _mac(words: dict[str, Any], key: int) -> str:
    said = json.dumps(words, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(sealed.ring()[key].anchor, said, hashlib.sha256).hexdigest()
