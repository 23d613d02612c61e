"""The MLLP listener: 0x0B message 0x1C 0x0D, as many as a connection brings, each answered after its commit."""

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent.socket
from gevent.pool import Pool
from gevent.server import StreamServer

from hospital import meters, settings
from hospital.intake.receiving import receive
from hospital.records import NotStored

log = logging.getLogger(__name__)

START = b"\x0b"
END = b"\x1c\x0d"
_READ_BYTES = 65_536


class TooLarge(Exception):
    """What came is no message, or a larger one than we take; there is no telling where the next begins."""


inherited: socket.socket | None = None
"""A bound socket from whoever forked this process: processes that come and go share it, and the port never closes."""


class Listener(StreamServer):
    """Answers MLLP. stop() lets what has come be answered, and then hangs up."""

    def __init__(self, listener: Any) -> None:
        super().__init__(listener, spawn=Pool(settings.current.mllp_max_connections))
        self._open: set[Any] = set()

    def handle(self, connection: Any, _address: object) -> None:
        self._open.add(connection)
        if self.closed:  # stopped between the knock and the answer
            _read_no_more(connection)
        try:
            _serve(connection)
        finally:
            self._open.discard(connection)

    def stop(self, timeout: float | None = None) -> None:
        self.close()
        for connection in self._open:
            _read_no_more(connection)
        super().stop(timeout)


def listen() -> Listener:
    """A listener that has its port; start() lets it answer. Raises OSError if the port is taken."""
    if inherited is not None:
        return Listener(gevent.socket.fromfd(inherited.fileno(), inherited.family, inherited.type))
    listener = Listener((settings.current.mllp_host, settings.current.mllp_port))
    listener.init_socket()
    return listener


def unframe(buffer: bytearray) -> Iterator[bytes]:
    """Take the whole messages off the front of `buffer`; what has only begun stays. Raises TooLarge.

    What stands between two frames is no message: it is counted and dropped.
    """
    while True:
        start = buffer.find(START)
        stray = len(buffer) if start < 0 else start
        if stray:
            meters.count("mllp_stray_bytes_total", stray)
            del buffer[:stray]
        end = buffer.find(END)
        if end < 0:
            break
        message = bytes(buffer[1:end])
        del buffer[: end + len(END)]
        if len(message) > settings.current.mllp_max_bytes:
            raise TooLarge
        yield message
    if len(buffer) > settings.current.mllp_max_bytes:
        raise TooLarge


def frame(message: bytes) -> bytes:
    return START + message + END


def _serve(connection: Any) -> None:
    meters.count("mllp_connections_total")
    connection.settimeout(settings.current.mllp_idle_s)
    try:
        _converse(connection)
    except TimeoutError:
        meters.count("mllp_closed_total", reason="idle")
    except TooLarge:
        meters.count("mllp_closed_total", reason="too-large")
    except OSError:
        meters.count("mllp_closed_total", reason="lost")
    except NotStored as error:
        # Unanswered, it will be repeated: better than an answer that promises what we cannot keep.
        meters.count("mllp_closed_total", reason="not-stored")
        log.error("intake: the database cannot take a message now (%s); its sender will repeat it", error)
    finally:
        connection.close()


def _converse(connection: Any) -> None:
    buffer = bytearray()
    while data := connection.recv(_READ_BYTES):
        buffer += data
        for message in unframe(buffer):
            received = receive(message)
            if received is not None and received.answer is not None:
                connection.sendall(frame(received.answer))


def _read_no_more(connection: Any) -> None:
    """What has come can still be read, then it ends. gevent's own shutdown would raise in whoever reads."""
    with suppress(OSError):  # the other side has gone already
        connection._sock.shutdown(socket.SHUT_RD)
