"""One request and what comes back, without ever waiting: a page, an event stream, or a WebSocket."""

import base64
import os
import select
import socket
from collections.abc import Callable
from time import monotonic

from tests.support.pieces import read_block
from tests.support.screen import Screen

_READ_BYTES = 65_536
_GIVE_UP_S = 15.0


class Exchange:
    """A connection with one request on it. `gone` is told when it is over, and closes the socket."""

    def __init__(self, port: int, request: bytes, gone: Callable[["Exchange"], None], receive_buffer_bytes: int = 0):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if receive_buffer_bytes:  # before connecting: it decides the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.connect_ex(("127.0.0.1", port))
        self.fd = self.socket.fileno()
        self.heard_at = monotonic()
        self.status = 0
        self.headers: dict[str, str] = {}
        self._request = request
        self._rest = b""
        self._gone = gone
        self._is_over = False

    def ready(self, events: int) -> str:
        """What epoll said. 'connected': from now on only reading matters."""
        if events & select.EPOLLOUT:
            try:
                self.socket.send(self._request)
            except OSError:
                self.end(whole=False)
                return ""
            return "connected"
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return ""
        except OSError:
            data, lost = b"", True
        else:
            lost = False
        if data:
            self.heard_at = monotonic()
            self._take(data)
        else:
            self.end(whole=not lost)
        return ""

    def abort(self) -> None:
        self.end(whole=False)

    def end(self, *, whole: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._gone(self)
            self.on_over(whole)

    def on_head(self) -> None: ...

    def on_body(self, data: bytes) -> None: ...

    def on_over(self, whole: bool) -> None: ...

    def _take(self, data: bytes) -> None:
        if self.status:
            self.on_body(data)
            return
        self._rest += data
        head, end, body = self._rest.partition(b"\r\n\r\n")
        if end:
            first, *rows = head.decode("latin-1").split("\r\n")
            self.status = int(first.split()[1])
            self.headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
            self._rest = b""
            self.on_head()
            if body and not self._is_over:
                self.on_body(body)


class Fetching(Exchange):
    """A page. Told as status 0 and None if it did not come whole."""

    def __init__(
        self,
        cookie: str,
        port: int,
        path: str,
        done: Callable[[int, str | None], None],
        gone: Callable[[Exchange], None],
    ):
        super().__init__(port, _request(path, cookie, "Accept: text/html"), gone)
        self._body = bytearray()
        self._done = done

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) >= int(self.headers.get("content-length", -1)) >= 0:
            self.end(whole=True)

    def on_over(self, whole: bool) -> None:
        length = int(self.headers.get("content-length", -1))
        if self.status and whole and length in (-1, len(self._body)):
            self._done(self.status, self._body.decode())
        else:
            self._done(0, None)


class _Listening(Exchange):
    """A line of a screen, on either transport. `expected`: the status of a line that is open."""

    expected = 200

    def __init__(self, screen: Screen, port: int, request: bytes, gone: Callable[[Exchange], None], buffer: int):
        super().__init__(port, request, gone, buffer)
        self._screen = screen

    def on_head(self) -> None:
        if self.status != self.expected:
            self._is_over = True
            self._gone(self)
            self._screen.line = None
            self._screen.refused(self.status, _seconds(self.headers.get("retry-after", "")))

    def on_over(self, whole: bool) -> None:
        if self._screen.line is self:
            self._screen.over()


class Streaming(_Listening):
    """Server-Sent Events."""

    def __init__(self, screen: Screen, port: int, receive_buffer_bytes: int, gone: Callable[[Exchange], None]):
        path = f"/live/stream?{screen.query}&after={screen.cursor}"
        request = _request(path, screen.seat.cookie, "Accept: text/event-stream")
        super().__init__(screen, port, request, gone, receive_buffer_bytes)

    def on_body(self, data: bytes) -> None:
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            if not self._is_over:
                self._screen.hear(read_block(block))


class Socket(_Listening):
    """WebSocket (RFC 6455): each message is the text of one block."""

    expected = 101

    def __init__(self, screen: Screen, port: int, receive_buffer_bytes: int, gone: Callable[[Exchange], None]):
        path = f"/live/socket?{screen.query}&after={screen.cursor}"
        more = (
            f"Origin: http://127.0.0.1:{port}",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        )
        request = _request(path, screen.seat.cookie, *more, connection="Upgrade", host=f"127.0.0.1:{port}")
        super().__init__(screen, port, request, gone, receive_buffer_bytes)
        self._message = b""

    def on_body(self, data: bytes) -> None:
        self._rest += data
        while not self._is_over and (frame := _unframe(self._rest)) is not None:
            opcode, final, payload, self._rest = frame
            if opcode == 8:
                self.end(whole=True)
            elif opcode == 9:
                self._pong(payload)
            elif opcode in (0, 1):
                self._message += payload
                if final:
                    whole, self._message = self._message, b""
                    self._screen.hear(read_block(whole))

    def _pong(self, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        try:
            self.socket.send(bytes([0x8A, 0x80 | len(payload)]) + mask + masked)
        except OSError:
            self.end(whole=False)


def _unframe(data: bytes) -> tuple[int, bool, bytes, bytes] | None:
    """Opcode, whether it ends its message, payload, what comes behind; None: not whole yet. Servers do not mask."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length >= 126:
        size = 2 if length == 126 else 8
        if len(data) < 2 + size:
            return None
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < start + length:
        return None
    return data[0] & 0x0F, bool(data[0] & 0x80), data[start : start + length], data[start + length :]


def _request(path: str, cookie: str, *more: str, connection: str = "close", host: str = "test") -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Cookie: session={cookie}", f"Connection: {connection}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
