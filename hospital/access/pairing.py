"""Pairing a wall board: the screen shows a short code, a charge nurse enters it, the screen comes in as a display.

The code lies here as a keyed index, and lets nobody in: the session goes to the screen that holds the secret made with
the code. Both are good once, and for a few minutes.
"""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hospital import records, settings
from hospital.access.tokens import new_token, token_hash
from hospital.records import Board, Ended, Pairing, Person, PersonSession, Unit
from hospital.records.sealed import blind
from hospital.roles import Actor, Role

LETTERS = "ACDEFGHJKLMNPQRTVWXY34679"  # none that looks like another: no 0 O, 1 I, 2 Z, 5 S, 8 B, U V
LENGTH = 8
_NO_PASSWORD = "!"  # noqa: S105 (no hash: it fits no password)


@dataclass(frozen=True)
class Offer:
    """`code` is for the wall, `secret` for that screen alone; both end `in_s` seconds."""

    code: str
    secret: str
    in_s: int


class TooManyCodes(Exception):
    """From this address, as many screens show a code as may; the first of them ends `in_s` seconds."""

    def __init__(self, in_s: int) -> None:
        super().__init__()
        self.in_s = in_s


class NoSuchCode(Exception):
    """Never shown, too old, or used already: they look the same."""


def offer(address: str, secret_before: str, now: datetime) -> Offer:
    """A code for a screen; the one that it showed before is good no more. Raises TooManyCodes, NotStored."""
    made = Offer("".join(secrets.choice(LETTERS) for _ in range(LENGTH)), new_token(), int(settings.current.pairing_s))

    def act(session: Session) -> None:
        session.execute(delete(Pairing).where(Pairing.secret_hash == token_hash(secret_before)))
        living = select(Pairing.expires_at).where(Pairing.address == address, Pairing.expires_at > now)
        ends = session.scalars(living.order_by(Pairing.expires_at)).all()
        if len(ends) >= settings.current.pairing_codes_per_address:
            raise TooManyCodes(math.ceil((ends[0] - now).total_seconds()))
        pairing = Pairing(code_index=_index(made.code), secret_hash=token_hash(made.secret), address=address)
        pairing.expires_at = now + timedelta(seconds=made.in_s)
        session.add(pairing)

    records.write(None, act)
    return made


def pair(session: Session, actor: Actor, code: str, name: str, unit_ids: frozenset[int], now: datetime) -> Board:
    """Make the screen that shows this code a board of these units, which are the actor's own. Raises NoSuchCode."""
    waiting = select(Pairing).where(
        Pairing.code_index == _index(code), Pairing.expires_at > now, Pairing.board_id.is_(None)
    )
    pairing = session.scalar(waiting.with_for_update())
    if pairing is None:
        raise NoSuchCode
    person = Person(hospital_id=actor.hospital_id, name=f"board-{secrets.token_hex(8)}", display_name=name)
    person.role, person.password_hash, person.active, person.changed_at = Role.DISPLAY, _NO_PASSWORD, True, now
    person.units = list(session.scalars(select(Unit).where(Unit.id.in_(unit_ids & actor.unit_ids))))
    board = Board(hospital_id=actor.hospital_id, person=person, paired_by_id=actor.person_id, paired_at=now)
    board.current_at = now
    session.add(board)
    session.flush()
    pairing.board_id = board.id
    return board


def claim(session: Session, secret: str, now: datetime) -> Person | None:
    """The board's person for the screen that waits; None: it waits on. Raises NoSuchCode."""
    pairing = session.scalar(
        select(Pairing).where(Pairing.secret_hash == token_hash(secret), Pairing.expires_at > now).with_for_update()
    )
    if pairing is None:
        raise NoSuchCode
    if pairing.board_id is None:
        return None
    session.delete(pairing)
    return session.get_one(Board, pairing.board_id).person


def is_waiting(secret: str, now: datetime) -> bool:
    """Whether nobody has entered the code yet: asked every two seconds, and so without writing."""
    with records.read() as session:
        query = select(Pairing.id).where(Pairing.secret_hash == token_hash(secret), Pairing.expires_at > now)
        return session.scalar(query.where(Pairing.board_id.is_(None))) is not None


def revoke(session: Session, actor: Actor, board_id: int, now: datetime) -> Board | None:
    """The board goes dark within one beat; None: there is no such board in the actor's units."""
    board = board_of(session, actor, board_id)
    if board is not None and board.revoked_at is None:
        board.revoked_at = board.person.changed_at = now
        board.person.active = False
        theirs = update(PersonSession).where(PersonSession.person_id == board.person_id)
        session.execute(theirs.where(PersonSession.ended_at.is_(None)).values(ended_at=now, ended_why=Ended.BY_HAND))
    return board


def board_of(session: Session, actor: Actor, board_id: int) -> Board | None:
    """None: there is no such board in the actor's units."""
    board = session.get(Board, board_id)
    if board is None or board.hospital_id != actor.hospital_id:
        return None
    return board if actor.unit_ids & {unit.id for unit in board.person.units} else None


def _index(code: str) -> str:
    return blind("pairing", "".join(letter for letter in code.upper() if letter.isalnum()))
