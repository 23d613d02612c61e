"""The MLLP listeners: 0x0B message 0x1C 0x0D, as many as a connection brings, each answered after its commit.

One for lines that nobody can read along, and one over TLS with a port of its own.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
import gevent.socket
import gevent.ssl
from gevent.pool import Pool
from gevent.server import StreamServer
from sqlalchemy.exc import SQLAlchemyError

from hospital import meters, settings
from hospital.intake import pacing, senders
from hospital.intake.receiving import receive
from hospital.records import NotStored

log = logging.getLogger(__name__)

START = b"\x0b"
END = b"\x1c\x0d"
_READ_BYTES = 65_536
_HANDSHAKE_S = 10.0  # a TLS handshake that takes longer is given up


class TooLarge(Exception):
    """What came is no message, or a larger one than we take; there is no telling where the next begins."""


inherited: list[socket.socket] = []
"""Bound sockets (plain, then TLS) of whoever forked this process: processes that come and go share them, and the ports
never close."""


class Listener(StreamServer):
    """Answers MLLP. stop() lets what has come be answered, and then hangs up.

    `tls`: what is spoken within TLS. Each connection shakes hands in its own greenlet: a slow one holds up nobody.
    """

    def __init__(self, listener: Any, tls: gevent.ssl.SSLContext | None = None) -> None:
        super().__init__(listener, spawn=Pool(settings.current.mllp_max_connections))
        self._tls = tls
        self._open: dict[Any, set[int]] = {}  # whose messages each connection has brought
        self._pace = pacing.Pace()
        self._looking: Any = None

    def start(self) -> None:
        super().start()
        self._looking = gevent.spawn(self._look_for_revoked)

    def handle(self, connection: Any, address: Any) -> None:
        meters.count("mllp_connections_total")
        if self._tls is not None:
            connection = _shake_hands(self._tls, connection)
            if connection is None:
                return
        self._open[connection] = set()
        if self.closed:  # stopped between the knock and the answer
            _read_no_more(connection)
        try:
            self._serve(connection, address[0])
        finally:
            del self._open[connection]

    def stop(self, timeout: float | None = None) -> None:
        self.close()
        for connection in self._open:
            _read_no_more(connection)
        super().stop(timeout)
        if self._looking is not None:
            self._looking.kill()

    def _serve(self, connection: Any, address: str) -> None:
        connection.settimeout(settings.current.mllp_idle_s)
        try:
            self._converse(connection, address)
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

    def _converse(self, connection: Any, address: str) -> None:
        buffer = bytearray()
        while data := connection.recv(_READ_BYTES):
            buffer += data
            for message in unframe(buffer):
                received = receive(message, address=address)
                if received is None:
                    continue
                if received.answer is not None:
                    connection.sendall(frame(received.answer))
                if received.sender_id is not None:
                    self._open[connection].add(received.sender_id)
                self._slow_down(received.sender_id, address)

    def _slow_down(self, sender_id: int | None, address: str) -> None:
        """What has been taken is answered; then nothing more is read for as long as this sender is over its limit."""
        wait_s = self._pace.wait_s(sender_id or address)
        if wait_s:
            meters.count("mllp_slowed_total")
            if sender_id is not None:
                pacing.tell_over(sender_id)
            gevent.sleep(wait_s)

    def _look_for_revoked(self) -> None:
        """Twice in each beat: hang up on the senders that an administrator has ended."""
        while True:
            gevent.sleep(settings.current.beat_s / 2)
            try:
                self._hang_up_on_revoked()
            except SQLAlchemyError as error:  # the database is away: look again
                log.error("intake: no look for revoked senders: %s", type(error).__name__)

    def _hang_up_on_revoked(self) -> None:
        speaking = set().union(*self._open.values())
        revoked = senders.revoked_among(speaking) if speaking else set()
        for connection, theirs in list(self._open.items()):
            if theirs & revoked:
                meters.count("mllp_closed_total", reason="revoked")
                _read_no_more(connection)


def listen() -> list[Listener]:
    """The listeners that the settings ask for; start() lets them answer. Raises OSError if a port is taken, BadSetting.

    They have their ports already.
    """
    chosen = settings.current
    addresses: list[Any] = [(chosen.mllp_host, chosen.mllp_port)]
    contexts = [None]
    if chosen.mllp_tls_port:
        addresses.append((chosen.mllp_tls_host, chosen.mllp_tls_port))
        contexts.append(_tls_context())
    places = [gevent.socket.fromfd(one.fileno(), one.family, one.type) for one in inherited] or addresses
    listeners = [Listener(place, context) for place, context in zip(places, contexts, strict=True)]
    for listener in listeners:
        listener.init_socket()
    return listeners


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


def _tls_context() -> gevent.ssl.SSLContext:
    chosen = settings.current
    context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = gevent.ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(chosen.mllp_tls_cert_file, chosen.mllp_tls_key_file)
        if chosen.mllp_tls_client_ca_file:
            context.verify_mode = gevent.ssl.CERT_REQUIRED
            context.load_verify_locations(chosen.mllp_tls_client_ca_file)
    except OSError as problem:
        raise settings.BadSetting(
            f"HOSPITAL_MLLP_TLS_CERT_FILE, …_KEY_FILE and …_CLIENT_CA_FILE must be PEM files that fit: {problem}"
        ) from None
    return context


def _shake_hands(context: gevent.ssl.SSLContext, connection: Any) -> Any:
    """The connection within TLS; None: no TLS was spoken, or a certificate was missing or wrong."""
    connection.settimeout(_HANDSHAKE_S)
    try:
        return context.wrap_socket(connection, server_side=True)
    except OSError:
        meters.count("mllp_closed_total", reason="handshake")
        connection.close()
        return None


def _read_no_more(connection: Any) -> None:
    """What has come can still be read, then it ends. gevent's own shutdown would raise in whoever reads."""
    with suppress(OSError):  # the other side has gone already
        connection._sock.shutdown(socket.SHUT_RD)
