"""Emergency access, to be reviewed by an administrator: who, when, why, and what was looked at. No patient is named."""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.exceptions import Forbidden, NotFound

from hospital import clock, records
from hospital.access.guard import for_people, me
from hospital.fragments.moment import Moment, moment
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, Now, now_of, page
from hospital.records import AuditLine, EmergencyAccess
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("reviews", __name__)

_MANY = 50


@dataclass(frozen=True)
class Review:
    """`seen`: what was done and to what, and how often, the first first. `until` None: it still goes on."""

    id: int
    name: str
    role: str
    reason: str
    began: Moment
    until: Moment | None
    seen: list[tuple[str, str, int]]
    reviewed: Moment | None
    reviewed_by: str
    mine: bool


@blueprint.get("/admin/reviews")
@for_people(Right.REVIEW_EMERGENCIES)
def reviews() -> str:
    """Those that nobody has reviewed first, and among them the oldest."""
    of_ours = EmergencyAccess.hospital_id == me().actor.hospital_id
    people = (joinedload(EmergencyAccess.person), joinedload(EmergencyAccess.reviewed_by))
    query = select(EmergencyAccess).where(of_ours).options(*people).limit(_MANY)
    with records.read() as session:
        now = now_of(session, me())
        waiting = session.scalars(query.where(EmergencyAccess.reviewed_at.is_(None)).order_by(EmergencyAccess.id)).all()
        done = session.scalars(
            query.where(EmergencyAccess.reviewed_at.is_not(None)).order_by(EmergencyAccess.reviewed_at.desc())
        ).all()
        shown = [_review(session, access, now) for access in (*waiting, *done)]
    return page("pages/reviews.html", now, reviews=shown, waiting=len(waiting))


@blueprint.post("/admin/reviews/<int:emergency_id>/review")
@for_people(Right.REVIEW_EMERGENCIES)
def review(emergency_id: int) -> Response:
    """It has been looked at. Nobody reviews their own."""
    actor = me().actor

    def mark(session: Session) -> None:
        access = session.get(EmergencyAccess, emergency_id)
        if access is None or access.hospital_id != actor.hospital_id:
            raise NotFound(N_("There is no such emergency access in your hospital."))
        if access.person_id == actor.person_id:
            raise Forbidden(N_("Nobody reviews their own emergency access. Ask another administrator."))
        if access.reviewed_at is None:
            access.reviewed_at, access.reviewed_by_id = clock.now(), actor.person_id

    records.write(None, mark)
    return make_response(redirect("/admin/reviews", 303))


def _review(session: Session, access: EmergencyAccess, now: Now) -> Review:
    over = access.ended_at or (access.until if access.until <= clock.now() else None)
    return Review(
        id=access.id,
        name=access.person.display_name,
        role=gettext(ROLE_WORDS[access.person.role]),
        reason=access.reason,
        began=moment(access.began_at, now.zone, old=True),
        until=moment(over, now.zone) if over else None,
        seen=_seen(session, access),
        reviewed=moment(access.reviewed_at, now.zone, old=True) if access.reviewed_at else None,
        reviewed_by=access.reviewed_by.display_name if access.reviewed_by else "",
        mine=access.person_id == me().actor.person_id,
    )


def _seen(session: Session, access: EmergencyAccess) -> list[tuple[str, str, int]]:
    """From the audit, which marks each line of such a session by its act."""
    lines = select(AuditLine.act, AuditLine.object).where(
        AuditLine.hospital_id == access.hospital_id,
        AuditLine.person_id == access.person_id,
        AuditLine.session_id == access.session_id,
        AuditLine.at >= access.began_at,
        AuditLine.at <= (access.ended_at or access.until),
        AuditLine.act.startswith("emergency "),
    )
    times = Counter(
        (row[0].removeprefix("emergency "), row[1]) for row in session.execute(lines.order_by(AuditLine.at))
    )
    return [(act, thing, count) for (act, thing), count in times.items()]
