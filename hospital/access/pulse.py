"""A wall board says what it shows. Whether that is all there is, is judged here, when it says so."""

import re
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.records import Board, Hospital, JournalLine

_CURSOR = re.compile(r"([0-9a-zA-Z]{1,16})-([0-9]{1,18})")
_BEHIND_BEATS = 3  # each beat brings a screen's cursor up to date


class NotACursor(Exception):
    """What a board says it shows cannot be."""


def take_pulse(session: Session, person_id: int, painted: str, now: datetime) -> bool:
    """Note the cursor that this board has painted; False: this person is no board. Raises NotACursor."""
    found = _CURSOR.fullmatch(painted)
    if found is None:
        raise NotACursor
    board = session.scalar(select(Board).where(Board.person_id == person_id, Board.revoked_at.is_(None)))
    if board is None:
        return False
    board.painted, board.pulse_at = painted, now
    if _is_current(session, board.hospital_id, found[1], int(found[2]), now):
        board.current_at = now
    return True


def _is_current(session: Session, hospital_id: int, epoch: str, number: int, now: datetime) -> bool:
    """Whether nothing that the board has not painted is older than a few beats."""
    hospital = session.get_one(Hospital, hospital_id)
    if epoch != hospital.epoch or number > hospital.head:
        return False
    oldest = select(JournalLine.at).where(JournalLine.hospital_id == hospital_id, JournalLine.number == number + 1)
    unpainted_at = session.scalar(oldest)
    return unpainted_at is None or unpainted_at > now - timedelta(seconds=_BEHIND_BEATS * settings.current.beat_s)
