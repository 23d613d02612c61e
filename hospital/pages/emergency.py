"""Breaking the glass: who has no right to look here says why, and looks, for a while; everybody is told."""

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from hospital import clock, records, settings
from hospital.access import limits, rotation, sessions, traces
from hospital.access.guard import for_people, me
from hospital.alerts import emergency
from hospital.alerts.refusals import Refusal
from hospital.fragments.words import gettext
from hospital.pages.layout import home_here, now_of, page
from hospital.roles import Right

blueprint = Blueprint("emergency", __name__)


@blueprint.get("/emergency")
@for_people(Right.BREAK_GLASS)
def form() -> str:
    return _page()


@blueprint.post("/emergency")
@for_people(Right.BREAK_GLASS)
def begin() -> Response:
    """The session gets a new token at this rise of rights; the units' alerts are stored with it or nothing is."""
    person, reason = me(), " ".join(request.form.get("reason", "").split())
    limits.count("emergencies", person.actor.person_id, settings.current.glass_per_minute)

    def act(session: Session) -> str:
        now = clock.now()
        emergency.begin(session, person.actor, person.session_id, reason, now)
        return rotation.renew_at_once(session, person.session_id, now)

    try:
        token = records.write(person.actor.hospital_id, act)
    except Refusal as refusal:
        return make_response(_page(gettext(refusal.sentence), reason), refusal.status)
    traces.did("/emergency", reason)
    response = make_response(redirect("/patients", 303))
    sessions.give_cookie(response, token, person.actor.role, person.expires_at)
    return response


@blueprint.post("/emergency/end")
@for_people(Right.BREAK_GLASS)
def end() -> Response:
    session_id = me().session_id
    records.write(me().actor.hospital_id, lambda session: emergency.end(session, session_id, clock.now()))
    return make_response(redirect(home_here(), 303))


def _page(error: str = "", reason: str = "") -> str:
    with records.read() as session:
        now = now_of(session, me())
    return page("pages/emergency.html", now, error=error, reason=reason, minutes=round(settings.current.glass_min))
