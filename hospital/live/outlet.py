"""All open streams of this process: one epoll set, no greenlet for any of them, the same bytes written to each.

The WSGI server hands a stream's socket over when its head is due (HandsOver below). Writing never waits: what a socket
does not take at once is finished when it can take more (line.py). A descriptor is closed only when no broadcast is
under way, since its number may be another socket's at once.
"""

import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

from hospital import meters, settings
from hospital.live.frame import Frame
from hospital.live.hub import Hub, Line, Watch
from hospital.live.line import GONE, SocketLine

_epoll = monkey.get_original("select", "epoll")

_SLICE = 1_000  # writes between two breaths of the loop: about 10 ms
_BREATH_S = 1e-5  # sleep(0) would starve timers
_AT_ONCE_EVENTS = 1_000


class Outlet:
    """Owns the descriptors of the streams. `resync` makes the bytes for a line that has lost frames."""

    def __init__(self, hub: Hub, resync: Callable[[int], Frame]) -> None:
        self._hub = hub
        self._resync = resync
        self._lines: dict[int, SocketLine] = {}
        self._blocked: dict[int, SocketLine] = {}
        self._parting: dict[int, SocketLine] = {}  # have said goodbye; their peers are to close
        self._to_bury: list[SocketLine] = []
        self._writing = 0
        self._epoll = _epoll()
        self._watcher = gevent.get_hub().loop.io(self._epoll.fileno(), 1)
        self._watcher.start(self._on_events)

    def adopt(self, handed: Any, watch: Watch, kind: type[SocketLine] = SocketLine) -> SocketLine:
        """Take over the server's socket; the server may close its own copy. The new line has not joined the hub yet."""
        handed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.current.send_buffer_bytes)
        if handed.family in (socket.AF_INET, socket.AF_INET6):
            quiet_s = max(1.0, settings.current.dead_peer_s - settings.current.beat_s)
            handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(quiet_s * 1000))
            handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = os.dup(handed.fileno())
        os.set_blocking(fd, False)
        line = self._lines[fd] = kind(self, fd, watch)
        self._epoll.register(fd, line.events)
        return line

    def write_all(self, lines: list[Line], frame: Frame) -> None:
        """Write the same frame to each; the loop breathes in between."""
        self._writing += 1
        try:
            for done, line in enumerate(lines, 1):
                line.send(frame)
                if done % _SLICE == 0:
                    gevent.sleep(_BREATH_S)
        finally:
            self._writing -= 1
            self._bury()

    def drop_stuck(self) -> None:
        """End every line that has taken no byte for too long. Called about once a second."""
        latest = time.monotonic() - settings.current.dead_peer_s
        for line in [line for line in self._blocked.values() if line.stuck_since < latest]:
            line.give_up("stuck")
        for line in [line for line in self._parting.values() if line.stuck_since < latest]:
            self.forget(line)

    def probe(self) -> None:
        """Ask those who can answer whether they are there. Called at each beat."""
        for line in list(self._lines.values()):
            line.probe()

    def close(self) -> None:
        """End everything: the process is going."""
        self._watcher.stop()
        for line in list(self._lines.values()):
            line.close()
        for line in list(self._parting.values()):
            self.forget(line)
        self._epoll.close()

    def __len__(self) -> int:
        return len(self._lines)

    def _on_events(self) -> None:
        for fd, events in self._epoll.poll(0, _AT_ONCE_EVENTS):
            line = self._lines.get(fd)
            if line is None:
                continue
            if events & GONE:
                self.forget(line) if line.ended else line.give_up()
                continue
            if events & select.EPOLLIN:
                line.hear()
            if events & select.EPOLLOUT and not line.ended:
                line.go_on()

    def wait_for(self, line: SocketLine) -> None:
        self._blocked[line.fd] = line
        self._epoll.modify(line.fd, line.events | select.EPOLLOUT)

    def wait_no_more(self, line: SocketLine) -> None:
        del self._blocked[line.fd]
        self._epoll.modify(line.fd, line.events)

    def resync_for(self, line: SocketLine) -> Frame:
        meters.count("resyncs_total", reason="slow")
        return self._resync(line.watch.audience.hospital_id)

    def part(self, line: SocketLine) -> None:
        """It has said goodbye. Its descriptor stays until the peer closes: closing first could take that back."""
        self._hub.leave(line)
        line.stuck_since = time.monotonic()
        self._parting[line.fd] = line

    def forget(self, line: SocketLine) -> None:
        self._hub.leave(line)
        self._blocked.pop(line.fd, None)
        self._parting.pop(line.fd, None)
        del self._lines[line.fd]
        self._epoll.unregister(line.fd)
        self._to_bury.append(line)
        if not self._writing:
            self._bury()

    def _bury(self) -> None:
        while self._to_bury and not self._writing:
            os.close(self._to_bury.pop().fd)


class HandsOver:
    """Mixed into gevent's WSGI handler: a view that asked for it gets its socket instead of a response body."""

    socket: Any

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()  # type: ignore[misc]
        plain = environ["wsgi.url_scheme"] == "http" or not hasattr(self.socket, "_sslobj")
        environ["hospital.hands_over"] = plain
        environ["hospital.socket"] = self.socket
        return environ

    def process_result(self) -> None:
        if self.environ.get("hospital.upgraded"):  # type: ignore[attr-defined]
            self.close_connection = True  # what comes now are no requests
            self.socket.close()
            self.socket = None  # the server would read away what has come before it closes
            return
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
        self.socket.sendall(head)
        self.headers_sent = True
        self.response_length = len(head)  # or gevent would answer 500 into the stream if what follows fails
        self.close_connection = True
        take(self.socket)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
