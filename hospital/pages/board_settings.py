"""How one wall board looks and sounds: set by a charge nurse of its units, followed by the board within ten seconds."""

import re

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from hospital import records
from hospital.access.guard import for_people, me
from hospital.access.pairing import board_of
from hospital.fragments.words import gettext
from hospital.pages.forms import typed
from hospital.pages.layout import now_of, page
from hospital.pages.preferences import SOUNDS, VOLUME_WORDS
from hospital.records.preferences import VOLUMES, Letters, Sound
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("board_settings", __name__)

_LETTERS = {Letters.USUAL: N_("Usual, for 4 metres"), Letters.LARGE: N_("Large, for 5 metres")}
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_OFFERED = {"sound": [*Sound], "volume": [str(volume) for volume in VOLUMES], "letters": [*Letters]}


@blueprint.get("/boards/<int:board_id>")
@for_people(Right.PAIR_BOARDS)
def board_settings(board_id: int) -> str:
    return _page(board_id)


@blueprint.post("/boards/<int:board_id>")
@for_people(Right.PAIR_BOARDS)
def choose(board_id: int) -> Response:
    chosen = {name: request.form.get(name, "") for name in _OFFERED}
    errors = {name: gettext("Choose one of these.") for name, word in chosen.items() if word not in _OFFERED[name]}
    begins, ends = typed("night_from", "night_to")
    if not _TIME.fullmatch(begins) or not _TIME.fullmatch(ends):
        errors["night"] = gettext("Write both times as 21:00.")
    if errors:
        return make_response(_page(board_id, errors), 422)
    actor = me().actor

    def act(session: Session) -> bool:
        board = board_of(session, actor, board_id)
        if board is not None:
            board.person.preferences = board.person.preferences.but(chosen | {"night": f"{begins}–{ends}"})
        return board is not None

    if not records.write(None, act):
        raise NotFound("There is no such board in your units.")
    return make_response(redirect("/boards", 303))


def _page(board_id: int, errors: dict[str, str] | None = None) -> str:
    with records.read() as session:
        now = now_of(session, me())
        board = board_of(session, me().actor, board_id)
        if board is None or board.revoked_at is not None:
            raise NotFound("There is no such board in your units.")
        name, chosen = board.person.display_name, board.person.preferences
    return page(
        "pages/board_settings.html",
        now,
        board_id=board_id,
        name=name,
        chosen=chosen,
        night=chosen.night_hours,
        sounds=[(value, gettext(word)) for value, word in SOUNDS.items()],
        volumes=VOLUME_WORDS,
        letters=[(value, gettext(word)) for value, word in _LETTERS.items()],
        errors=errors or {},
    )
