"""Sign in, with a second factor where there is one; sign out."""

from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from hospital import clock, meters, records, settings
from hospital.access import delays, devices, second_factor, sessions, signing_in, traces
from hospital.access.guard import at_the_door, for_people, me, sign_in_token
from hospital.access.passwords import LONGEST
from hospital.access.sessions import SignedIn, Step
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, home_of, page
from hospital.records import Ended, Hospital, Person
from hospital.roles import Role, absolute_limit
from hospital.vocabulary import N_, SIMULATED

blueprint = Blueprint("sign_in", __name__)

_WHY_ENDED = {
    Ended.IDLE: N_("Nobody had used this sign-in for a while, so it has ended."),
    Ended.EXPIRED: N_("This sign-in has reached its end."),
    Ended.BY_HAND: N_("This sign-in was ended from another place."),
    Ended.PASSWORD: N_("The password was changed, so this sign-in has ended."),
    Ended.REUSED: N_(
        "This sign-in was used in two places at once, so it has ended. If that was not you, tell your administrator."
    ),
}


@blueprint.get("/sign-in")
@at_the_door
def form() -> str | Response:
    if current_user.is_authenticated and current_user.missing is not Step.CODE:
        return make_response(redirect(_goal(current_user.actor.role)))
    why = sessions.why_ended()
    return _form(_goal(), gettext(_WHY_ENDED[why]) if why in _WHY_ENDED else "")


@blueprint.post("/sign-in")
@at_the_door
def sign_in() -> Response:
    name, password = (request.form.get(what, "")[:LONGEST] for what in ("name", "password"))
    name, device = name.replace("\0", "").strip(), devices.this_device()  # PostgreSQL takes no NUL, not even to look
    try:
        entry = signing_in.sign_in(name, password, device)
    except delays.TooSoon as soon:
        meters.count("sign_ins_total", result="delayed")
        return _too_soon(_form(_goal(), _wait(soon)), soon)
    meters.count("sign_ins_total", result="right" if entry else "wrong")
    if entry is None:
        return make_response(_form(_goal(), gettext("Name and password do not belong together. Try again.")), 401)
    traces.tell(entry.session_id)
    if current_user.is_authenticated:  # whoever was signed in here is not any more
        signing_in.sign_out(current_user.session_id)
    goal = _goal(entry.role)
    response = make_response(redirect(goal if entry.complete else f"/sign-in/code?next={quote(goal)}", 303))
    sessions.give_cookie(response, entry.token, entry.role, entry.expires_at)
    if entry.complete:
        devices.remember(response, device, name)
    return response


@blueprint.get("/sign-in/code")
@for_people(also_during=(Step.CODE,))
def code_form() -> str | Response:
    return _code_form() if me().missing is Step.CODE else make_response(redirect(_goal(me().actor.role)))


@blueprint.post("/sign-in/code")
@for_people(also_during=(Step.CODE,))
def give_code() -> Response:
    person, tried = me(), delays.of_person("code", me().actor.person_id)
    if person.missing is not Step.CODE:
        return make_response(redirect(_goal(person.actor.role), 303))
    try:
        delays.count_try(tried)
    except delays.TooSoon as soon:
        return _too_soon(_code_form(_wait(soon)), soon)
    now, code = clock.now(), request.form.get("code", "")[:40]
    done = records.write(None, lambda session: _complete(session, person, code, now, tried))
    meters.count("second_factors_total", result="right" if done else "wrong")
    if done is None:
        return make_response(_code_form(gettext("This code is wrong, or has been used. Wait for the next one.")), 401)
    token, name = done
    response = make_response(redirect(_goal(person.actor.role), 303))
    sessions.give_cookie(response, token, person.actor.role, now + absolute_limit(person.actor.role))
    devices.remember(response, devices.this_device(), name)
    return response


@blueprint.post("/sign-out")
@for_people(also_during=tuple(Step))
def sign_out() -> Response:
    signing_in.sign_out(me().session_id)
    response = make_response(redirect("/sign-in", 303))
    sessions.take_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _complete(
    session: Session, person: SignedIn, code: str, now: datetime, tried: delays.Guarded
) -> tuple[str, str] | None:
    """The new token and the person's name, if the code was right."""
    row = session.get_one(Person, person.actor.person_id)
    if not second_factor.takes_code(session, row, code, now):
        return None
    delays.forgive(session, tried)
    return second_factor.complete(session, person.session_id, row, now), row.name


def _form(goal: str, error: str = "") -> str:
    return page(
        "pages/sign_in.html",
        csrf_token=sign_in_token(),
        error=error,
        next=goal,
        demo=settings.current.demo,
        demo_people=[(name, gettext(ROLE_WORDS[role]), units) for name, role, units in _demo_people()],
    )


def _code_form(error: str = "") -> str:
    return page("pages/code.html", error=error, next=_goal())


def _wait(soon: delays.TooSoon) -> str:
    return gettext("Too many wrong tries. Wait %(seconds)s seconds, then try again.", seconds=soon.seconds)


def _too_soon(form: str, soon: delays.TooSoon) -> Response:
    response = make_response(form, 429)
    response.headers["Retry-After"] = str(soon.seconds)
    return response


def _demo_people() -> list[tuple[str, Role, str]]:
    if not settings.current.demo:
        return []
    with records.read() as session:
        shown = (Person.display_name.not_like(f"%{SIMULATED}"), Person.role != Role.DISPLAY)
        query = select(Person).where(*shown).order_by(Person.id)
        people = session.scalars(query.options(selectinload(Person.units))).all()
        homes = {home.id: home.name for home in session.scalars(select(Hospital))}
    return [(p.name, p.role, f"{', '.join(u.code for u in p.units)} · {homes[p.hospital_id]}") for p in people]


def _goal(role: Role | None = None) -> str:
    """Where to go after signing in: a path of ours, never another site; else the home of that role, or '' as yet."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    if ours and not any(ord(c) < 32 for c in wanted):
        return wanted
    return home_of(role) if role else ""
