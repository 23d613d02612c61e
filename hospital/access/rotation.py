"""A session's token is replaced while it is used, so that a stolen one is soon worth nothing and gives its thief away.

In two steps, since an answer may be lost on the way: a new token is *given* with an answer, and *taken up* when it
first comes back. Until then the old one is as good as ever; for a while after that it still is, because other tabs and
requests under way have it. Later only a thief can have it, or the one it was stolen from: that ends the session.
"""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, or_, update
from sqlalchemy.orm import Session

from hospital import meters, records, settings
from hospital.access.tokens import new_token, token_hash
from hospital.records import Ended, PersonSession

log = logging.getLogger(__name__)


def is_due(row: Any, now: datetime) -> bool:
    """The token has been used for long enough, or what its person may do has changed since."""
    if row.next_at is not None and now - row.next_at < _overlap():
        return False  # one has been given just now: it is on its way
    changed_since: bool = row.changed_at > row.rotated_at
    return changed_since or now - row.rotated_at >= timedelta(seconds=settings.current.session_rotate_s)


def give_next(session_id: int, token: str, now: datetime) -> str | None:
    """A new token to send along, for who came with `token`; None: another request was first, or it cannot be stored."""
    given = new_token()
    query = update(PersonSession).where(
        PersonSession.id == session_id,
        PersonSession.token_hash == token_hash(token),
        PersonSession.ended_at.is_(None),
        or_(PersonSession.next_at.is_(None), PersonSession.next_at <= now - _overlap()),
    )
    with suppress(records.NotStored):
        if _write(query.values(next_hash=token_hash(given), next_at=now)):
            return given
    return None


def take_up(row: Any, now: datetime) -> None:
    """The next token has come back: it is the token from now on."""
    query = update(PersonSession).where(PersonSession.id == row.id, PersonSession.next_hash == row.next_hash)
    with suppress(records.NotStored):  # then it is taken up at the next request
        _write(
            query.values(
                token_hash=row.next_hash,
                previous_hash=row.token_hash,
                rotated_at=now,
                next_hash=None,
                next_at=None,
            )
        )


def is_stale(row: Any, presented_hash: str, now: datetime) -> bool:
    """Whether this is a token that was replaced too long ago for any honest browser to send it."""
    rotated_at: datetime = row.rotated_at
    return presented_hash == row.previous_hash and now - rotated_at > _overlap()


def end_reused(row: Any, now: datetime) -> None:
    """Two have tokens of this session, and one of them is no friend: nobody goes on with it."""
    meters.count("session_tokens_reused_total")
    log.warning("session %s has ended: a token of it was used that had been replaced", row.id)
    query = update(PersonSession).where(PersonSession.id == row.id, PersonSession.ended_at.is_(None))
    with suppress(records.NotStored):
        _write(query.values(ended_at=now, ended_why=Ended.REUSED))


def renew_at_once(session: Session, session_id: int, now: datetime) -> str:
    """For a rise of rights: a new token, and the old one is worth nothing from this moment on."""
    token = new_token()
    fresh = {"token_hash": token_hash(token), "next_hash": None, "next_at": None, "previous_hash": None}
    session.execute(update(PersonSession).where(PersonSession.id == session_id).values(rotated_at=now, **fresh))
    return token


def _overlap() -> timedelta:
    return timedelta(seconds=settings.current.session_overlap_s)


def _write(query: Any) -> bool:
    """Whether a row was changed."""
    return bool(records.write(None, lambda session: cast(CursorResult[Any], session.execute(query)).rowcount))
