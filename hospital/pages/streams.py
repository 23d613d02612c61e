"""GET /admin/streams: which screens are connected to this process, and how well they keep up. No patient is named."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from hospital import records
from hospital.access import traces
from hospital.access.guard import for_people, me
from hospital.fragments.moment import moment
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, now_of, page
from hospital.records import Person
from hospital.roles import Right, Role
from hospital.vocabulary import N_

blueprint = Blueprint("streams", __name__)

_TRANSPORTS = {"sse": N_("Event stream"), "websocket": N_("WebSocket")}
_VIEWS = {
    "alerts": N_("Alerts"),
    "patients": N_("Patients"),
    "patient": N_("A patient"),
    "metrics": N_("Metrics"),
    "board": N_("Board"),
}


@blueprint.get("/admin/streams")
@for_people(Right.SEE_STREAMS)
def streams() -> str:
    """Those of the admin's own hospital. A view may name a patient by number: then it is told as 'a patient'."""
    lines = _lines()
    with records.read() as session:
        now = now_of(session, me())
        of_them = Person.id.in_({line.watch.person_id for line in lines})
        names = {person.id: person.display_name for person in session.scalars(select(Person).where(of_them))}
    rows = [
        {
            "number": line.number,
            "name": names.get(line.watch.person_id, ""),
            "role": gettext(ROLE_WORDS[line.watch.role]),
            "views": ", ".join(gettext(word) for view, word in _VIEWS.items() if view in _looks_at(line)),
            "transport": gettext(_TRANSPORTS[line.transport]),
            "since": moment(line.watch.since, now.zone, seconds=True),
            "beat": moment(line.beat_at, now.zone, seconds=True),
            "waiting_bytes": line.waiting_bytes,
            "resyncs": line.resyncs,
        }
        for line in sorted(lines, key=lambda line: line.number)
    ]
    return page("pages/streams.html", now, lines=rows, counts=_counts(lines), transports=_TRANSPORTS.values())


@blueprint.post("/admin/streams/<int:line_id>/end")
@for_people(Right.SEE_STREAMS)
def end(line_id: int) -> Response:
    """For a line that hangs: its screen comes back by itself. Whom one wants out is signed out instead."""
    line = next((line for line in _lines() if line.number == line_id), None)
    if line is None:
        raise NotFound(N_("There is no such line in this server process; it may have ended already."))
    traces.did(f"line:{line_id}", f"of person:{line.watch.person_id}, {line.transport}")
    line.close()
    return make_response(redirect("/admin/streams", 303))


def _lines() -> list[Any]:
    """Of the admin's own hospital, from what app.py hands to every door; live/hub.py says what a line is."""
    everyone: list[Any] = current_app.extensions["relay"].hub.everyone()
    return [line for line in everyone if line.watch.audience.hospital_id == me().actor.hospital_id]


def _looks_at(line: Any) -> set[str]:
    return {view.split(":")[0] for view in line.watch.audience.views}


def _counts(lines: list[Any]) -> list[tuple[str, list[int]]]:
    """Each role that has a line, and how many of each transport."""
    counts = Counter((line.watch.role, line.transport) for line in lines)
    roles = [role for role in Role if any(of is role for of, _ in counts)]
    return [(gettext(ROLE_WORDS[role]), [counts[role, transport] for transport in _TRANSPORTS]) for role in roles]
