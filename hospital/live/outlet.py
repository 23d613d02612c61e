"""All open streams of this process: one epoll set, no greenlet for any of them, the same bytes written to each.

The WSGI server hands a stream's socket over when its head is due (HandsOver below). Writing never waits: what a socket
does not take at once is finished when it can take more, whole frames behind it are dropped, and one resync stands in
for them. A descriptor is closed only when no broadcast is under way, since its number may be another socket's at once.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

from hospital import meters, settings
from hospital.live.hub import Hub, Line, Watch

_epoll = monkey.get_original("select", "epoll")
_socket = monkey.get_original("socket", "socket")

_SLICE = 500  # writes between two breaths of the loop
_BREATH_S = 1e-5  # sleep(0) would starve timers
_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR  # a closed half counts: a browser never half-closes
_AT_ONCE_EVENTS = 1_000
_LINGER_0 = struct.pack("ii", 1, 0)


class Outlet:
    """Owns the descriptors of the streams. `resync` makes the bytes for a line that has lost frames."""

    def __init__(self, hub: Hub, resync: Callable[[int], bytes]) -> None:
        self._hub = hub
        self._resync = resync
        self._lines: dict[int, SocketLine] = {}
        self._blocked: dict[int, SocketLine] = {}
        self._to_bury: list[SocketLine] = []
        self._writing = 0
        self._epoll = _epoll()
        self._watcher = gevent.get_hub().loop.io(self._epoll.fileno(), 1)
        self._watcher.start(self._on_events)

    def adopt(self, handed: Any, watch: Watch) -> "SocketLine":
        """Take over the server's socket; the server may close its own copy. The new line has not joined the hub yet."""
        handed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.current.send_buffer_bytes)
        if handed.family in (socket.AF_INET, socket.AF_INET6):
            quiet_s = max(1.0, settings.current.dead_peer_s - settings.current.beat_s)
            handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(quiet_s * 1000))
            handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = os.dup(handed.fileno())
        os.set_blocking(fd, False)
        line = self._lines[fd] = SocketLine(self, fd, watch)
        self._epoll.register(fd, _GONE)
        return line

    def write_all(self, lines: list[Line], data: bytes) -> None:
        """Write the same bytes to each; the loop breathes in between."""
        self._writing += 1
        try:
            for done, line in enumerate(lines, 1):
                line.send(data)
                if done % _SLICE == 0:
                    gevent.sleep(_BREATH_S)
        finally:
            self._writing -= 1
            self._bury()

    def drop_stuck(self) -> None:
        """End every line that has taken no byte for too long. Called about once a second."""
        latest = time.monotonic() - settings.current.dead_peer_s
        for line in [line for line in self._blocked.values() if line.stuck_since < latest]:
            meters.count("streams_dropped_total", reason="stuck")
            line.give_up()

    def close(self) -> None:
        """End everything: the process is going."""
        self._watcher.stop()
        for line in list(self._lines.values()):
            line.close()
        self._epoll.close()

    def __len__(self) -> int:
        return len(self._lines)

    def _on_events(self) -> None:
        for fd, events in self._epoll.poll(0, _AT_ONCE_EVENTS):
            line = self._lines.get(fd)
            if line is None:
                continue
            if events & _GONE:
                meters.count("streams_dropped_total", reason="gone")
                line.give_up()
            else:
                line.go_on()

    def wait_for(self, line: "SocketLine") -> None:
        self._blocked[line.fd] = line
        self._epoll.modify(line.fd, _GONE | select.EPOLLOUT)

    def wait_no_more(self, line: "SocketLine") -> None:
        del self._blocked[line.fd]
        self._epoll.modify(line.fd, _GONE)

    def resync_for(self, line: "SocketLine") -> bytes:
        meters.count("resyncs_total", reason="slow")
        return self._resync(line.watch.audience.hospital_id)

    def forget(self, line: "SocketLine") -> None:
        self._hub.leave(line)
        self._blocked.pop(line.fd, None)
        del self._lines[line.fd]
        self._epoll.unregister(line.fd)
        self._to_bury.append(line)
        if not self._writing:
            self._bury()

    def _bury(self) -> None:
        while self._to_bury and not self._writing:
            os.close(self._to_bury.pop().fd)


class SocketLine:
    """One stream's socket. `rest`: what is left of the frame begun (None: the socket takes everything at once)."""

    __slots__ = ("_behind", "_outlet", "_rest", "ended", "fd", "stuck_since", "watch")

    def __init__(self, outlet: Outlet, fd: int, watch: Watch) -> None:
        self.fd = fd
        self.watch = watch
        self.stuck_since = 0.0
        self._outlet = outlet
        self._rest: memoryview | None = None
        self._behind = False
        self.ended = False

    def send(self, data: bytes) -> None:
        if self.ended:
            return
        if self._rest is not None:
            self._behind = True
            return
        taken = self._write(data)
        if taken is not None and taken < len(data):
            # Nothing of this frame has gone out: it can be dropped like those that will come behind it.
            self._behind = taken == 0
            self._rest = memoryview(data)[len(data) if taken == 0 else taken :]
            self.stuck_since = time.monotonic()
            self._outlet.wait_for(self)

    def go_on(self) -> None:
        """The socket takes bytes again: finish the frame begun, then a resync for what was dropped behind it."""
        while self._rest is not None:
            if not self._rest:
                if not self._behind:
                    self._rest = None
                    self._outlet.wait_no_more(self)
                    return
                self._behind = False
                self._rest = memoryview(self._outlet.resync_for(self))
            taken = self._write(self._rest)
            if not taken:
                return
            self._rest = self._rest[taken:]
            self.stuck_since = time.monotonic()

    def close(self, last: bytes = b"") -> None:
        if self.ended:
            return
        if last:
            self.send(last)
        if not self.ended:
            self.ended = True
            self._outlet.forget(self)

    def give_up(self) -> None:
        """The peer is gone or stuck: drop what it has not taken, keep nothing in the kernel either."""
        if not self.ended:
            self.ended = True
            borrowed = _socket(fileno=self.fd)
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
            borrowed.detach()
            self._outlet.forget(self)

    def _write(self, data: bytes | memoryview) -> int | None:
        """How many bytes were taken; None: the line has ended."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            meters.count("streams_dropped_total", reason="gone")
            self.give_up()
            return None


class HandsOver:
    """Mixed into gevent's WSGI handler: a view that asked for it gets its socket instead of a response body."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()  # type: ignore[misc]
        plain = environ["wsgi.url_scheme"] == "http" or not hasattr(self.socket, "_sslobj")  # type: ignore[attr-defined]
        environ["hospital.hands_over"] = plain
        return environ

    def process_result(self) -> None:
        take: Callable[[Any], None] | None = self.environ.get("hospital.take_socket")  # type: ignore[attr-defined]
        if take is None:
            super().process_result()  # type: ignore[misc]
            return
        # Ended by closing and never chunked: the same bytes then serve HTTP/1.1 and an HTTP/1.0 upstream.
        fields = [*self.response_headers, (b"Connection", b"close")]  # type: ignore[attr-defined]
        head = b"HTTP/1.1 %s\r\n%s\r\n" % (
            _bytes(self.status),  # type: ignore[attr-defined]
            b"".join(b"%s: %s\r\n" % (_bytes(name), _bytes(value)) for name, value in fields),
        )
        self.socket.sendall(head)  # type: ignore[attr-defined]
        self.headers_sent = True
        self.response_length = len(head)  # or gevent would answer 500 into the stream if what follows fails
        self.close_connection = True
        take(self.socket)  # type: ignore[attr-defined]


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
