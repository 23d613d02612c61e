"""Change one's own password, also the one-time password that an administrator gave."""

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import and_
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access import delays, passwords, rotation, sessions, signing_in
from hospital.access.guard import for_people, me
from hospital.access.sessions import SignedIn, Step
from hospital.fragments.words import gettext
from hospital.pages.layout import home_of, page
from hospital.records import Ended, Person, PersonSession
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("password", __name__)


@blueprint.get("/account/password")
@for_people(Right.OWN_ACCOUNT, also_during=(Step.PASSWORD,))
def form() -> str:
    return _form()


@blueprint.post("/account/password")
@for_people(Right.OWN_ACCOUNT, also_during=(Step.PASSWORD,))
def change() -> Response:
    person, tried = me(), delays.of_person("password", me().actor.person_id)
    old, new, again = (request.form.get(what, "")[: passwords.LONGEST + 1] for what in ("old", "new", "again"))
    with records.read() as session:
        row = session.get_one(Person, person.actor.person_id)
    try:
        _check(row, old, new, again)
    except passwords.Unfit as unfit:
        return make_response(_form(gettext(unfit.sentence, **unfit.values)), 422)
    delays.count_try(tried)
    if not passwords.is_right(old, row.password_hash):
        return make_response(_form(gettext("The old password is wrong. Try again.")), 422)
    new_hash = passwords.hash_password(new)
    token = records.write(None, lambda session: _keep(session, person, new_hash, tried))
    response = make_response(redirect("/account" if person.missing is None else home_of(person.actor.role), 303))
    sessions.give_cookie(response, token, person.actor.role, person.expires_at)
    return response


def _check(row: Person, old: str, new: str, again: str) -> None:
    if new != again:
        raise passwords.Unfit(N_("The two new passwords differ. Type them again."))
    if new == old:
        raise passwords.Unfit(N_("The new password must be another one than the old."))
    passwords.check(new, row.name, *row.display_name.split())


def _keep(session: Session, person: SignedIn, new_hash: str, tried: delays.Guarded) -> str:
    """The new token of this session; all others of this person end."""
    delays.forgive(session, tried)
    row = session.get_one(Person, person.actor.person_id)
    row.password_hash, row.must_change_password, row.one_time_until = new_hash, False, None
    others = and_(PersonSession.person_id == row.id, PersonSession.id != person.session_id)
    signing_in.end(session, others, Ended.PASSWORD)
    return rotation.renew_at_once(session, person.session_id, clock.now())


def _form(error: str = "") -> str:
    return page("pages/password.html", error=error, first=me().missing is Step.PASSWORD)
