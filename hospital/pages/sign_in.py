"""Sign in, sign out."""

from flask import Blueprint, Response, make_response, redirect, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from hospital import meters, records, settings
from hospital.access import sessions
from hospital.access.guard import for_people, me, open_to_all, sign_in_token
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, page
from hospital.records import Hospital, Person
from hospital.roles import Role
from hospital.vocabulary import SIMULATED

blueprint = Blueprint("sign_in", __name__)

_LONGEST = 200  # characters of a name or a password: argon2 need not chew on more


@blueprint.get("/sign-in")
@open_to_all
def form() -> str | Response:
    goal = _goal()
    if current_user.is_authenticated:
        return make_response(redirect(goal))
    return _form(goal)


@blueprint.post("/sign-in")
@open_to_all
def sign_in() -> Response:
    name, password = (request.form.get(what, "")[:_LONGEST] for what in ("name", "password"))
    token = sessions.sign_in(name.replace("\0", "").strip(), password)  # PostgreSQL takes no NUL, not even to look
    meters.count("sign_ins_total", result="right" if token else "wrong")
    if token is None:
        return make_response(_form(_goal(), gettext("Name and password do not belong together. Try again.")), 401)
    response = make_response(redirect(_goal(), 303))
    sessions.give_cookie(response, token, secure=request.is_secure)
    return response


@blueprint.post("/sign-out")
@for_people()
def sign_out() -> Response:
    sessions.sign_out(me().session_id)
    response = make_response(redirect("/sign-in", 303))
    response.delete_cookie(sessions.COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _form(goal: str, error: str = "") -> str:
    return page(
        "pages/sign_in.html",
        csrf_token=sign_in_token(),
        error=error,
        next=goal,
        demo=settings.current.demo,
        demo_people=[(name, gettext(ROLE_WORDS[role]), units) for name, role, units in _demo_people()],
    )


def _demo_people() -> list[tuple[str, Role, str]]:
    if not settings.current.demo:
        return []
    with records.read() as session:
        shown = (Person.display_name.not_like(f"%{SIMULATED}"), Person.role != Role.DISPLAY)
        query = select(Person).where(*shown).order_by(Person.id)
        people = session.scalars(query.options(selectinload(Person.units))).all()
        homes = {home.id: home.name for home in session.scalars(select(Hospital))}
    return [(p.name, p.role, f"{', '.join(u.code for u in p.units)} · {homes[p.hospital_id]}") for p in people]


def _goal() -> str:
    """Where to go after signing in: a path of ours, never another site."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if ours and not any(ord(c) < 32 for c in wanted) else "/alerts"
