"""Notices: charge nurses and administrators send them; whoever they are for reads them in the bar of every page."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from hospital import clock, records
from hospital.access import traces
from hospital.access.guard import for_people, is_ours, me
from hospital.alerts import notices
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, home_here, now_of, page
from hospital.records import Unit
from hospital.roles import Right, Role

blueprint = Blueprint("notices", __name__)

_ROLES = [role for role in Role if role is not Role.DISPLAY]


@dataclass(frozen=True)
class Row:
    id: int
    text: str
    for_whom: str
    at: Moment
    by: str


@blueprint.get("/notices")
@for_people(Right.SEND_NOTICES)
def form() -> str:
    return _page()


@blueprint.post("/notices")
@for_people(Right.SEND_NOTICES)
def send() -> Response:
    actor, given = me().actor, request.form
    unit = given.get("unit", "")
    role = next((role for role in _ROLES if role.value == given.get("role")), None)
    where = None if unit == "all" else int(unit) if unit.isdecimal() else 0
    text, walls = given.get("text", ""), "on_boards" in given
    try:
        sent = records.write(
            actor.hospital_id,
            lambda session: notices.send(session, actor, text, where, role, walls, clock.now()).id,
        )
    except notices.NotSendable as problem:
        return make_response(_page(gettext(str(problem))), 422)
    traces.did(f"notice:{sent}", text)
    return make_response(redirect("/notices", 303))


@blueprint.post("/notices/<int:notice_id>/withdrawal")
@for_people(Right.SEND_NOTICES)
def withdraw(notice_id: int) -> Response:
    actor = me().actor
    _do(lambda session: notices.withdraw(session, actor, notice_id, clock.now()))
    return make_response(redirect("/notices", 303))


@blueprint.post("/notices/<int:notice_id>/reading")
@for_people()
def read(notice_id: int) -> Response:
    actor = me().actor
    _do(lambda session: notices.read(session, actor, notice_id, clock.now()))
    if request.headers.get("HX-Request"):
        return make_response("")  # the page takes it away
    back = request.referrer or ""
    return make_response(redirect(back if is_ours(back) else home_here(), 303))


def _do(act: Callable[[Session], bool]) -> None:
    if not records.write(me().actor.hospital_id, act):
        raise NotFound("There is no such notice for you.")


def _page(error: str = "") -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        units = {unit.id: unit.code for unit in session.scalars(select(Unit).where(Unit.id.in_(actor.unit_ids)))}
        rows = [
            Row(
                id=one.id,
                text=one.text,
                for_whom=", ".join(
                    [
                        units.get(one.unit_id or 0, gettext("Whole hospital")),
                        *([gettext(ROLE_WORDS[one.role])] if one.role else []),
                    ]
                ),
                at=moment(one.at, now.zone, old=True),
                by=one.by.display_name,
            )
            for one in notices.sent(session, actor, clock.now())
        ]
    return page(
        "pages/notices.html",
        now,
        rows=rows,
        units=sorted(units.items(), key=lambda unit: unit[1]),
        roles=[(role.value, gettext(ROLE_WORDS[role])) for role in _ROLES],
        to_all=actor.role is not Role.CHARGE,
        longest=notices.LONGEST,
        error=error,
        given=request.form if error else {},
    )
