"""A wall board that is silent or shows old data: a technical alert, since nobody looks twice at a wall."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.clearing import clear_alert
from hospital.alerts.technical import open_technical, raise_again, raise_technical
from hospital.records import Board
from hospital.vocabulary import Priority

SILENT = "Wall board is silent"
BEHIND = "Wall board shows old data"


def has_trouble(now: datetime) -> ColumnElement[bool]:
    """For too long it has not shown all there is, and nobody has been told. A revoked one is meant to be dark."""
    return and_(Board.revoked_at.is_(None), Board.silent_since.is_(None), Board.current_at <= _latest(now))


def is_well_again(now: datetime) -> ColumnElement[bool]:
    """Somebody has been told, and it is over: the board shows all there is, or has been revoked."""
    return and_(Board.silent_since.is_not(None), or_(Board.current_at > _latest(now), Board.revoked_at.is_not(None)))


def watch_boards(session: Session, hospital_id: int, now: datetime) -> None:
    """Raise the alert of each board in trouble, and end that of each that is well again: one open alert for each."""
    for board in session.scalars(select(Board).where(Board.hospital_id == hospital_id, has_trouble(now))):
        board.silent_since = board.current_at
        _raise(session, board, now)
    for board in session.scalars(select(Board).where(Board.hospital_id == hospital_id, is_well_again(now))):
        board.silent_since = None
        for alert in open_technical(session, _key(board)):
            clear_alert(session, alert, now)


def _raise(session: Session, board: Board, now: datetime) -> None:
    silent = board.pulse_at is None or board.pulse_at <= _latest(now)
    text = SILENT if silent else BEHIND
    if known := open_technical(session, _key(board)):  # the last time has hardly been forgotten
        raise_again(session, known[0], text, now)
        return
    unit_id, place = board.person.units[0].id, board.person.display_name
    raise_technical(
        session, board.hospital_id, unit_id, _key(board), place, text, Priority.MEDIUM, now, since=board.current_at
    )


def _key(board: Board) -> str:
    return f"board-{board.id}"


def _latest(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.current.board_silent_s)
