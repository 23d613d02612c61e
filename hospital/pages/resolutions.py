"""POST /alerts/<id>/resolution: end an alert."""

from flask import Blueprint, Response

from hospital import clock
from hospital.access.guard import for_people, me
from hospital.alerts.resolving import resolve
from hospital.pages.acting import carry_out, seen
from hospital.roles import Right

blueprint = Blueprint("resolutions", __name__)


@blueprint.post("/alerts/<int:alert_id>/resolution")
@for_people(Right.SEE_ALERTS)
def create(alert_id: int) -> Response:
    """The act itself checks whether this person may resolve this alert."""
    actor, as_seen = me().actor, seen()
    return carry_out("resolve", alert_id, lambda session: resolve(session, actor, alert_id, as_seen, clock.now()))
