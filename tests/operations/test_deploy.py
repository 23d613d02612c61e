"""The examples of deploy/: nginx takes its file and passes frames at once, systemd takes its unit."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.alarms import alarm
from tests.support.needs import need
from tests.support.nginx import EXAMPLE, Nginx
from tests.support.server import GUNICORN, ROOT, Server
from tests.support.sse import sign_in
from tests.support.websocket import HANDSHAKE


@pytest.fixture
def proxied(new_server: Callable[..., Server], nginx_path: str, tmp_path: Path) -> Iterator[tuple[Server, Nginx]]:
    server = new_server(command=GUNICORN)
    nginx = Nginx(nginx_path, tmp_path, server, EXAMPLE.read_text())
    assert "test is successful" in nginx.check()
    nginx.start()
    yield server, nginx
    nginx.close()


def test_a_frame_passes_through_nginx_and_tls_in_under_a_second(proxied: tuple[Server, Nginx]) -> None:
    server, nginx = proxied
    cookie = sign_in(server.port, "nurse").cookie
    with _tls(nginx) as line:
        _ask(line, "/live/stream?view=alerts", Cookie=f"session={cookie}")
        body = _Body(line)
        body.until("event: hello\n")
        took = [_until_its_frame(server, body, f"MED-0{n}") for n in (1, 2, 3)]
    assert min(took) < 1, "others share this machine: not each is as quick"


def _until_its_frame(server: Server, body: "_Body", bed: str) -> float:
    began = time.monotonic()
    server.send(alarm(alert_id=bed, bed=f"MED^^{bed}", text=f"SpO2 low in {bed}", patient=None))
    body.until(f"SpO2 low in {bed}")
    return time.monotonic() - began


def test_a_websocket_passes_through_nginx(proxied: tuple[Server, Nginx]) -> None:
    server, nginx = proxied
    cookie = sign_in(server.port, "nurse").cookie
    with _tls(nginx) as line:
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": f"session={cookie}"}
        _ask(line, "/live/socket?view=alerts", **HANDSHAKE, **key)
        assert line.recv(65_536).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("path", ["/internal/metrics", "/health/ready"])
def test_what_is_for_the_keepers_of_the_machine_does_not_pass(proxied: tuple[Server, Nginx], path: str) -> None:
    with _tls(proxied[1]) as line:
        _ask(line, path)
        assert line.recv(65_536).startswith(b"HTTP/1.1 404 ")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = need(shutil.which("systemd-analyze"), "systemd-analyze: apt-get install systemd")
    unit = (ROOT / "deploy/hospital.service").read_text()
    # What is not on this machine stands here instead; everything else is as it is.
    unit = unit.replace("/opt/hospital-alerts/.venv/bin/gunicorn", "/bin/true").replace("User=hospital", "User=daemon")
    unit = unit.replace("Group=hospital", "Group=daemon")
    (tmp_path / "hospital.service").write_text(unit)
    done = subprocess.run([program, "verify", str(tmp_path / "hospital.service")], capture_output=True, text=True)
    about_it = [line for line in (done.stdout + done.stderr).splitlines() if "hospital.service" in line]
    assert (done.returncode, about_it) == (0, [])


class _Body:
    """An event stream in a chunked or plain response, read until something has come."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._raw = line, b""

    def until(self, words: str) -> None:
        while words.encode() not in self._raw:
            data = self._line.recv(65_536)
            assert data, self._raw[-500:]
            self._raw += data


def _tls(nginx: Nginx) -> ssl.SSLSocket:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.set_alpn_protocols(["http/1.1"])
    return trusting.wrap_socket(socket.create_connection(("127.0.0.1", nginx.port), 10))


def _ask(line: ssl.SSLSocket, path: str, **headers: str) -> None:
    fields = {"Host": "alerts.example", **headers}
    rows = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    line.sendall(f"GET {path} HTTP/1.1\r\n{rows}\r\n".encode())
