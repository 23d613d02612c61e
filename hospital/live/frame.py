"""What goes over the line: Server-Sent Events, made once for all who get them, and encoded once for each transport."""

import json
import re
import zlib
from datetime import datetime
from functools import cached_property
from pathlib import Path

from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from hospital import clock

_CARD = Path(__file__).parents[2] / "templates/fragments/alert_card.html"
_LINE_END = re.compile(r"\r\n|\r|\n")  # a browser's; str.splitlines knows seven more


class Frame(bytes):
    """One SSE block, or several that go out together. Its other encodings are made when a first line asks for them."""

    _parts: "tuple[Frame, ...]" = ()

    @classmethod
    def together(cls, *parts: "Frame") -> "Frame":
        """One frame of these, which are whole in every encoding."""
        whole = cls(b"".join(parts))
        whole._parts = parts
        return whole

    @cached_property
    def gzip(self) -> bytes:
        """A piece that is right anywhere in any gzip stream that began with GZIP_HEAD.

        Every piece ends with the same comment, so the next may refer to that, wherever it goes: a card is four times
        smaller. A fresh compressor knows of nothing else, and a full flush leaves nothing over.
        """
        if self._parts:
            return b"".join(part.gzip for part in self._parts)
        return _deflated(self + _MARKUP, before=_MARKUP)

    @cached_property
    def messages(self) -> bytes:
        """A WebSocket's text message for each block, without the blank line that closes it."""
        if self._parts:
            return b"".join(part.messages for part in self._parts)
        return Connection(ConnectionType.SERVER).send(TextMessage(data=self.decode().removesuffix("\n\n")))


def _markup() -> bytes:
    """What every card says, as a comment: browsers skip it, and compressors find their words there."""
    without_marks = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", _CARD.read_text(), flags=re.S)
    return f": {' '.join(without_marks.split())}\n\n".encode()


def _deflated(data: bytes, before: bytes = b"") -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=before)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


_MARKUP = _markup()
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + _deflated(_MARKUP)  # no name, no time; then the first comment


def frame(html: str, cursor: str) -> Frame:
    """The current fragment of each thing that lines up to `cursor` touched."""
    return _event("frame", html, cursor)


def vitals(html: str) -> Frame:
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
    rights: datetime | None = None,
    build: str = "",
) -> Frame:
    """First on every stream. Frames up to `head` bring a screen up to date and make no toast.

    `replay`: one comes next, and only after it is the screen current. `person`: whose stream it is, so that a page of
    somebody else does not take it. `rights`: since when they may see what they see, so that a page made
    before does not go on. `build`: what this server's pages are made of.
    """
    says = {"cursor": cursor, "head": head, "beat_s": beat_s, "now": clock.iso(now), "replay": replay, "person": person}
    return _event("hello", json.dumps(says | {"rights": rights and clock.iso(rights), "build": build}))


def reload(build: str) -> Frame:
    """Right after hello: the page is of another build than this server's."""
    return _event("reload", json.dumps({"build": build}))


def beat(cursor: str, head: int, now: datetime) -> Frame:
    """Everything up to `cursor` has been written to this stream, and the server is alive at `now`."""
    return _event("beat", json.dumps({"head": head, "now": clock.iso(now)}), cursor)


def resync(cursor: str, why: str) -> Frame:
    """There is a gap that cannot be filled: fetch your regions anew."""
    return _event("resync", json.dumps({"why": why}), cursor)


def auth(why: str) -> Frame:
    """The last word on a stream: sign in again."""
    return _event("auth", json.dumps({"why": why}))


def drain(within_s: float) -> Frame:
    """This process goes, and ends this line within so many seconds: come back after a random part of them."""
    return _event("drain", json.dumps({"within_s": within_s}))


def error(sentence: str) -> Frame:
    """Something was said on the line that the server does not take; nothing else is wrong."""
    return _event("error", json.dumps({"why": sentence}))


def _event(name: str, data: str, cursor: str | None = None) -> Frame:
    """A line break in the data must not end the event: each line of it gets its own field."""
    lines = [
        f"event: {name}",
        *(f"id: {cursor}" for _ in (1,) if cursor),
        *(f"data: {x}" for x in _LINE_END.split(data)),
    ]
    return Frame(("\n".join(lines) + "\n\n").encode())
