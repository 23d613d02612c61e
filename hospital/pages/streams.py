"""GET /admin/streams: which screens are connected to this process, and how well they keep up. No patient is named."""

from typing import Any

from flask import Blueprint, current_app
from sqlalchemy import select

from hospital import records
from hospital.access.guard import for_people, me
from hospital.fragments.moment import moment
from hospital.fragments.words import gettext
from hospital.pages.layout import ROLE_WORDS, now_of, page
from hospital.records import Person
from hospital.roles import Right

blueprint = Blueprint("streams", __name__)


@blueprint.get("/admin/streams")
@for_people(Right.SEE_STREAMS)
def streams() -> str:
    """Those of the admin's own hospital. A view may name a patient by number: then it is told as 'patient'."""
    hospital_id = me().actor.hospital_id
    lines = [line for line in _lines() if line.watch.audience.hospital_id == hospital_id]
    with records.read() as session:
        now = now_of(session, me())
        of_them = Person.id.in_({line.watch.person_id for line in lines})
        names = {person.id: person.display_name for person in session.scalars(select(Person).where(of_them))}
    rows = [
        {
            "name": names.get(line.watch.person_id, ""),
            "role": gettext(ROLE_WORDS[line.watch.role]),
            "views": ", ".join(sorted({view.split(":")[0] for view in line.watch.audience.views})),
            "transport": line.transport,
            "since": moment(line.watch.since, now.zone, seconds=True),
            "beat": moment(line.beat_at, now.zone, seconds=True),
            "waiting_bytes": line.waiting_bytes,
            "resyncs": line.resyncs,
        }
        for line in sorted(lines, key=lambda line: line.number)
    ]
    return page("pages/streams.html", now, lines=rows)


def _lines() -> list[Any]:
    """What app.py hands to every door; live/hub.py says what a line is."""
    lines: list[Any] = current_app.extensions["relay"].hub.everyone()
    return lines
