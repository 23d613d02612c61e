"""The door of the stream: GET /live/stream?view=…&after=<cursor>, Server-Sent Events."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request
from gevent.queue import Empty, Queue

from hospital import meters, settings
from hospital.access.guard import for_people
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import RESTART, Watch
from hospital.live.line import GzipLine, SocketLine, numbers
from hospital.live.opening import cursor_asked, open_watch, relay
from hospital.live.relay import Relay
from hospital.roles import Right

blueprint = Blueprint("live", __name__)

_QUEUED = 100  # frames that a line without a socket of its own may be behind
# Each was seen to; others may wait for more than a frame. WebKitGTK does, too, but Safari unpacks with something else.
_SHOWS_GZIP_AT_ONCE = re.compile(r"Chrom(e|ium)/|Firefox/|^curl/")


@blueprint.get("/live/stream")
@for_people(Right.SEE_ALERTS)
def stream() -> Response:
    watch = open_watch()
    meters.count("streams_opened_total", transport="sse")
    kind = GzipLine if _is_gzipped() else SocketLine
    body = _hand_over(relay(), watch, cursor_asked(), kind)
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    if kind is GzipLine:
        response.content_encoding = "gzip"
    return response


def _is_gzipped() -> bool:
    """No compressor for one line alone: where the socket is handed over, its frames' shared bytes are written."""
    return (
        bool(request.environ.get("hospital.hands_over"))
        and request.accept_encodings["gzip"] > 0
        and bool(_SHOWS_GZIP_AT_ONCE.search(request.user_agent.string))
    )


def _hand_over(relay: Relay, watch: Watch, after: str | None, kind: type[SocketLine]) -> Iterator[bytes]:
    """Nothing, if the server hands its socket to the outlet; else the same frames from a generator."""
    if request.method == "HEAD":
        return iter(())
    if not request.environ.get("hospital.hands_over"):
        return _from_queue(relay, watch, after)

    def take(handed: Any) -> None:
        if kind is GzipLine:
            handed.sendall(frame.GZIP_HEAD)
        line = relay.outlet.adopt(handed, watch, kind)
        try:
            relay.join(line, after)
        except BaseException:  # the server ends only its own copy of the socket: ours would stay open, and silent
            line.close()
            raise

    request.environ["hospital.take_socket"] = take
    return iter(())


class QueueLine:
    """A line without a socket of its own: TLS in our own process, another server, a test client."""

    transport = "sse"

    def __init__(self, watch: Watch, relay: Relay) -> None:
        self.watch = watch
        self.number = next(numbers)
        self.beat_at = watch.since
        self.resyncs = 0
        self.ended = False
        self.waiting: Queue[bytes | None] = Queue()
        self._relay = relay

    @property
    def waiting_bytes(self) -> int:
        return sum(len(data) for data in self.waiting.queue if data)

    def send(self, frame: Frame) -> None:
        if self.ended:
            return
        if self.waiting.qsize() < _QUEUED:
            self.waiting.put_nowait(frame)
            return
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.resyncs += 1
        self.waiting.put_nowait(self._relay.resync(self.watch.audience.hospital_id))

    def close(self, last: Frame | None = None, code: int = RESTART) -> None:
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
