"""A proxy as some hospitals have it: it answers for an event stream, and then keeps all of it to itself."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_READ_BYTES = 65_536


class SwallowingProxy:
    """127.0.0.1:`port` leads to 127.0.0.1:`to`. `swallows`: event streams get their head and nothing else; the rest,
    WebSockets too, passes as it is."""

    def __init__(self, to: int, *, swallows: bool = True) -> None:
        self.swallows = swallows
        self._to = to
        self._streams: set[socket.socket] = set()
        self._all: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._run(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def swallow_from_now_on(self) -> None:
        """Those that are open, too."""
        self.swallows = True
        for one in list(self._streams):
            _end(one)

    def close(self) -> None:
        _end(self._door)
        for one in list(self._all):
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._all |= {near, far}
            self._run(lambda near=near, far=far: self._up(near, far))
            self._run(lambda near=near, far=far: self._down(near, far))

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        while data := _read(near):
            if data.startswith(b"GET /live/stream"):
                self._streams.add(near)
            far.sendall(data)
        _end(far)

    def _down(self, near: socket.socket, far: socket.socket) -> None:
        seen = b""
        while data := _read(far):
            if near in self._streams and self.swallows:
                seen += data
                head, end, _ = seen.partition(b"\r\n\r\n")
                if not end or len(seen) > len(data):
                    continue
                data = head + end
            try:
                near.sendall(data)
            except OSError:
                break
        _end(near)

    @staticmethod
    def _run(what: Callable[[], None]) -> None:
        threading.Thread(target=what, daemon=True).start()


def _read(one: socket.socket) -> bytes:
    try:
        return one.recv(_READ_BYTES)
    except OSError:
        return b""


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
