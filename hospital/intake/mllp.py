"""The MLLP listener: 0x0B message 0x1C 0x0D, as many as a connection brings, each answered after its commit."""

import logging
from collections.abc import Iterator
from typing import Any

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


def listen() -> StreamServer:
    """A listener that has its port; start() lets it answer. Raises OSError if the port is taken."""
    address = (settings.current.mllp_host, settings.current.mllp_port)
    server = StreamServer(address, _serve, spawn=Pool(settings.current.mllp_max_connections))
    server.init_socket()
    return server


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


def _serve(connection: Any, _address: object) -> None:
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
