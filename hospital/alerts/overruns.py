"""A sender that is over its limit is read more slowly: a technical alert says so, since what it sends may come late."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from hospital.alerts.clearing import clear_alert
from hospital.alerts.technical import open_technical, raise_again, raise_technical
from hospital.records import Sender
from hospital.vocabulary import Priority

OVER = "Sends more than its limit: its alarms may come late"
_QUIET = timedelta(seconds=10)  # so long below its limit, and it is over


def is_over(now: datetime) -> ColumnElement[bool]:
    """Just now, and nobody has been told."""
    return and_(Sender.told_over.is_(False), Sender.over_at > now - _QUIET)


def is_below_again(now: datetime) -> ColumnElement[bool]:
    """Somebody has been told, and it is over."""
    return and_(Sender.told_over.is_(True), Sender.over_at <= now - _QUIET)


def watch_senders(session: Session, hospital_id: int, now: datetime) -> None:
    """Raise the alert of each sender over its limit, and end that of each that is below again.

    It stands before the charge nurses: what a gateway sends is of no unit, or of many.
    """
    ours = Sender.hospital_id == hospital_id
    for sender in session.scalars(select(Sender).where(ours, is_over(now))):
        sender.told_over = True
        if known := open_technical(session, _key(sender)):  # the last time has hardly been forgotten
            raise_again(session, known[0], OVER, now)
        else:
            place = sender.name[:200]
            raise_technical(session, hospital_id, None, _key(sender), place, OVER, Priority.LOW, now)
    for sender in session.scalars(select(Sender).where(ours, is_below_again(now))):
        sender.told_over = False
        for alert in open_technical(session, _key(sender)):
            clear_alert(session, alert, now)


def _key(sender: Sender) -> str:
    return f"sender-{sender.id}"
