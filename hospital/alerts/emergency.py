"""Breaking the glass: in an emergency somebody sees all units of the hospital, for a while, and everybody is told.

The units that were opened are told by an alert: it is stored with the access itself or neither is, it stands on every
screen of the unit at once, the charge nurse's first, and climbs until somebody has seen it. Nothing else does all that.
Whose rights are wider is said by the session's row alone (access/sessions.py); this only writes it.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.clearing import clear_alert
from hospital.alerts.refusals import EmptyReason, GlassIsBroken, NotAllowed, NothingToOpen
from hospital.alerts.technical import open_technical, raise_technical
from hospital.records import EmergencyAccess, PersonSession, Unit
from hospital.roles import Actor, Right
from hospital.vocabulary import TOLD_AT_STEP, Priority

TEXT = "Emergency access to this unit"
_LONGEST_REASON = 500  # characters


def begin(session: Session, actor: Actor, session_id: int, reason: str, now: datetime) -> EmergencyAccess:
    """Open the units that the actor does not see, for this session alone.

    Raises NotAllowed, EmptyReason, GlassIsBroken, NothingToOpen.
    """
    if not actor.may(Right.BREAK_GLASS):
        raise NotAllowed
    if not 0 < len(reason) <= _LONGEST_REASON:
        raise EmptyReason
    row = session.get_one(PersonSession, session_id, with_for_update=True)
    if row.emergency_until is not None and row.emergency_until > now:
        raise GlassIsBroken
    units = session.scalars(select(Unit).where(Unit.hospital_id == actor.hospital_id).order_by(Unit.id))
    opened = [unit for unit in units if unit.id not in actor.scope]
    if not opened:
        raise NothingToOpen
    access = EmergencyAccess(hospital_id=actor.hospital_id, person_id=actor.person_id, session_id=session_id)
    access.reason, access.began_at, access.until = reason, now, now + timedelta(minutes=settings.current.glass_min)
    session.add(access)
    session.flush()
    row.emergency_until, row.person.changed_at = access.until, now
    for unit in opened:
        _tell(session, actor, access, unit, now)
    return access


def end(session: Session, session_id: int, now: datetime) -> None:
    """By hand, at once. Nothing happens if there is none."""
    row = session.get_one(PersonSession, session_id, with_for_update=True)
    if row.emergency_until is None:
        return
    row.emergency_until, row.person.changed_at = None, now
    running = EmergencyAccess.session_id == session_id, EmergencyAccess.ended_at.is_(None)
    for access in session.scalars(select(EmergencyAccess).where(*running)):
        _end(session, access, now)


def is_over(now: datetime) -> ColumnElement[bool]:
    """Its time has passed or its session has ended: nobody has the rights any more, and the units are not told yet."""
    lives = exists().where(PersonSession.id == EmergencyAccess.session_id, PersonSession.ended_at.is_(None))
    return and_(EmergencyAccess.ended_at.is_(None), or_(EmergencyAccess.until <= now, ~lives))


def end_overdue(session: Session, hospital_id: int, now: datetime) -> None:
    for access in session.scalars(
        select(EmergencyAccess).where(EmergencyAccess.hospital_id == hospital_id, is_over(now))
    ):
        _end(session, access, now)


def _tell(session: Session, actor: Actor, access: EmergencyAccess, unit: Unit, now: datetime) -> None:
    charge_nurse, place = TOLD_AT_STEP.index("charge"), f"{unit.code} · {actor.name}"
    raise_technical(session, unit.hospital_id, unit.id, _key(access), place, TEXT, Priority.LOW, now, step=charge_nurse)


def _end(session: Session, access: EmergencyAccess, at: datetime) -> None:
    access.ended_at = min(access.until, at)
    for alert in open_technical(session, _key(access)):
        clear_alert(session, alert, at)


def _key(access: EmergencyAccess) -> str:
    return f"emergency-{access.id}"
