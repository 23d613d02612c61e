"""POST /live/pulse: a wall board says what it has painted. static/js/pulse.js, every ten seconds."""

import msgspec
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound

from hospital import clock, records
from hospital.access import pulse
from hospital.access.guard import for_people, me
from hospital.access.traces import by_itself
from hospital.roles import Right

blueprint = Blueprint("pulse", __name__)

_MOST_BYTES = 200


class Painted(msgspec.Struct, forbid_unknown_fields=True):
    """`cursor`: everything up to it stands on the screen."""

    cursor: str


@blueprint.post("/live/pulse")
@for_people(Right.SEE_ALERTS)
@by_itself
def take() -> Response:
    """How the board is to look and sound. Whether it is behind is for hospital/access/pulse.py to judge."""
    person_id = me().actor.person_id
    request.max_content_length = _MOST_BYTES  # also of what comes in pieces, without a length
    try:
        painted = msgspec.json.decode(request.get_data(), type=Painted).cursor
        is_board = records.write(None, lambda session: pulse.take_pulse(session, person_id, painted, clock.now()))
    except (msgspec.MsgspecError, UnicodeDecodeError, pulse.NotACursor):
        raise BadRequest('A pulse is JSON with a cursor: {"cursor": "<epoch>-<number>"}.') from None
    if not is_board:
        raise NotFound("This screen is not paired as a wall board.")
    wished = me().preferences
    return jsonify(
        sound=wished.sound,
        volume=wished.volume,
        night="–".join(wished.night_hours),
        letters=wished.letters,
    )
