"""POST /alerts/<id>/escalation: call the next step now."""

from flask import Blueprint, Response

from hospital import clock
from hospital.access.guard import for_people, me
from hospital.alerts.escalating import escalate
from hospital.pages.acting import carry_out, seen
from hospital.roles import Right

blueprint = Blueprint("escalations", __name__)


@blueprint.post("/alerts/<int:alert_id>/escalation")
@for_people(Right.SEE_ALERTS)
def create(alert_id: int) -> Response:
    """The act itself checks whether this person may escalate this alert."""
    actor, as_seen = me().actor, seen()
    return carry_out("escalate", alert_id, lambda session: escalate(session, actor, alert_id, as_seen, clock.now()))
