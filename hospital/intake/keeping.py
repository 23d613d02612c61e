"""A message as it is kept: sealed, with a keyed digest, whatever door it came through."""

from typing import Any

from hospital import clock, records
from hospital.intake.senders import KnownSender
from hospital.records import Kind
from hospital.records.sealed import keyed_digest


def kept(raw: bytes, kind: Kind, known: KnownSender | None, **told: Any) -> records.Message:
    """A row that is not stored yet. `told`: what is already known of its fate."""
    text = raw.decode("latin-1")
    nothing = {"control_id": "", "reason": "", "number_reused": False, "alert_ids": []}
    return records.Message(
        hospital_id=known.hospital_id if known else None,
        sender_id=known.id if known else None,
        kind=kind,
        digest=keyed_digest(text),
        received_at=clock.now(),
        raw=text,
        **nothing | told,
    )
