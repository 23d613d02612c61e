"""Someone takes an alert."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from hospital.alerts.refusals import AlreadyAcknowledged
from hospital.alerts.rights import Seen, alert_for, still_as
from hospital.records import Acknowledgement, Alert, journal
from hospital.roles import Actor, Right
from hospital.vocabulary import Happening, State


def acknowledge(session: Session, actor: Actor, alert_id: int, seen: Seen, at: datetime) -> Alert:
    """The person has it from now on, and it neither climbs nor expires. Raises a Refusal; the first of two wins."""
    alert = alert_for(session, actor, alert_id, Right.ACKNOWLEDGE)
    if alert.state is State.ACKNOWLEDGED:
        raise AlreadyAcknowledged
    still_as(alert, seen)
    session.add(Acknowledgement(alert_id=alert.id, person_id=actor.person_id, since=at))
    alert.state, alert.owner_id, alert.owned_at = State.ACKNOWLEDGED, actor.person_id, at
    alert.escalate_at = alert.expires_at = None
    journal.append(session, alert, Happening.ACKNOWLEDGED, at=at, by=actor.person_id)
    return alert


def release(session: Session, alert: Alert, at: datetime) -> None:
    """Part of other acts: nobody has it any more."""
    alert.owner_id = alert.owned_at = None
    close_acknowledgements(session, alert, at)


def close_acknowledgements(session: Session, alert: Alert, at: datetime) -> None:
    """Part of other acts: who has the alert has it no longer; the alert remembers who had it last."""
    query = update(Acknowledgement).where(Acknowledgement.alert_id == alert.id, Acknowledgement.until.is_(None))
    session.execute(query.values(until=at))
