"""Someone ends an alert."""

from datetime import datetime

from sqlalchemy.orm import Session

from hospital.alerts.clearing import end
from hospital.alerts.refusals import NotAcknowledged
from hospital.alerts.rights import Seen, alert_for, still_as
from hospital.records import Alert, journal
from hospital.roles import Actor, Right
from hospital.vocabulary import Happening, Priority, State


def resolve(session: Session, actor: Actor, alert_id: int, seen: Seen, at: datetime) -> Alert:
    """Nothing more to do. Raises a Refusal; a high alert must have been acknowledged.

    If the monitor still alarms, its next repeat raises a new alert.
    """
    alert = alert_for(session, actor, alert_id, Right.RESOLVE)
    still_as(alert, seen)
    if alert.priority is Priority.HIGH and alert.state is State.OPEN:
        raise NotAcknowledged
    end(session, alert, at)
    journal.append(session, alert, Happening.RESOLVED, at=at, by=actor.person_id)
    return alert
