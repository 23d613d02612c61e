"""What belongs to oneself: where one is signed in, and the ways to the password and the second factor."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from hospital import clock, records
from hospital.access import second_factor, signing_in
from hospital.access.guard import for_people, me
from hospital.fragments.moment import moment
from hospital.fragments.words import gettext
from hospital.pages.layout import Now, now_of, page
from hospital.records import Ended, Person, PersonSession
from hospital.roles import Right

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@for_people(Right.OWN_ACCOUNT)
def account() -> str:
    with records.read() as session:
        now = now_of(session, me())
        person = session.get_one(Person, me().actor.person_id)
        return page(
            "pages/account.html",
            now,
            sessions=living_sessions(session, person.id, now),
            has_second_factor=person.totp_step is not None,
            codes_left=second_factor.recovery_codes_left(session, person.id),
        )


@blueprint.post("/account/sessions/<int:session_id>/end")
@for_people(Right.OWN_ACCOUNT)
def end_session(session_id: int) -> Response:
    mine = and_(PersonSession.id == session_id, PersonSession.person_id == me().actor.person_id)
    if not records.write(None, lambda session: signing_in.end(session, mine, Ended.BY_HAND)):
        raise NotFound("There is no such sign-in of yours; it may have ended already.")
    return make_response(redirect("/account", 303))


def living_sessions(session: Session, person_id: int, now: Now) -> list[dict[str, Any]]:
    """Where a person is signed in, the last used first."""
    rows = session.scalars(
        select(PersonSession)
        .where(PersonSession.person_id == person_id, PersonSession.ended_at.is_(None))
        .where(PersonSession.expires_at > clock.now())
        .order_by(PersonSession.seen_at.desc(), PersonSession.id.desc())
    )
    return [
        {
            "id": row.id,
            "browser": row.browser or gettext("Unknown program"),
            "address": row.address or gettext("unknown address"),
            "since": moment(row.created_at, now.zone, old=True),
            "active": moment(row.seen_at, now.zone, old=True),
            "here": row.id == me().session_id,
        }
        for row in rows
    ]
