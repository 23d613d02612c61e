"""Telling people something that is no alert: sending a notice, reading it, taking it back.

It has no line in the journal, which is of alerts: each change counts the hospital's `notices` up, by which
screens learn that they should ask what is for them. Who sent, read or withdrew what stands in the audit.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload

from hospital import settings
from hospital.records import Bed, Hospital, Notice, NoticeReading
from hospital.roles import Actor, Right, Role
from hospital.vocabulary import N_

LONGEST, LONGEST_ON_BOARDS = 280, 80  # characters


class NotSendable(Exception):
    """Its sentence says why."""


def send(
    session: Session, actor: Actor, text: str, unit_id: int | None, role: Role | None, on_boards: bool, now: datetime
) -> Notice:
    """Raises NotSendable. To the whole hospital only administrators send."""
    text = " ".join(text.split())
    if not 0 < len(text) <= LONGEST or not text.isprintable():
        raise NotSendable(N_("A notice is a sentence of 280 characters at most."))
    if unit_id not in (actor.unit_ids if actor.role is Role.CHARGE else actor.unit_ids | {None}):
        raise NotSendable(N_("Choose one of your units."))
    if on_boards and (len(text) > LONGEST_ON_BOARDS or role is not None or _names_a_bed(session, actor, text)):
        raise NotSendable(N_("On a wall a notice has 80 characters at most, is for everybody and names no bed."))
    until = now + timedelta(days=settings.current.notice_days)
    notice = Notice(hospital_id=actor.hospital_id, unit_id=unit_id, role=role, text=text, on_boards=on_boards)
    notice.by_id, notice.at, notice.until = actor.person_id, now, until
    session.add(notice)
    session.flush()
    _count_up(session, actor)
    return notice


def withdraw(session: Session, actor: Actor, notice_id: int, now: datetime) -> bool:
    """False: there is none that this person may take back."""
    mine = _living(actor, now) & (Notice.id == notice_id)
    if actor.role is Role.CHARGE:
        mine &= Notice.unit_id.in_(actor.unit_ids)
    notice = session.scalar(select(Notice).where(mine)) if actor.may(Right.SEND_NOTICES) else None
    if notice is None:
        return False
    notice.until = now
    _count_up(session, actor)
    return True


def read(session: Session, actor: Actor, notice_id: int, now: datetime) -> bool:
    """Once is enough. False: there is none for this person."""
    notice = session.scalar(select(Notice).where(_for(actor, now), Notice.id == notice_id))
    if notice is None:
        return False
    session.merge(NoticeReading(notice_id=notice_id, person_id=actor.person_id, at=now))
    return True


def unread(session: Session, actor: Actor, now: datetime) -> list[Notice]:
    """What is for this person and not read yet, oldest first; a wall shows what is for walls as long as it stands."""
    was_read = select(NoticeReading.notice_id).where(NoticeReading.person_id == actor.person_id)
    query = select(Notice).where(_for(actor, now), Notice.id.not_in(was_read)).options(joinedload(Notice.by))
    return list(session.scalars(query.order_by(Notice.id)))


def sent(session: Session, actor: Actor, now: datetime) -> list[Notice]:
    """What stands and this person may take back, newest first."""
    query = select(Notice).where(_living(actor, now)).options(joinedload(Notice.by)).order_by(Notice.id.desc())
    return [one for one in session.scalars(query) if actor.role is not Role.CHARGE or one.unit_id in actor.unit_ids]


def _living(actor: Actor, now: datetime) -> ColumnElement[bool]:
    return (Notice.hospital_id == actor.hospital_id) & (Notice.until > now)


def _for(actor: Actor, now: datetime) -> ColumnElement[bool]:
    here = Notice.unit_id.in_(actor.unit_ids) | Notice.unit_id.is_(None)
    me = Notice.role.is_(None) | (Notice.role == actor.role)
    found = _living(actor, now) & here & me
    return found & Notice.on_boards if actor.role is Role.DISPLAY else found


def _names_a_bed(session: Session, actor: Actor, text: str) -> bool:
    codes = session.scalars(select(Bed.code).where(Bed.hospital_id == actor.hospital_id))
    return any(code.lower() in text.lower() for code in codes)


def _count_up(session: Session, actor: Actor) -> None:
    session.execute(update(Hospital).where(Hospital.id == actor.hospital_id).values(notices=Hospital.notices + 1))
