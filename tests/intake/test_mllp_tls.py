"""MLLP within TLS, on a listener of its own."""

import socket
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.alarms import alarm
from tests.support.certificates import Authority
from tests.support.server import GUNICORN, Gateway, Server, free_port

NewServer = Callable[..., Server]


class House:
    """A server with a certificate; `authority` has signed it, and those of the gateways that it knows."""

    def __init__(self, new_server: NewServer, folder: Path, *, asks: bool = False, **how: object) -> None:
        self.authority, self.port = Authority(folder, "authority"), free_port()
        certificate, key = self.authority.issue("server")
        settings = {"PORT": str(self.port), "CERT_FILE": certificate, "KEY_FILE": key}
        if asks:
            settings["CLIENT_CA_FILE"] = str(self.authority.file)
        self.server = new_server(**{f"HOSPITAL_MLLP_TLS_{name}": value for name, value in settings.items()}, **how)

    def client(self, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if certificate is not None:
            context.load_cert_chain(*certificate)
        return context

    def gateway(self, context: ssl.SSLContext) -> Gateway:
        gateway = Gateway(self.port)
        gateway.socket = context.wrap_socket(gateway.socket, server_hostname="127.0.0.1")
        return gateway

    def send(self, context: ssl.SSLContext) -> bytes:
        """One alarm; b'': the line was not opened, or was closed without an answer."""
        try:
            with closing(self.gateway(context)) as gateway:
                return gateway.send(alarm())
        except (ssl.SSLError, ConnectionError):
            return b""


@pytest.mark.parametrize("command", [("app.py",), GUNICORN], ids=["embedded", "gunicorn"])
def test_a_message_within_tls_is_answered_and_plain_text_is_not(
    new_server: NewServer, tmp_path: Path, command: tuple[str, ...]
) -> None:
    house = House(new_server, tmp_path, command=command)
    assert b"MSA|CA|" in house.send(house.client())
    with closing(Gateway(house.port)) as plain, pytest.raises(ConnectionError):
        plain.send(alarm())
    assert b"MSA|CA|" in house.server.send(alarm()), "the plain listener goes on beside it"
    assert "Traceback" not in house.server.log()


def test_nothing_older_than_tls_1_2_is_spoken(new_server: NewServer, tmp_path: Path) -> None:
    house = House(new_server, tmp_path)
    for version, spoken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = house.client()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = context.maximum_version = version
        assert (version, b"MSA|CA|" in house.send(context)) == (version, spoken)


def test_where_client_certificates_are_asked_for_only_the_right_one_opens(
    new_server: NewServer, tmp_path: Path
) -> None:
    house = House(new_server, tmp_path, asks=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    of_others = Authority(elsewhere, "authority").issue("gateway")
    assert house.send(house.client()) == b""
    assert house.send(house.client(of_others)) == b""
    assert b"MSA|CA|" in house.send(house.client(house.authority.issue("gateway")))
    metrics = _metrics(house.server)
    assert 'hospital_mllp_closed_total{reason="handshake"} 2.0' in metrics


def test_who_shakes_hands_slowly_holds_up_nobody(new_server: NewServer, tmp_path: Path) -> None:
    house = House(new_server, tmp_path)
    with ExitStack() as stack:
        for n in range(50):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), 10))
            slow.sendall(b"\x16\x03\x01" if n % 2 else b"")
        began = time.monotonic()
        assert b"MSA|CA|" in house.send(house.client())
        assert time.monotonic() - began < 5, "a handshake is given ten seconds; nobody waited for those"


@pytest.mark.parametrize("wrong", ["CERT_FILE", "KEY_FILE", "CLIENT_CA_FILE"])
def test_with_files_that_do_not_fit_it_does_not_start_and_says_so(
    new_server: NewServer, tmp_path: Path, wrong: str
) -> None:
    certificate, key = Authority(tmp_path, "authority").issue("server")
    (tmp_path / "none").write_text("no certificate")
    files = {"CERT_FILE": certificate, "KEY_FILE": key} | {wrong: str(tmp_path / "none")}
    settings = {f"HOSPITAL_MLLP_TLS_{name}": value for name, value in files.items()}
    with pytest.raises(RuntimeError, match=r"cannot start: HOSPITAL_MLLP_TLS_CERT_FILE.* must be PEM files that fit"):
        new_server(HOSPITAL_MLLP_TLS_PORT=str(free_port()), **settings)


def _metrics(server: Server) -> str:
    import urllib.request

    with urllib.request.urlopen(f"{server.url}/internal/metrics", timeout=10) as response:
        text: str = response.read().decode()
    return text
