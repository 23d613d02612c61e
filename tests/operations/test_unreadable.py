"""What is no HTTP is answered and counted, and nothing of it reaches the log."""

import socket
from contextlib import closing

import pytest

from tests.support.server import GUNICORN, Server
from tests.support.web import Web

UNREADABLE = {
    "a word too many": b"GET /patients/Testmann HTTP/1.1 Testmann\r\n\r\n",
    "another version": b"GET /patients/Testmann HTTP/Testmann\r\n\r\n",
    "no method": b"Testmann\r\n\r\n",
    "a length that is no number": b"POST /sign-in HTTP/1.1\r\nContent-Length: Testmann\r\n\r\n",
    "more headers than anybody needs": b"GET / HTTP/1.1\r\n" + b"Testmann: Testmann\r\n" * 200 + b"\r\n",
    "a chunk without a length": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nTestmann\r\n",
}


def ask(server: Server, said: bytes) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", server.port), 10)) as line:
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65_536), b""))


@pytest.mark.parametrize("command", [("app.py",), GUNICORN], ids=["embedded", "gunicorn"])
def test_what_is_no_http_is_answered_and_counted_and_nothing_of_it_is_logged(new_server, command) -> None:  # type: ignore[no-untyped-def]
    server = new_server(command=command)
    for what, said in UNREADABLE.items():
        assert ask(server, said).startswith(b"HTTP/1.1 4"), what
    assert f"\nhospital_requests_unreadable_total {len(UNREADABLE)}.0\n" in Web(server, "nurse").get(
        "/internal/metrics"
    )
    assert "Testmann" not in server.log() and "Traceback" not in server.log()
