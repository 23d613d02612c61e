"""The door of the stream: GET /live/stream?view=…&after=<cursor>, Server-Sent Events."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, request
from gevent.queue import Empty, Queue
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable, TooManyRequests

from hospital import clock, meters, records, settings
from hospital.access.guard import for_people, me
from hospital.access.sessions import SignedIn
from hospital.fragments import language
from hospital.live.hub import PATIENT, VIEWS, Audience, Watch
from hospital.live.relay import Relay
from hospital.records import Monitoring
from hospital.roles import Right

blueprint = Blueprint("live", __name__)

_PATIENT = re.compile(rf"{PATIENT}[0-9]{{1,18}}")
_QUEUED = 100  # frames that a line without a socket of its own may be behind


@blueprint.get("/live/stream")
@for_people(Right.SEE_ALERTS)
def stream() -> Response:
    person, relay = me(), _relay()
    if relay.draining:
        raise ServiceUnavailable("This server is being stopped. Try again.", retry_after=1)
    watch = _watch(person, request.args.getlist("view"))
    if len(relay.hub.of_person(person.actor.person_id)) >= settings.current.streams_per_person:
        raise TooManyRequests("You have too many streams open. Close some tabs.", retry_after=5)
    after = request.headers.get("Last-Event-ID") or request.args.get("after")
    meters.count("streams_opened_total", transport="sse")
    return Response(
        _hand_over(relay, watch, after),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def audience(person: SignedIn, views: frozenset[str]) -> Audience:
    """What this person may see: from the person, never from the URL."""
    actor = person.actor
    identity = actor.may(Right.SEE_IDENTITY) and views != {"board"}  # a wall shows beds, whoever has put it up
    return Audience(actor.hospital_id, actor.scope, identity, language.current(), views)


def _watch(person: SignedIn, views: list[str]) -> Watch:
    if not views or not all(view in VIEWS or _PATIENT.fullmatch(view) for view in views):
        raise BadRequest(f"view must be one or more of: {', '.join(sorted(VIEWS))}, patient:<number>.")
    for view in views:
        if view.startswith(PATIENT):
            _check_patient(person, int(view.removeprefix(PATIENT)))
    of_it = audience(person, frozenset(views))
    build = request.args.get("build", "")
    return Watch(of_it, person.session_id, person.actor.person_id, clock.now(), person.expires_at, build)


def _check_patient(person: SignedIn, patient_id: int) -> None:
    """One's own units only; when the patient moves, the audience's units decide again with every frame."""
    with records.read() as session:
        monitoring = session.get(Monitoring, patient_id)
    if (
        monitoring is None
        or monitoring.hospital_id != person.actor.hospital_id
        or monitoring.unit_id not in person.actor.scope
    ):
        raise NotFound("There is no such patient in your units.")


def _hand_over(relay: Relay, watch: Watch, after: str | None) -> Iterator[bytes]:
    """Nothing, if the server hands its socket to the outlet; else the same frames from a generator."""
    if request.method == "HEAD":
        return iter(())
    if not request.environ.get("hospital.hands_over"):
        return _from_queue(relay, watch, after)

    def take(handed: Any) -> None:
        line = relay.outlet.adopt(handed, watch)
        try:
            relay.join(line, after)
        except BaseException:  # the server ends only its own copy of the socket: ours would stay open, and silent
            line.close()
            raise

    request.environ["hospital.take_socket"] = take
    return iter(())


class QueueLine:
    """A line without a socket of its own: TLS in our own process, another server, a test client."""

    def __init__(self, watch: Watch, relay: Relay) -> None:
        self.watch = watch
        self.ended = False
        self.waiting: Queue[bytes | None] = Queue()
        self._relay = relay

    def send(self, data: bytes) -> None:
        if self.ended:
            return
        if self.waiting.qsize() < _QUEUED:
            self.waiting.put_nowait(data)
            return
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(self._relay.resync(self.watch.audience.hospital_id))

    def close(self, last: bytes = b"") -> None:
        if self.ended:
            return
        self.ended = True
        self._relay.hub.leave(self)
        self.waiting.put_nowait(last)
        self.waiting.put_nowait(None)


def _from_queue(relay: Relay, watch: Watch, after: str | None) -> Iterator[bytes]:
    line = QueueLine(watch, relay)
    relay.join(line, after)
    try:
        while (data := _next(line)) is not None:
            yield data
    finally:
        relay.hub.leave(line)


def _next(line: QueueLine) -> bytes | None:
    try:
        data: bytes | None = line.waiting.get(timeout=settings.current.dead_peer_s)
        return data
    except Empty:
        return b""  # lets the server find out that the peer has gone


def _relay() -> Relay:
    relay: Relay = current_app.extensions["relay"]
    return relay
