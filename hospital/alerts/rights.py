"""The act's own check: may this person do this to this alert, and is it still as the person saw it?"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hospital.alerts.refusals import AlreadyResolved, HasChanged, NoSuchPatient, NotAllowed, NotFound, PriorityRaised
from hospital.records import Alert, Monitoring
from hospital.roles import Actor, Right
from hospital.vocabulary import Priority, State


@dataclass(frozen=True)
class Seen:
    """The state and priority on the screen of the one who acts; None where it was not told."""

    state: State | None = None
    priority: Priority | None = None


def alert_for(session: Session, actor: Actor, alert_id: int, right: Right) -> Alert:
    """The alert, if the person may do `right` to it. Raises NotFound (also for foreign ones) or NotAllowed."""
    alert = session.get(Alert, alert_id)
    if alert is None or alert.hospital_id != actor.hospital_id or alert.unit_id not in actor.scope:
        raise NotFound
    if not allowed(actor, alert, right):
        raise NotAllowed
    return alert


def allowed(actor: Actor, alert: Alert, right: Right) -> bool:
    """Whether the role may do this, given that the person sees the alert."""
    if right is Right.RESOLVE and alert.unit_id is None:
        return actor.may(Right.RESOLVE) or actor.may(Right.RESOLVE_UNASSIGNED)
    return actor.may(right)


def still_as(alert: Alert, seen: Seen) -> None:
    """Raises AlreadyResolved, PriorityRaised or HasChanged. Repeats and new values never refuse an act."""
    if alert.state is State.RESOLVED:
        raise AlreadyResolved
    if seen.priority is not None and alert.priority.is_above(seen.priority):
        raise PriorityRaised
    if seen.state is not None and alert.state is not seen.state:
        raise HasChanged


def patient_for(session: Session, actor: Actor, patient_id: int, right: Right) -> Monitoring:
    """The patient as known now, if the person may do `right` to it. Raises NoSuchPatient or NotAllowed."""
    monitoring = session.get(Monitoring, patient_id)
    if monitoring is None or monitoring.hospital_id != actor.hospital_id or monitoring.unit_id not in actor.scope:
        raise NoSuchPatient
    if not actor.may(right):
        raise NotAllowed
    return monitoring
