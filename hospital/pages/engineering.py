"""For engineers: which senders speak, and what was refused and why. What a message says only under broken glass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from hospital import clock, records, settings
from hospital.access.guard import for_people, me
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.pages.layout import Now, now_of, page
from hospital.records import Message, Sender, Verdict
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("engineering", __name__)

_DAYS = 7
_MANY = 50  # refused messages on the page


@dataclass(frozen=True)
class Speaker:
    """`heard`: when its last message came, refused or not. `off_s`: its clock less ours, where that is too much."""

    name: str
    heard: Moment | None
    off_s: int | None
    refused: int
    ended: bool


@dataclass(frozen=True)
class Refusal:
    id: int
    at: Moment
    sender: str
    kind: str
    code: str
    reason: str


@blueprint.get("/engineering")
@for_people(Right.SEE_SENDERS)
def engineering() -> str:
    hospital_id = me().actor.hospital_id
    refused = (
        Message.hospital_id == hospital_id,
        Message.verdict == Verdict.REFUSED,
        Message.received_at > clock.now() - timedelta(days=_DAYS),
    )
    with records.read() as session:
        now = now_of(session, me())
        of_ours = select(Sender).where(Sender.hospital_id == hospital_id)
        senders = session.scalars(of_ours.order_by(Sender.revoked_at.is_not(None), Sender.name)).all()
        return page(
            "pages/engineering.html",
            now,
            speakers=_speakers(session, senders, refused, now),
            reasons=_reasons(session, refused, now),
            refusals=_newest(session, refused, {sender.id: sender.name for sender in senders}, now),
            may_read=me().actor.may(Right.READ_REFUSED),
        )


@blueprint.get("/engineering/messages/<int:message_id>")
@for_people(Right.READ_REFUSED)
def refused_message(message_id: int) -> str:
    """As it came. The page ends with the emergency access (templates/layout.html)."""
    with records.read() as session:
        now = now_of(session, me())
        message = session.get(Message, message_id)
        ours = message is not None and message.hospital_id == me().actor.hospital_id
        if message is None or not ours or message.verdict is not Verdict.REFUSED:
            raise NotFound(N_("There is no such refused message in your hospital."))
        text = message.raw.encode("latin-1").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        at = moment(message.received_at, now.zone, seconds=True, old=True)
        return page("pages/refused_message.html", now, message=message, text=text, at=at)


def _speakers(
    session: Session, senders: Sequence[Sender], refused: tuple[ColumnElement[bool], ...], now: Now
) -> list[Speaker]:
    counted = select(Message.sender_id, func.count(), func.max(Message.received_at)).where(*refused)
    counts = {row[0]: (row[1], row[2]) for row in session.execute(counted.group_by(Message.sender_id))}
    return [
        Speaker(
            name=sender.name,
            heard=moment_or_none(_last(sender.heard_at, counts.get(sender.id, (0, None))[1]), now.zone),
            off_s=_off_s(sender.clock_off_s),
            refused=counts.get(sender.id, (0, None))[0],
            ended=sender.revoked_at is not None,
        )
        for sender in senders
    ]


def _last(*times: datetime | None) -> datetime | None:
    return max((at for at in times if at is not None), default=None)


def _off_s(clock_off_s: float | None) -> int | None:
    too_much = clock_off_s is not None and abs(clock_off_s) > settings.current.clock_off_s
    return round(clock_off_s or 0.0) if too_much else None


def _reasons(
    session: Session, refused: tuple[ColumnElement[bool], ...], now: Now
) -> list[tuple[str, str, int, Moment]]:
    """Code, reason, how often, when last: the most frequent first."""
    count = func.count()
    query = select(Message.code, Message.reason, count, func.max(Message.received_at)).where(*refused)
    query = query.group_by(Message.code, Message.reason).order_by(count.desc()).limit(_MANY)
    return [(row[0], row[1], row[2], moment(row[3], now.zone, old=True)) for row in session.execute(query)]


def _newest(
    session: Session, refused: tuple[ColumnElement[bool], ...], names: dict[int, str], now: Now
) -> list[Refusal]:
    query = select(Message.id, Message.received_at, Message.sender_id, Message.kind, Message.code, Message.reason)
    found = session.execute(query.where(*refused).order_by(Message.id.desc()).limit(_MANY))
    return [
        Refusal(id, moment(at, now.zone, seconds=True, old=True), names.get(sender_id or 0, ""), kind, code, reason)
        for id, at, sender_id, kind, code, reason in found
    ]
