"""One stream's socket: it takes what it can at once, and what it misses is made good by one resync.

Lines of all kinds are written by the outlet that adopted them. Nothing here ever waits, so a frame begun is never
interrupted by another.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from gevent import monkey

from hospital import meters
from hospital.live.frame import Frame
from hospital.live.hub import RESTART, Watch

if TYPE_CHECKING:
    from hospital.live.outlet import Outlet

_socket = monkey.get_original("socket", "socket")

GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR  # a closed half counts: a browser never half-closes
_LINGER_0 = struct.pack("ii", 1, 0)
numbers = count(1)


@contextmanager
def borrowed(fd: int) -> Iterator[Any]:
    """The socket behind this number, to be set or shut. It may have been reset meanwhile: then nothing happens."""
    ours = _socket(fileno=fd)
    try:
        with suppress(OSError):
            yield ours
    finally:
        ours.detach()


class SocketLine:
    """Server-Sent Events. `rest`: what is left of the frame begun (None: the socket takes everything at once)."""

    transport = "sse"
    events = GONE  # of its descriptor, while it does not wait to be written to
    __slots__ = ("_behind", "_outlet", "_rest", "beat_at", "ended", "fd", "number", "resyncs", "stuck_since", "watch")

    def __init__(self, outlet: "Outlet", fd: int, watch: Watch) -> None:
        self.fd = fd
        self.watch = watch
        self.number = next(numbers)
        self.stuck_since = 0.0
        self.beat_at = watch.since
        self.resyncs = 0
        self.ended = False
        self._outlet = outlet
        self._rest: memoryview | None = None
        self._behind = False
        self.opened()

    def opened(self) -> None:
        """For what one kind of line needs besides."""

    @property
    def waiting_bytes(self) -> int:
        return 0 if self._rest is None else len(self._rest)

    def send(self, frame: Frame) -> None:
        if self.ended:
            return
        if self._rest is not None:
            self._behind = True
            return
        data = self._encoded(frame)
        taken = self._write(data)
        if taken is not None and taken < len(data):
            # Nothing of this frame has gone out: it can be dropped like those that will come behind it.
            self._behind = taken == 0
            self._finish_later(memoryview(data)[len(data) if taken == 0 else taken :])

    def go_on(self) -> None:
        """The socket takes bytes again: finish the frame begun, then a resync for what was dropped behind it."""
        while self._rest is not None:
            if not self._rest:
                if not self._behind:
                    self._rest = None
                    self._outlet.wait_no_more(self)
                    return
                self._behind = False
                self.resyncs += 1
                self._rest = memoryview(self._encoded(self._outlet.resync_for(self)))
            taken = self._write(self._rest)
            if not taken:
                return
            self._rest = self._rest[taken:]
            self.stuck_since = time.monotonic()

    def hear(self) -> None:
        """Nobody speaks on an event stream."""

    def probe(self) -> None:
        """TCP itself finds out that the peer of an event stream has gone."""

    def close(self, last: Frame | None = None, code: int = RESTART) -> None:
        if last:
            self.send(last)
        if not self.ended:
            self.ended = True
            self._outlet.forget(self)

    def give_up(self, reason: str = "gone") -> None:
        """The peer is gone or stuck: drop what it has not taken, keep nothing in the kernel either."""
        if not self.ended:
            self.ended = True
            meters.count("streams_dropped_total", reason=reason)
            with borrowed(self.fd) as ours:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
            self._outlet.forget(self)

    def _encoded(self, frame: Frame) -> bytes:
        return frame

    def _finish_later(self, rest: memoryview) -> None:
        self._rest = rest
        self.stuck_since = time.monotonic()
        self._outlet.wait_for(self)

    def _write(self, data: bytes | memoryview) -> int | None:
        """How many bytes were taken; None: the line has ended."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            self.give_up("gone")
            return None


class GzipLine(SocketLine):
    """The same in a gzip stream, whose head its opener has written. The bytes are shared: it compresses nothing."""

    __slots__ = ()

    def _encoded(self, frame: Frame) -> bytes:
        return frame.gzip
