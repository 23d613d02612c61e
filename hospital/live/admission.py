"""How many lines may be opened: after an outage everybody comes back at once, and the rest must work on.

So many a second; a few at a time, so that acts and pages come in between; and none for whom nobody waits any more: a
server that works off the requests of clients that have given up answers nobody, and never catches up. So who has waited
too long, or stands too far behind, is sent away, before Flask: a refusal must cost far less than an opening.
"""

import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from gevent.lock import BoundedSemaphore

from hospital import meters, settings
from hospital.access.lately import LINES

_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_AGAIN_S = (1, 5)  # so that those who are sent away do not come back together
_AT_ONCE = 16  # most of an opening's time is waiting for its trace; what is left of it must not hold up an act
_ESTABLISHED = 1  # of a TCP connection: its peer has not gone, and has not said that it will
_TCP_INFO = struct.Struct("=B 51x I")  # its state, and how many ms ago its last bytes came
_REFUSAL = json.dumps(
    {
        "status": 503,
        "title": "Not now",
        "detail": "Too many screens are coming back at once. This one will be let in shortly.",
    }
).encode()
_HEADERS = [
    ("Content-Type", "application/problem+json"),
    ("Content-Length", str(len(_REFUSAL))),
    ("Content-Security-Policy", "default-src 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
]


class Bucket:
    """A token bucket: so many a second, and at most as many at once."""

    def __init__(self) -> None:
        self._tokens = 0.0
        self._at = float("-inf")

    def take(self, per_s: float) -> bool:
        now = time.monotonic()
        self._tokens = min(per_s, self._tokens + (now - self._at) * per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Admission:
    """WSGI middleware, before everything that costs. Who has no cookie is nobody, takes no place and costs no query."""

    def __init__(self, app: _Wsgi) -> None:
        self._app = app
        self._bucket = Bucket()
        self._places = BoundedSemaphore(_AT_ONCE)
        self._waiting = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") not in LINES or "session=" not in environ.get("HTTP_COOKIE", ""):
            return self._app(environ, start_response)
        why = self._why_not(environ)
        if why:
            return _refuse(why, start_response)
        self._waiting += 1
        with self._places:
            self._waiting -= 1
            why = _why_late(environ)
            return _refuse(why, start_response) if why else self._app(environ, start_response)

    def _why_not(self, environ: dict[str, Any]) -> str:
        if self._waiting >= settings.current.streams_waiting:
            return "waiting"
        return _why_late(environ) or ("" if self._bucket.take(settings.current.streams_per_s) else "rate")


def _why_late(environ: dict[str, Any]) -> str:
    """The system knows how long ago the request came, however long it lay before anybody looked at it."""
    asked_on: Any = environ.get("hospital.socket")
    if asked_on is None or asked_on.family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    state, since_ms = _TCP_INFO.unpack(asked_on.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size))
    if state != _ESTABLISHED:
        return "gone"
    return "late" if since_ms > settings.current.stream_wait_s * 1000 else ""


def _refuse(why: str, start_response: Any) -> Iterable[bytes]:
    meters.count("streams_refused_total", reason=why)
    again_s = random.randint(*_AGAIN_S)  # noqa: S311 (spread, not a secret)
    start_response("503 Service Unavailable", [*_HEADERS, ("Retry-After", str(again_s))])
    return [_REFUSAL]
