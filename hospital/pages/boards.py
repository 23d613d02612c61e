"""Wall boards: a charge nurse pairs them with the code on their screen, sees when each last spoke, and revokes them."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from werkzeug.exceptions import NotFound, TooManyRequests

from hospital import clock, records, settings
from hospital.access import pairing
from hospital.access.guard import for_people, me
from hospital.access.pace import PerMinute, next_minute_s
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.words import gettext
from hospital.pages.forms import chosen
from hospital.pages.layout import Now, now_of, page
from hospital.records import Board, Person, Unit
from hospital.roles import Right

blueprint = Blueprint("boards", __name__)

_LONGEST_NAME = 60  # characters
_pace = PerMinute()


@dataclass(frozen=True)
class Row:
    """One board. `missing` None: it shows another state of the database than this one, or has not spoken yet."""

    id: int
    name: str
    units_word: str
    paired: Moment
    paired_by: str
    pulse: Moment | None
    missing: int | None
    in_trouble: bool


@blueprint.get("/boards")
@for_people(Right.PAIR_BOARDS)
def boards() -> str:
    return _page()


@blueprint.post("/boards")
@for_people(Right.PAIR_BOARDS)
def create() -> Response:
    """Pair the screen that shows this code."""
    if not _pace.takes(me().actor.person_id, settings.current.pairing_tries_per_minute):
        raise TooManyRequests("Too many codes tried. Look at the screen again.", retry_after=next_minute_s())
    actor, code, name = me().actor, request.form.get("code", ""), " ".join(request.form.get("name", "").split())
    chosen_units = chosen("unit") & actor.unit_ids
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME or not chosen_units:
        return _refuse(gettext("A board needs a name of 60 characters at most, and a unit of yours."))
    try:
        records.write(None, lambda session: pairing.pair(session, actor, code, name, chosen_units, clock.now()).id)
    except pairing.NoSuchCode:
        return _refuse(gettext("No screen shows this code now. Look again: another may stand there."))
    return make_response(redirect("/boards", 303))


@blueprint.post("/boards/<int:board_id>/revocation")
@for_people(Right.PAIR_BOARDS)
def revoke(board_id: int) -> Response:
    actor = me().actor
    if not records.write(None, lambda session: pairing.revoke(session, actor, board_id, clock.now()) is not None):
        raise NotFound("There is no such board in your units.")
    return make_response(redirect("/boards", 303))


def _refuse(sentence: str) -> Response:
    return make_response(_page(sentence), 422)


def _page(error: str = "") -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        units = session.scalars(select(Unit).where(Unit.id.in_(actor.unit_ids)).order_by(Unit.code)).all()
        rows = [_row(board, now) for board in _boards(session)]
    given = request.form if error else {}
    home = me().preferences.unit
    return page("pages/boards.html", now, boards=rows, units=units, home_unit=home, error=error, given=given)


def _boards(session: Session) -> list[Board]:
    actor = me().actor
    query = select(Board).where(Board.hospital_id == actor.hospital_id, Board.revoked_at.is_(None))
    query = query.join(Board.person).where(Person.units.any(Unit.id.in_(actor.unit_ids)))
    query = query.options(joinedload(Board.person).options(selectinload(Person.units)), joinedload(Board.paired_by))
    return list(session.scalars(query.order_by(Person.display_name, Board.id)))


def _row(board: Board, now: Now) -> Row:
    epoch, _, number = board.painted.rpartition("-")
    here, _, head = now.cursor.rpartition("-")
    return Row(
        id=board.id,
        name=board.person.display_name,
        units_word=", ".join(unit.code for unit in board.person.units),
        paired=moment(board.paired_at, now.zone, old=True),
        paired_by=board.paired_by.display_name,
        pulse=moment_or_none(board.pulse_at, now.zone),
        missing=max(0, int(head) - int(number)) if epoch == here else None,
        in_trouble=board.silent_since is not None,
    )
