"""An event stream as a browser reads it, over a plain socket: parsed events and the very bytes."""

import http.client
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import gevent

from tests.support.server import PATIENCE_S

_LINE_END = re.compile(rb"\r\n|\r(?=[^\n])|\n")  # WHATWG; a carriage return at the very end may still become \r\n


@dataclass(frozen=True)
class Event:
    """What a browser would dispatch; `id`: of this event itself, None if it has none."""

    name: str
    data: str
    id: str | None = None


class Reader:
    """The WHATWG parser, byte by byte if need be. `events` are those that were whole."""

    def __init__(self, data: bytes = b"") -> None:
        self.events: list[Event] = []
        self._rest = bytearray()
        self._fields: dict[str, list[str]] = {}
        self.feed(data)

    def feed(self, data: bytes) -> None:
        if b"\n" not in data and b"\r" not in data and not self._rest.endswith(b"\r"):
            self._rest += data  # in the middle of a long line
            return
        *lines, self._rest = _LINE_END.split(self._rest + data)
        for line in lines:
            self._take(line.decode())

    @property
    def is_between_events(self) -> bool:
        """Nothing has begun that is not finished."""
        return not self._rest and not self._fields

    def _take(self, line: str) -> None:
        if line:
            name, _, value = line.partition(":")
            self._fields.setdefault(name, []).append(value.removeprefix(" "))
            return
        given, self._fields = self._fields, {}
        if "data" in given:
            cursor = given["id"][-1] if "id" in given else None
            self.events.append(Event(given.get("event", ["message"])[-1], "\n".join(given["data"]), cursor))


def events_of(data: bytes) -> list[Event]:
    """All events in these bytes, which must end where an event ends."""
    reader = Reader(data)
    assert reader.is_between_events, data[-200:]
    return reader.events


@dataclass(eq=False)
class Ear:
    """Our end of a line: reads without ever waiting. `over`: "" while it is open, else "closed" or "reset"."""

    socket: socket.socket
    over: str = ""
    raw: bytearray = field(default_factory=bytearray)
    reader: Reader = field(default_factory=Reader)

    def __post_init__(self) -> None:
        self.socket.setblocking(False)

    @property
    def events(self) -> list[Event]:
        return self.reader.events

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def read(self, most: int = 1 << 20) -> None:
        """Take what is there, at most so many bytes."""
        while not self.over and most > 0:
            try:
                data = self.socket.recv(min(most, 1 << 16))
            except BlockingIOError:
                return
            except ConnectionResetError:
                self.over = "reset"
                return
            if not data:
                self.over = "closed"
            most -= len(data)
            self.raw += data
            self._understand(data)

    def reset(self) -> None:
        """Go without a goodbye, as a machine whose cable is pulled and whose kernel answers: RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def __del__(self) -> None:
        self.socket.close()

    def _understand(self, data: bytes) -> None:
        self.reader.feed(data)


class Stream(Ear):
    """GET /live/stream. `status` is 0 until the head is there; then `headers` (small letters) and what follows."""

    def __init__(
        self,
        port: int,
        cookie: str | None,
        *views: str,
        after: str | None = None,
        method: str = "GET",
        receive_buffer_bytes: int = 0,
        **headers: str,
    ) -> None:
        super().__init__(connected(port, receive_buffer_bytes))
        self.port: int = self.socket.getsockname()[1]
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head = b""
        self._unpack: Callable[[bytes], bytes] = bytes
        query = urlencode([*(("view", view) for view in views or ("alerts",)), *([("after", after)] if after else [])])
        lines = [f"{method} /live/stream?{query} HTTP/1.1", "Host: test"]
        lines += [f"Cookie: session={cookie}"] if cookie else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    @property
    def body(self) -> bytes:
        return bytes(self.raw).partition(b"\r\n\r\n")[2]

    def _understand(self, data: bytes) -> None:
        if self.status:
            self.reader.feed(self._unpack(data))
            return
        self._head += data
        head, end, body = self._head.partition(b"\r\n\r\n")
        if end:
            first, *rows = head.decode().split("\r\n")
            self.status = int(first.split()[1])
            self.headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
            if self.headers.get("content-encoding") == "gzip":
                self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress
            self.reader.feed(self._unpack(body))


def until(condition: Callable[[], object], *ears: Ear, within_s: float = PATIENCE_S) -> None:
    """Read these until it is so; fails if it has not come true in time. Lets an in-process server work meanwhile."""
    give_up_at = time.monotonic() + within_s
    while True:
        for ear in ears:
            ear.read()
        if condition():
            return
        assert time.monotonic() < give_up_at, f"not within {within_s} s: {[list(ear.events)[-3:] for ear in ears[:3]]}"
        gevent.sleep(0.002)


def greeted(*streams: Stream) -> None:
    """Wait until each has its hello."""
    until(lambda: all(stream.named("hello") for stream in streams), *streams)


def opened(port: int, cookies: Iterable[str]) -> list[Stream]:
    """A stream for each of these, all greeted; at most fifty knock at once."""
    streams: list[Stream] = []
    waiting = list(cookies)
    while waiting:
        now, waiting = waiting[:50], waiting[50:]
        streams += [Stream(port, cookie) for cookie in now]
        greeted(*streams[-len(now) :])
    return streams


@dataclass(frozen=True)
class Pass:
    """A signed-in session at a real server."""

    port: int
    cookie: str

    def post(self, path: str) -> int:
        """An act of the page's own; the status of its answer."""
        return _ask(self.port, "POST", path, self.cookie, csrf_token=self.csrf_token())[0]

    def csrf_token(self) -> str:
        page = _ask(self.port, "GET", "/alerts", self.cookie)[2]
        token: str = re.findall(r'<meta name="csrf-token" content="([^"]*)"', page)[0]
        return token


def sign_in(port: int, name: str) -> Pass:
    form = _ask(port, "GET", "/sign-in")[2]
    token = re.findall(r'name="csrf_token" value="([^"]*)"', form)[0]
    _, headers, _ = _ask(port, "POST", "/sign-in", name=name, password=f"demo-{name}", csrf_token=token)
    return Pass(port, re.findall(r"session=([^;]*)", headers)[0])


def _ask(port: int, method: str, path: str, cookie: str = "", **fields: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | (
        {"Cookie": f"session={cookie}"} if cookie else {}
    )
    connection.request(method, path, urlencode(fields) if fields else None, headers)
    answer = connection.getresponse()
    try:
        return answer.status, str(answer.headers), answer.read().decode()
    finally:
        connection.close()


def connected(port: int, receive_buffer_bytes: int) -> socket.socket:
    made = socket.socket()
    if receive_buffer_bytes:  # before connecting: it decides the window
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    made.connect(("127.0.0.1", port))
    return made
