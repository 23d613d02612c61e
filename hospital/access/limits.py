"""How much one person or sender may ask for in a minute: Flask-Limiter counts, in the memory of this process.

Generous: it stops a program that has run wild, and never a nurse in a storm. Alarms over MLLP are not counted here.
"""

import math
import time

from flask import Flask, current_app
from flask_limiter import Limiter
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from hospital import meters
from hospital.vocabulary import N_


def prepare(app: Flask) -> None:
    app.extensions["limits"] = limiter = Limiter(
        key_func=lambda: "", strategy="sliding-window-counter", storage_uri="memory://"
    )
    limiter.init_app(app)


def count(what: str, who: int, per_minute: int) -> None:
    """One more act, stream or message of this person or sender. Raises TooManyRequests."""
    counter, most = current_app.extensions["limits"].limiter, RateLimitItemPerMinute(per_minute)
    if counter.hit(most, what, str(who)):
        return
    meters.count("limited_total", what=what)
    wait_s = counter.get_window_stats(most, what, str(who)).reset_time - time.time()
    raise TooManyRequests(
        N_("That is more than one may ask for in a minute."),
        retry_after=max(1, math.ceil(wait_s)),
    )
