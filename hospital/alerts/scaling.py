"""A physician chooses the SpO2 scale of a patient's NEWS2."""

from datetime import datetime

from sqlalchemy.orm import Session

from hospital.alerts.monitoring import changed
from hospital.alerts.observing import score_again
from hospital.alerts.refusals import NoSuchScale
from hospital.alerts.rights import patient_for
from hospital.records import Monitoring
from hospital.roles import Actor, Right


def set_scale(session: Session, actor: Actor, patient_id: int, scale: int, at: datetime) -> Monitoring:
    """Scale 2 is for confirmed hypercapnic respiratory failure (RCP NEWS2); who set it, and when, is kept. What the
    score is by this scale raises at once."""
    monitoring = patient_for(session, actor, patient_id, Right.SET_SCALE)
    if scale not in (1, 2):
        raise NoSuchScale
    monitoring.spo2_scale, monitoring.scale_by_id, monitoring.scale_at = scale, actor.person_id, at
    score_again(session, monitoring, at)
    changed(monitoring, at)
    return monitoring
