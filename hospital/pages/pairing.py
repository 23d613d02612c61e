"""A screen that nobody has signed in at, and that wants to be a wall board: it shows a code and waits."""

from flask import Blueprint, Response, make_response, redirect, request
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from hospital import clock, records
from hospital.access import pairing, sessions, signing_in
from hospital.access.guard import at_the_door, sign_in_token
from hospital.access.traces import by_itself
from hospital.pages.layout import page
from hospital.records import audit
from hospital.records.audit import Trace

blueprint = Blueprint("pairing", __name__)

_COOKIE = "pairing"  # the screen's secret


@blueprint.get("/pair")
@at_the_door
def show_code() -> Response:
    """A new code with each loading. static/js/pair.js asks every two seconds whether it has been entered."""
    if current_user.is_authenticated:
        return make_response(redirect("/board"))
    try:
        offer = pairing.offer(request.remote_addr or "", request.cookies.get(_COOKIE, ""), clock.now())
    except pairing.TooManyCodes as too_many:
        raise TooManyRequests("Too many screens here show a code.", retry_after=too_many.in_s) from None
    half = pairing.LENGTH // 2
    response = make_response(
        page(
            "pages/pair.html",
            first=offer.code[:half],
            second=offer.code[half:],
            in_s=offer.in_s,
            csrf_token=sign_in_token(),
        )
    )
    response.set_cookie(_COOKIE, offer.secret, httponly=True, samesite="Strict", secure=request.is_secure, path="/pair")
    return response


@blueprint.post("/pair/claim")
@at_the_door
@by_itself
def claim() -> Response:
    """204: wait. 200: this screen is signed in as its board from now on. 410: the code is too old; load the page."""
    secret, now = request.cookies.get(_COOKIE, ""), clock.now()
    if pairing.is_waiting(secret, now):
        return Response(status=204)

    where = signing_in.where_from()

    def act(session: Session) -> signing_in.Entry | None:
        person = pairing.claim(session, secret, now)
        if person is None:
            return None
        entry = signing_in.open_session(session, person, where)
        trace = Trace(person.hospital_id, "sign-in", "board", 200, person_id=person.id, session_id=entry.session_id)
        audit.append(session, trace)
        return entry

    try:
        entry = records.write(None, act)
    except pairing.NoSuchCode:
        return Response(status=410)
    if entry is None:
        return Response(status=204)
    response = Response(status=200)
    response.delete_cookie(_COOKIE, path="/pair")
    sessions.give_cookie(response, entry.token, entry.role, entry.expires_at)
    return response
