"""This process is asked to go: it says so at once, and no connection is cut in the middle of a request."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import Flask, Response


class Leaving:
    """One in each process. First it is told (begin), at last it lets go of the connections that ask nothing."""

    def __init__(self) -> None:
        self.has_begun = False
        self._hung_up = False
        self._idle: set[Any] = set()

    def begin(self) -> None:
        """Not ready from now on; every answer ends its connection."""
        self.has_begun = True

    def hang_up(self) -> None:
        """Let go of every connection that waits for a request, now and from now on. Requests in work are answered."""
        self._hung_up = True
        for connection in self._idle:
            _read_no_more(connection)

    @contextmanager
    def waits(self, connection: Any) -> Iterator[None]:
        """Around waiting for the next request on a connection."""
        self._idle.add(connection)
        if self._hung_up:
            _read_no_more(connection)
        try:
            yield
        finally:
            self._idle.discard(connection)


class HangsUp:
    """Mixed into gevent's WSGI handler: tells which connections wait for a request."""

    def read_requestline(self) -> str:
        leaving: Leaving = self.server.application.extensions["leaving"]  # type: ignore[attr-defined]
        with leaving.waits(self.socket):  # type: ignore[attr-defined]
            line: str = super().read_requestline()  # type: ignore[misc]
        return line


def prepare(app: Flask) -> None:
    leaving = app.extensions["leaving"] = Leaving()

    @app.after_request
    def _last_answer(response: Response) -> Response:
        if leaving.has_begun:
            response.headers["Connection"] = "close"
        return response


def _read_no_more(connection: Any) -> None:
    """What has come can still be read, then it ends. gevent's own shutdown would raise in whoever reads."""
    with suppress(OSError):  # the other side has gone already
        connection._sock.shutdown(socket.SHUT_RD)
