"""The administration's first page, and what an administrator does about people's sign-ins."""

import secrets

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from hospital import records
from hospital.access import second_factor, signing_in
from hospital.access.guard import for_people, me
from hospital.access.passwords import hash_password
from hospital.fragments.words import gettext
from hospital.pages.account import living_sessions
from hospital.pages.layout import ROLE_WORDS, now_of, page
from hospital.records import Ended, Hospital, Person, PersonSession
from hospital.roles import Right, Role
from hospital.vocabulary import N_

blueprint = Blueprint("administration", __name__)

# address, what it is, who may see it
_PLACES = (
    ("/admin/people", N_("People and their sign-ins"), Right.MANAGE_PEOPLE),
    ("/admin/streams", N_("Open lines"), Right.SEE_STREAMS),
    ("/engineering", N_("Senders and refused messages"), Right.SEE_SENDERS),
    ("/admin/reviews", N_("Emergency access to be reviewed"), Right.REVIEW_EMERGENCIES),
    ("/emergency", N_("Emergency access"), Right.BREAK_GLASS),
)
_PASSWORD_BYTES = 12  # of one that is typed once


@blueprint.get("/admin")
@for_people(Right.SEE_ADMINISTRATION)
def administration() -> str:
    places = [(url, gettext(word)) for url, word, right in _PLACES if me().actor.may(right)]
    with records.read() as session:
        return page("pages/administration.html", now_of(session, me()), places=places)


@blueprint.get("/admin/people")
@for_people(Right.MANAGE_PEOPLE)
def people() -> str:
    with records.read() as session:
        now, home = now_of(session, me()), session.get_one(Hospital, me().actor.hospital_id)
        rows = session.scalars(select(Person).where(Person.hospital_id == home.id).order_by(Person.display_name)).all()
        demanded = home.second_factor_roles.split()
        roles = [(role.value, gettext(word), role.value in demanded) for role, word in ROLE_WORDS.items()]
        shown = [(row, gettext(ROLE_WORDS[row.role]), row.totp_step is not None) for row in rows]
        return page("pages/people.html", now, people=shown, roles=roles)


@blueprint.post("/admin/second-factor-roles")
@for_people(Right.MANAGE_PEOPLE)
def demand_second_factor() -> Response:
    """The roles that must have a second factor: who has none sets it up at the next page."""
    roles = {role for role in Role if role is not Role.DISPLAY and role.value in request.form.getlist("role")}
    words, hospital_id = " ".join(sorted(role.value for role in roles)), me().actor.hospital_id

    def keep(session: Session) -> None:
        session.get_one(Hospital, hospital_id).second_factor_roles = words

    records.write(None, keep)
    return make_response(redirect("/admin/people", 303))


@blueprint.get("/admin/people/<int:person_id>/sessions")
@for_people(Right.MANAGE_PEOPLE)
def sessions_of(person_id: int) -> str:
    return _sessions_page(person_id)


@blueprint.post("/admin/people/<int:person_id>/sessions/<int:session_id>/end")
@for_people(Right.MANAGE_PEOPLE)
def end_session(person_id: int, session_id: int) -> Response:
    def end(session: Session) -> int:
        theirs = and_(
            PersonSession.id == session_id, PersonSession.person_id == _person(session, hospital_id, person_id).id
        )
        return signing_in.end(session, theirs, Ended.BY_HAND)

    hospital_id = me().actor.hospital_id
    if not records.write(None, end):
        raise NotFound("There is no such sign-in; it may have ended already.")
    return make_response(redirect(f"/admin/people/{person_id}/sessions", 303))


@blueprint.post("/admin/people/<int:person_id>/password-reset")
@for_people(Right.MANAGE_PEOPLE)
def reset_password(person_id: int) -> str:
    """A password for one sign-in, shown this once; its owner must choose another. All their sign-ins end."""
    given, hospital_id = secrets.token_urlsafe(_PASSWORD_BYTES), me().actor.hospital_id
    given_hash = hash_password(given)

    def reset(session: Session) -> None:
        person = _person(session, hospital_id, person_id)
        if person.role is Role.DISPLAY:
            raise Conflict(N_("A display has no password: it is paired."))
        person.password_hash, person.must_change_password = given_hash, True
        signing_in.end(session, PersonSession.person_id == person.id, Ended.PASSWORD)

    records.write(None, reset)
    return _sessions_page(person_id, one_time_password=given)


@blueprint.post("/admin/people/<int:person_id>/second-factor-removal")
@for_people(Right.MANAGE_PEOPLE)
def remove_second_factor(person_id: int) -> Response:
    """For a lost telephone. All their sign-ins end."""
    hospital_id = me().actor.hospital_id

    def remove(session: Session) -> None:
        person = _person(session, hospital_id, person_id)
        second_factor.remove(session, person)
        signing_in.end(session, PersonSession.person_id == person.id, Ended.BY_HAND)

    records.write(None, remove)
    return make_response(redirect(f"/admin/people/{person_id}/sessions", 303))


def _sessions_page(person_id: int, one_time_password: str = "") -> str:
    with records.read() as session:
        now = now_of(session, me())
        person = _person(session, me().actor.hospital_id, person_id)
        return page(
            "pages/sign_ins.html",
            now,
            of=person,
            sessions=living_sessions(session, person.id, now),
            has_second_factor=person.totp_step is not None,
            one_time_password=one_time_password,
        )


def _person(session: Session, hospital_id: int, person_id: int) -> Person:
    """Of one's own hospital. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None or person.hospital_id != hospital_id:
        raise NotFound("There is no such person in your hospital.")
    return person
