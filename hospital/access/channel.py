"""How a request came here: from where, and whether encrypted. A proxy's word counts only from a trusted address."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from flask import request
from werkzeug.exceptions import Forbidden

from hospital import settings
from hospital.vocabulary import N_

_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class NotEncrypted(Forbidden):
    title = N_("This connection is not encrypted")
    description = N_(
        "Anyone on the way could read a password or a session here, so nobody signs in. Open the address with "
        "https://; if it is open so already, its proxy must be named in HOSPITAL_TRUSTED_PROXIES."
    )


class BehindProxies:
    """WSGI middleware: takes scheme and address from the headers of proxies that we trust, and of nobody else."""

    def __init__(self, app: _Wsgi, trusted: str) -> None:
        """`trusted`: addresses or networks, with commas between. Raises BadSetting."""
        self._app = app
        self._trusted = _networks(trusted)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            scheme = _words(environ, "HTTP_X_FORWARDED_PROTO")[-1:]
            if scheme in (["http"], ["https"]):
                environ["wsgi.url_scheme"] = scheme[0]
            environ["REMOTE_ADDR"] = self._client(environ)
        return self._app(environ, start_response)

    def _client(self, environ: dict[str, Any]) -> str:
        """The last address that no trusted proxy has: whatever stands before it, the client may have made up."""
        chain = [*_words(environ, "HTTP_X_FORWARDED_FOR"), str(environ["REMOTE_ADDR"])]
        return next((address for address in reversed(chain) if not self._trusts(address)), chain[0])

    def _trusts(self, address: str) -> bool:
        try:
            given = ip_address(address)
        except ValueError:
            return False
        return any(given in network for network in self._trusted)


def check_private() -> None:
    """Raises NotEncrypted where a secret would go over a network in the clear."""
    allowed = settings.current.plain_http or settings.current.demo  # whose passwords everybody knows anyhow
    if not (request.is_secure or allowed or is_loopback(request.remote_addr or "")):
        raise NotEncrypted


def is_loopback(address: str) -> bool:
    try:
        given = ip_address(address)
    except ValueError:
        return False
    return (getattr(given, "ipv4_mapped", None) or given).is_loopback


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise settings.BadSetting(f"HOSPITAL_TRUSTED_PROXIES must be addresses or networks: {error}") from None


def _words(environ: dict[str, Any], name: str) -> list[str]:
    return [word.strip() for word in environ.get(name, "").split(",") if word.strip()]
