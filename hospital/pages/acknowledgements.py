"""POST /alerts/<id>/acknowledgement: take an alert."""

from flask import Blueprint, Response

from hospital import clock
from hospital.access.guard import for_people, me
from hospital.alerts.acknowledging import acknowledge
from hospital.pages.acting import carry_out, seen
from hospital.roles import Right

blueprint = Blueprint("acknowledgements", __name__)


@blueprint.post("/alerts/<int:alert_id>/acknowledgement")
@for_people(Right.SEE_ALERTS)
def create(alert_id: int) -> Response:
    """The act itself checks whether this person may acknowledge this alert."""
    actor, as_seen = me().actor, seen()
    return carry_out(
        "acknowledge", alert_id, lambda session: acknowledge(session, actor, alert_id, as_seen, clock.now())
    )
