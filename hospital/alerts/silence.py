"""A bed whose readings have stopped: a technical alert, and a card that says since when."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.alerts.conditions import apply
from hospital.alerts.monitoring import changed
from hospital.records import Monitoring
from hospital.triage.conditions import silence_began, silence_ended

_AT_ONCE = 200  # beds in one transaction; the rest at the next turn


def is_silent(now: datetime) -> ColumnElement[bool]:
    """Nothing has come for too long, and nobody has been told yet."""
    latest = now - timedelta(seconds=settings.current.link_loss_s)
    return and_(Monitoring.silent_since.is_(None), Monitoring.monitored, Monitoring.received_at <= latest)


def raise_silent(session: Session, hospital_id: int, now: datetime) -> int:
    """Raise the alert of each bed that has gone silent; how many."""
    due = select(Monitoring).where(Monitoring.hospital_id == hospital_id, is_silent(now)).limit(_AT_ONCE)
    silent = session.scalars(due).all()
    for monitoring in silent:
        monitoring.silent_since = monitoring.received_at
        changed(monitoring, now)
        apply(session, monitoring, silence_began(monitoring.received_at), now)
    return len(silent)


def end_silence(session: Session, monitoring: Monitoring, now: datetime) -> None:
    """Part of observing: readings come again."""
    if monitoring.silent_since is not None:
        monitoring.silent_since = None
        apply(session, monitoring, silence_ended(now), now)
