"""The journal's chain of hashes, written down apart from hospital/records/journal.py.

Another program must be able to check it with SHA-256 and JSON alone.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC

from hospital.records import JournalLine


def chained_hash(before: str, line: JournalLine) -> str:
    """The hash of a line that follows the line with the hash `before` ('' before the first)."""
    at = line.at.astimezone(UTC)
    says = [
        before,
        line.hospital_id,
        line.number,
        at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}Z",
        line.happening.value,
        line.alert_id,
        line.person_id,
        line.unit_before,
        line.unit_after,
        {name: line.facts[name] for name in sorted(line.facts)},
        line.text_digest,
    ]
    return hashlib.sha256(json.dumps(says, separators=(",", ":")).encode()).hexdigest()


def first_break(lines: Iterable[JournalLine], last_hash: str) -> int | None:
    """The number of the first line whose hash is not that of what it says; 0: the head's; None: all is well."""
    before = ""
    for line in lines:
        if line.hash != chained_hash(before, line):
            return line.number
        before = line.hash
    return None if last_hash == before else 0
