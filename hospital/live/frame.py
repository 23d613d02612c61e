"""What goes over the line: Server-Sent Events, encoded once for all who get them."""

import json
import re
from datetime import datetime

from hospital import clock

_LINE_END = re.compile(r"\r\n|\r|\n")  # a browser's; str.splitlines knows seven more


def frame(html: str, cursor: str) -> bytes:
    """The current fragment of each thing that lines up to `cursor` touched."""
    return _event("frame", html, cursor)


def vitals(html: str) -> bytes:
    """The latest of what changes all the time. Without a cursor: it is not replayed, only overtaken."""
    return _event("frame", html)


def hello(
    cursor: str,
    head: int,
    beat_s: float,
    now: datetime,
    *,
    replay: bool = False,
    person: int | None = None,
    build: str = "",
) -> bytes:
    """First on every stream. Frames up to `head` bring a screen up to date and make no toast.

    `replay`: one comes next, and only after it is the screen current. `person`: whose stream it is, so that a page of
    somebody else does not take it. `build`: what this server's pages are made of.
    """
    says = {"cursor": cursor, "head": head, "beat_s": beat_s, "now": clock.iso(now), "replay": replay, "person": person}
    return _event("hello", json.dumps(says | {"build": build}))


def reload(build: str) -> bytes:
    """Right after hello: the page is of another build than this server's."""
    return _event("reload", json.dumps({"build": build}))


def beat(cursor: str, head: int, now: datetime) -> bytes:
    """Everything up to `cursor` has been written to this stream, and the server is alive at `now`."""
    return _event("beat", json.dumps({"head": head, "now": clock.iso(now)}), cursor)


def resync(cursor: str, why: str) -> bytes:
    """There is a gap that cannot be filled: fetch your regions anew."""
    return _event("resync", json.dumps({"why": why}), cursor)


def auth(why: str) -> bytes:
    """The last word on a stream: sign in again."""
    return _event("auth", json.dumps({"why": why}))


def drain(within_s: float) -> bytes:
    """This process goes, and ends this line within so many seconds: come back after a random part of them."""
    return _event("drain", json.dumps({"within_s": within_s}))


def _event(name: str, data: str, cursor: str | None = None) -> bytes:
    """A line break in the data must not end the event: each line of it gets its own field."""
    lines = [
        f"event: {name}",
        *(f"id: {cursor}" for _ in (1,) if cursor),
        *(f"data: {x}" for x in _LINE_END.split(data)),
    ]
    return ("\n".join(lines) + "\n\n").encode()
