"""How many lines may be opened in a second: after an outage everybody comes back at once, and the rest must work on."""

import random
import time

from flask import Flask, request
from werkzeug.exceptions import ServiceUnavailable

from hospital import meters, settings
from hospital.access.lately import LINES
from hospital.access.sessions import cookie_name

_AGAIN_S = (1, 5)  # so that those who are sent away do not come back together


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


def prepare(app: Flask) -> None:
    """Before the guard, so that who is sent away costs no query. Who is nobody costs none there either."""
    bucket = Bucket()

    def admit() -> None:
        if (
            request.path in LINES
            and cookie_name() in request.cookies
            and not bucket.take(settings.current.streams_per_s)
        ):
            meters.count("streams_refused_total")
            raise ServiceUnavailable(
                "Too many screens are coming back at once. This one will be let in shortly.",
                retry_after=random.randint(*_AGAIN_S),  # noqa: S311 (spread, not a secret)
            )

    app.before_request(admit)
