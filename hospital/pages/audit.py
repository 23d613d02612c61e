"""GET /admin/audit: who looked at what in one's own hospital, to search and to take away. No patient is named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from hospital import records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.pages.layout import now_of, page
from hospital.records import AuditLine, Hospital, Person
from hospital.records.audit import NOBODYS, with_sealed_detail
from hospital.records.audit_table import Row, csv_lines, rows
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("audit", __name__)

_LINES = 100  # on a page
_NUMBER = re.compile("[0-9]{1,18}")
_ACTS = {
    "look": N_("Look"),
    "emergency": N_("Emergency access"),
    "emergency look": N_("Look under emergency access"),
    "search": N_("Search"),
    "refused": N_("Refused"),
    "sign-in": N_("Sign-in"),
    "sign-in refused": N_("Sign-in refused"),
    "sign-out": N_("Sign-out"),
    "export": N_("Export"),
    "people": N_("Person added or changed"),
    "password-reset": N_("New password given"),
    "units": N_("Unit added or renamed"),
    "beds": N_("Beds added"),
    "bed-codes": N_("Code bound to a bed"),
}
_KINDS = {"alert": N_("Alert"), "patient": N_("Patient")}


@dataclass(frozen=True)
class Line:
    at: Moment
    row: Row
    act: str


@dataclass
class Wanted:
    """What is looked for: the fields as they were given, and what they mean."""

    given: dict[str, str]
    where: list[ColumnElement[bool]] = field(default_factory=list)

    @classmethod
    def read(cls, zone: ZoneInfo) -> "Wanted":
        """Raises BadRequest. No field is free text: nobody can put a patient's name into an address."""
        names = ("person", "act", "kind", "id", "day")
        wanted = cls({name: value for name in names if (value := request.args.get(name, ""))})
        if person := wanted._number("person"):
            wanted.where.append(AuditLine.person_id == person)
        if act := wanted._one_of("act", _ACTS):
            wanted.where.append(AuditLine.act == act)
        kind, number = wanted._one_of("kind", _KINDS), wanted._number("id")
        if kind:
            thing = AuditLine.object
            wanted.where.append(thing == f"{kind}:{number}" if number else thing.startswith(f"{kind}:"))
        if day := wanted._day(zone):
            wanted.where += [AuditLine.at >= day, AuditLine.at < day + timedelta(days=1)]
        return wanted

    def _number(self, name: str) -> int | None:
        text = self.given.get(name)
        if text is not None and not _NUMBER.fullmatch(text):
            raise BadRequest("A number is made of digits.")
        return int(text) if text else None

    def _one_of(self, name: str, known: dict[str, str]) -> str | None:
        text = self.given.get(name)
        if text is not None and text not in known:
            raise BadRequest("That cannot be looked for. Choose from the list.")
        return text

    def _day(self, zone: ZoneInfo) -> datetime | None:
        if "day" not in self.given:
            return None
        try:
            return datetime.combine(date.fromisoformat(self.given["day"]), time(), zone)
        except ValueError:
            raise BadRequest("A day is written as 2026-11-22.") from None


@blueprint.get("/admin/audit")
@for_people(Right.SEE_AUDIT)
def audit() -> str:
    """The newest lines first; `before`: the lines below this number."""
    hospital_id = me().actor.hospital_id
    with records.read() as session:
        now = now_of(session, me())
        wanted = Wanted.read(now.zone)
        before = [AuditLine.number < below] if (below := _before()) else []
        query = with_sealed_detail().where(*wanted.where, *before).order_by(AuditLine.number.desc()).limit(_LINES + 1)
        found = list(rows(session, hospital_id, query))
        people = _people(session, hospital_id)
    lines = [Line(moment(row.at, now.zone, seconds=True, old=True), row, _word(row.act)) for row in found[:_LINES]]
    return page(
        "pages/audit.html",
        now,
        lines=lines,
        given=wanted.given,
        people=people,
        acts={act: gettext(word) for act, word in _ACTS.items()},
        kinds={kind: gettext(word) for kind, word in _KINDS.items()},
        older=lines[-1].row.number if len(found) > _LINES else None,
    )


@blueprint.get("/admin/audit/strangers")
@for_people(Right.SEE_AUDIT)
def strangers() -> str:
    """Who was refused without having signed in. What they called themselves is kept nowhere: it may be a password.

    They are of no hospital, so every administrator sees them; where they came from only if there is but one hospital.
    """
    with records.read() as session:
        now = now_of(session, me())
        is_alone = session.scalars(select(func.count(Hospital.id))).one() == 1
        query = with_sealed_detail().order_by(AuditLine.number.desc()).limit(_LINES)
        found = [row if is_alone else replace(row, address="") for row in rows(session, NOBODYS, query)]
    lines = [Line(moment(row.at, now.zone, seconds=True, old=True), row, _word(row.act)) for row in found]
    return page("pages/admin_strangers.html", now, lines=lines, with_address=is_alone)


@blueprint.get("/admin/audit/export")
@for_people(Right.SEE_AUDIT)
def export() -> Response:
    """What was looked for, as CSV. That it was taken away is a line itself, written down first."""
    hospital_id = me().actor.hospital_id
    with records.read() as session:
        zone = ZoneInfo(session.get_one(Hospital, hospital_id).timezone)
    query = with_sealed_detail().where(*Wanted.read(zone).where)
    traces.leave("export", "/admin/audit")
    response = Response(_csv(hospital_id, query), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _csv(hospital_id: int, query: Any) -> Iterator[str]:
    with records.read() as session:
        yield from csv_lines(session, hospital_id, query)


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _people(session: Session, hospital_id: int) -> list[tuple[int, str]]:
    query = select(Person.id, Person.display_name).where(Person.hospital_id == hospital_id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Person.display_name))]


def _word(act: str) -> str:
    return gettext(_ACTS[act]) if act in _ACTS else act
