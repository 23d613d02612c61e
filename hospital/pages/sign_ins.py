"""What an administrator does about sign-ins: ends them, gives a new password, removes a second factor."""

from flask import Blueprint, Response, make_response, redirect
from sqlalchemy import and_
from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from hospital import clock, records, settings
from hospital.access import passwords, second_factor, signing_in, staff
from hospital.access.guard import for_people, me
from hospital.pages.account import living_sessions
from hospital.pages.layout import now_of, page
from hospital.records import Ended, Person, PersonSession
from hospital.roles import Right, Role
from hospital.vocabulary import N_

blueprint = Blueprint("sign_ins", __name__)


@blueprint.get("/admin/people/<int:person_id>/sessions")
@for_people(Right.MANAGE_PEOPLE)
def sessions_of(person_id: int) -> str:
    return sign_ins_page(person_id)


@blueprint.post("/admin/people/<int:person_id>/sessions/<int:session_id>/end")
@for_people(Right.MANAGE_PEOPLE)
def end_session(person_id: int, session_id: int) -> Response:
    def end(session: Session) -> int:
        theirs = and_(
            PersonSession.id == session_id, PersonSession.person_id == person_of(session, hospital_id, person_id).id
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
    hospital_id, (given, password_hash) = me().actor.hospital_id, passwords.one_time()

    def reset(session: Session) -> None:
        person = person_of(session, hospital_id, person_id)
        if person.role is Role.DISPLAY:
            raise Conflict(N_("A display has no password: it is paired."))
        staff.give_password(person, password_hash, clock.now())
        signing_in.end(session, PersonSession.person_id == person.id, Ended.PASSWORD)

    records.write(None, reset)
    return sign_ins_page(person_id, one_time_password=given)


@blueprint.post("/admin/people/<int:person_id>/second-factor-removal")
@for_people(Right.MANAGE_PEOPLE)
def remove_second_factor(person_id: int) -> Response:
    """For a lost telephone. All their sign-ins end."""
    hospital_id = me().actor.hospital_id

    def remove(session: Session) -> None:
        person = person_of(session, hospital_id, person_id)
        second_factor.remove(session, person)
        signing_in.end(session, PersonSession.person_id == person.id, Ended.BY_HAND)

    records.write(None, remove)
    return make_response(redirect(f"/admin/people/{person_id}/sessions", 303))


def sign_ins_page(person_id: int, one_time_password: str = "") -> str:
    """`one_time_password`: to be shown this once."""
    with records.read() as session:
        now = now_of(session, me())
        person = person_of(session, me().actor.hospital_id, person_id)
        return page(
            "pages/sign_ins.html",
            now,
            of=person,
            sessions=living_sessions(session, person.id, now),
            has_second_factor=person.totp_step is not None,
            one_time_password=one_time_password,
            good_for_h=f"{settings.current.one_time_password_h:g}",
        )


def person_of(session: Session, hospital_id: int, person_id: int) -> Person:
    """Of one's own hospital. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None or person.hospital_id != hospital_id:
        raise NotFound("There is no such person in your hospital.")
    return person
