"""The tokens of senders: given, replaced with an overlap, ended, and looked up when one knocks."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from hospital import clock, records, settings
from hospital.access.tokens import new_token, token_hash
from hospital.records import Kind, Sender, SenderToken

_TOLD_EVERY = timedelta(minutes=1)  # when it was last used need not be more exact


def give(session: Session, sender: Sender, kinds: Collection[Kind], *, overlap: bool) -> str:
    """A new token, to be shown this once. The sender's others end: at once, or with `overlap` after a while."""
    token, now = new_token(), clock.now()
    _end_others(session, sender, now, overlap=overlap)
    session.add(
        SenderToken(
            sender_id=sender.id,
            token_hash=token_hash(token),
            kinds=" ".join(kind for kind in Kind if kind in kinds),
            created_at=now,
            expires_at=now + timedelta(days=settings.current.token_days),
        )
    )
    return token


def replace(session: Session, sender: Sender) -> str | None:
    """A new token that opens the same doors as the newest; the others go on for a while. None: there is none."""
    living = [token for token in sender.tokens if token.is_living(clock.now())]
    return give(session, sender, kinds_of(living[-1]), overlap=True) if living else None


def kinds_of(token: SenderToken) -> tuple[Kind, ...]:
    return tuple(Kind(kind) for kind in token.kinds.split())


def revoke_all(session: Session, sender: Sender) -> int:
    """End every living token of this sender now; how many."""
    living = [token for token in sender.tokens if token.is_living(clock.now())]
    for token in living:
        token.revoked_at = clock.now()
    return len(living)


def find_token(token: str) -> SenderToken | None:
    """The living token, with its living sender; that it is used is written down once a minute. Raises NotStored."""
    now = clock.now()
    with records.read() as session:
        query = select(SenderToken).where(SenderToken.token_hash == token_hash(token))
        found = session.scalars(query.options(joinedload(SenderToken.sender))).one_or_none()
    if found is None or not found.is_living(now) or found.sender.revoked_at is not None:
        return None
    if found.used_at is None or found.used_at <= now - _TOLD_EVERY:
        _note_use(found.id, now)
    return found


def _end_others(session: Session, sender: Sender, now: datetime, *, overlap: bool) -> None:
    living = (SenderToken.sender_id == sender.id, SenderToken.revoked_at.is_(None))
    if not overlap:
        session.execute(update(SenderToken).where(*living, SenderToken.expires_at > now).values(revoked_at=now))
        return
    end = now + timedelta(hours=settings.current.token_overlap_h)
    session.execute(update(SenderToken).where(*living, SenderToken.expires_at > end).values(expires_at=end))


def _note_use(token_id: int, now: datetime) -> None:
    stale = or_(SenderToken.used_at.is_(None), SenderToken.used_at <= now - _TOLD_EVERY)
    noted = update(SenderToken).where(SenderToken.id == token_id, stale).values(used_at=now)
    records.write(None, lambda session: session.execute(noted))
