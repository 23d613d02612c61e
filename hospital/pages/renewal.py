"""What an open page asks from time to time, so that a token is renewed though its page only listens."""

from flask import Blueprint, Response, jsonify

from hospital import clock, settings
from hospital.access.guard import for_people, me
from hospital.access.sessions import RENEWAL
from hospital.access.traces import by_itself

blueprint = Blueprint("renewal", __name__)


@blueprint.post(RENEWAL)
@by_itself
@for_people()
def renew() -> Response:
    """Until when the sign-in lasts. `active=1`: somebody has used a pointer or a key since the page last told."""
    person = me()
    return jsonify(
        idle_at=clock.iso(person.idle_at) if person.idle_at else None,
        expires_at=clock.iso(person.expires_at),
        renew_s=settings.current.session_rotate_s / 3,
    )
