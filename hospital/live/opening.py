"""Who opens a line, and what they may see: the same for an event stream and for a WebSocket."""

import re

from flask import current_app, request
from sqlalchemy import select
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable, TooManyRequests

from hospital import clock, records, settings
from hospital.access import limits
from hospital.access.guard import me
from hospital.access.sessions import SignedIn
from hospital.fragments import language
from hospital.live.hub import PATIENT, VIEWS, Audience, Watch
from hospital.live.relay import Relay
from hospital.records import Monitoring
from hospital.roles import Right

_PATIENT = re.compile(rf"{PATIENT}[0-9]{{1,18}}")
_AGAIN_S = 5
_MOST_VIEWS = 100  # of all tabs of a browser: each patient among them is looked up
_LONGEST_BUILD = 40  # characters; it is kept as long as the line


def open_watch() -> Watch:
    """Of the person who asks. Raises BadRequest, NotFound, TooManyRequests, ServiceUnavailable."""
    person = me()
    if relay().draining:
        raise ServiceUnavailable("This server is being stopped. Try again.", retry_after=1)
    audience = _audience(person, request.args.getlist("view"))
    if len(relay().hub.of_person(person.actor.person_id)) >= settings.current.streams_per_person:
        raise TooManyRequests("You have too many streams open. Close some tabs.", retry_after=_AGAIN_S)
    again_each_second = 60 * settings.current.streams_per_person
    limits.count("streams", person.actor.person_id, again_each_second)
    return Watch(
        audience,
        person.session_id,
        person.actor.person_id,
        person.actor.role,
        person.changed_at,
        clock.now(),
        person.expires_at,
        request.args.get("build", "")[:_LONGEST_BUILD],
        person.emergency_until,
    )


def cursor_asked() -> str | None:
    """From where to go on; a browser that reconnects asks for the address of the page, which is old by then."""
    return request.headers.get("Last-Event-ID") or request.args.get("after")


def relay() -> Relay:
    made: Relay = current_app.extensions["relay"]
    return made


def _audience(person: SignedIn, views: list[str]) -> Audience:
    """What this person may see: from the person, never from the URL."""
    if not 0 < len(views) <= _MOST_VIEWS or not all(view in VIEWS or _PATIENT.fullmatch(view) for view in views):
        raise BadRequest(
            f"view must be one or more (up to {_MOST_VIEWS}) of: {', '.join(sorted(VIEWS))}, patient:<number>."
        )
    for view in views:
        if view.startswith(PATIENT):
            _check_patient(person, int(view.removeprefix(PATIENT)))
    actor, wanted = person.actor, frozenset(views)
    identity = actor.may(Right.SEE_IDENTITY) and wanted != {"board"}  # a wall shows beds, whoever has put it up
    return Audience(actor.hospital_id, actor.scope, identity, language.current(), wanted)


def _check_patient(person: SignedIn, patient_id: int) -> None:
    """One's own units only; when the patient moves, the audience's units decide again with every frame."""
    with records.read() as session:
        query = select(Monitoring.hospital_id, Monitoring.unit_id).where(Monitoring.patient_id == patient_id)
        place = session.execute(query).one_or_none()
    if place is None or place.hospital_id != person.actor.hospital_id or place.unit_id not in person.actor.scope:
        raise NotFound("There is no such patient in your units.")
