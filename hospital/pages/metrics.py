"""Alerts in numbers."""

from flask import Blueprint, Response, make_response, request

from hospital import records
from hospital.access.guard import for_people, me
from hospital.fragments.counting import count, waiting
from hospital.fragments.ranges import HOURS, Range
from hospital.fragments.words import gettext
from hospital.pages.asked import NotARange, asked
from hospital.pages.layout import fragments, now_of, page, urgent_in
from hospital.roles import Right
from hospital.vocabulary import N_

blueprint = Blueprint("metrics", __name__)

_RANGE_WORDS = dict(zip(HOURS, (N_("Last hour"), N_("24 hours"), N_("7 days"), N_("30 days")), strict=True))
_AS_WRITTEN = "%Y-%m-%dT%H:%M"  # as a browser's field for a day and a time has it


@blueprint.get("/metrics")
@for_people(Right.SEE_ALERTS)
def metrics() -> Response:
    """A time that cannot be counted in is told beside its fields, and the last day is shown."""
    units, error = (me().actor.hospital_id, me().actor.scope), ""
    with records.read() as session:
        now = now_of(session, me())
        urgent = urgent_in(session, me(), now)
        open_now = waiting(session, *units)
    try:
        range_ = asked(now.zone)
    except NotARange as problem:
        error, range_ = str(problem), Range.up_to_now(24)
    counted = records.read_aside(lambda session: count(session, *units, now.zone, range_))
    fields = {
        name: request.args.get(name) or at.astimezone(now.zone).strftime(_AS_WRITTEN)
        for name, at in (("from", range_.since), ("to", range_.until))
    }
    made = page(
        "pages/metrics.html",
        now,
        view=f"metrics:{range_.hours}",
        urgent=urgent,
        open_now=fragments().numbers(open_now, now.zone),
        panel=fragments().numbers(counted, now.zone),
        hours=range_.hours,
        ranges=[(hours, gettext(word)) for hours, word in _RANGE_WORDS.items()],
        given=fields,
        query=request.query_string.decode() if not error else "",
        error=error,
    )
    return make_response(made, 422 if error else 200)
