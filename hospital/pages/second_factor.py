"""Set up one's own second factor, or take it away again."""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access import delays, rotation, second_factor, sessions
from hospital.access.guard import for_people, me
from hospital.access.sessions import Step
from hospital.fragments.words import gettext
from hospital.pages.layout import home_of, page
from hospital.records import Hospital, Person
from hospital.roles import Right

blueprint = Blueprint("second_factor", __name__)

T = TypeVar("T")


@blueprint.get("/account/second-factor")
@for_people(Right.OWN_ACCOUNT, also_during=(Step.ENROLMENT,))
def form() -> str:
    return _form()


@blueprint.post("/account/second-factor")
@for_people(Right.OWN_ACCOUNT, also_during=(Step.ENROLMENT,))
def set_up() -> Response:
    """Answers with the recovery codes, which are shown this once."""
    person = me()

    def confirm(session: Session, row: Person, code: str) -> tuple[list[str], str] | None:
        codes = second_factor.confirm(session, row, code, clock.now())
        return (codes, rotation.renew_at_once(session, person.session_id, clock.now())) if codes else None

    done = _with_code(confirm)
    if done is None:
        return make_response(_form(gettext("This code is wrong. Wait for the next one.")), 422)
    codes, token = done
    next_url = home_of(person.actor.role) if person.missing else "/account"
    response = make_response(page("pages/recovery_codes.html", codes=codes, next=next_url))
    sessions.give_cookie(response, token, person.actor.role, person.expires_at)
    return response


@blueprint.post("/account/second-factor-removal")
@for_people(Right.OWN_ACCOUNT)
def remove() -> Response:
    """With a code of it: nobody removes it who has only found the screen open."""

    def take_away(session: Session, row: Person, code: str) -> bool:
        if not second_factor.takes_code(session, row, code, clock.now()):
            return False
        second_factor.remove(session, row)
        return True

    if not _with_code(take_away):
        return make_response(_form(gettext("This code is wrong. Nothing was removed.")), 422)
    return make_response(redirect("/account", 303))


def _with_code(act: Callable[[Session, Person, str], T]) -> T:
    """Do it with the code of the form: falsy if that was wrong. After a few wrong ones, raises TooSoon."""
    person_id, code = me().actor.person_id, request.form.get("code", "")[:40]
    tried = delays.of_person("code", person_id)
    delays.count_try(tried)

    def attempt(session: Session) -> T:
        done = act(session, session.get_one(Person, person_id), code)
        if done:
            delays.forgive(session, tried)
        return done

    return records.write(None, attempt)


def _form(error: str = "") -> str:
    """The picture for the telephone; or, once it is set up, how to remove it."""
    person_id = me().actor.person_id
    secret, name, hospital, demanded = records.write(None, lambda session: _begun(session, person_id))
    path, squares = second_factor.picture(secret, name, hospital) if secret else ("", 0)
    return page(
        "pages/second_factor.html",
        error=error,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        path=path,
        squares=squares,
        demanded=demanded,
    )


def _begun(session: Session, person_id: int) -> tuple[str, str, str, bool]:
    row = session.get_one(Person, person_id)
    home = session.get_one(Hospital, row.hospital_id)
    return second_factor.begin(row), row.name, home.name, row.role.value in home.second_factor_roles.split()
