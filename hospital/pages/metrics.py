"""Alerts in numbers."""

from flask import Blueprint

from hospital import records
from hospital.access.guard import for_people, me
from hospital.fragments.panel import metrics as numbers
from hospital.pages.layout import fragments, now_of, page, urgent_in
from hospital.roles import Right

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@for_people(Right.SEE_ALERTS)
def metrics() -> str:
    actor = me().actor
    with records.read() as session:
        now = now_of(session, me())
        urgent = urgent_in(session, me(), now)
        panel = fragments().panel(m=numbers(session, actor.hospital_id, actor.scope, now.zone))
    return page("pages/metrics.html", now, view="metrics", urgent=urgent, panel=panel)
