"""POST /alerts/<id>/notes: write something down about an alert."""

from flask import Blueprint, Response, request

from hospital import clock
from hospital.access.guard import for_people, me
from hospital.alerts.noting import note
from hospital.pages.acting import carry_out
from hospital.roles import Right

blueprint = Blueprint("notes", __name__)


@blueprint.post("/alerts/<int:alert_id>/notes")
@for_people(Right.SEE_ALERTS)
def create(alert_id: int) -> Response:
    """The field `text`. The act itself checks whether this person may write here."""
    actor, text = me().actor, request.form.get("text", "")
    return carry_out("note", alert_id, lambda session: note(session, actor, alert_id, text, clock.now()), text)
