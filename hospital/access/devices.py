"""Which browsers somebody has signed in from: a signed cookie that opens nothing, and says whom a browser knows.

With it, a stranger's guesses at an account do not slow down its owner (OWASP: "slow down online guessing with device
cookies").
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask import Response, current_app, request
from itsdangerous import BadSignature, Signer

_MOST = 20  # people whom a ward's computer knows; the one who was there longest ago is forgotten
_KEPT_S = 180 * 86_400


@dataclass(frozen=True)
class Device:
    id: str
    knows: tuple[str, ...]  # one mark for each person, the latest last

    def is_known_to(self, name: str) -> bool:
        return _mark(self.id, name) in self.knows


def this_device() -> Device:
    """The browser that asks; a new one, if it has no cookie of ours."""
    try:
        device_id, *knows = _signer().unsign(request.cookies.get(_cookie_name(), "")).decode().split(".")
    except BadSignature:
        return Device(secrets.token_hex(16), ())
    return Device(device_id, tuple(knows))


def remember(response: Response, device: Device, name: str) -> None:
    """From now on this browser is known to that person."""
    mark = _mark(device.id, name)
    knows = [*(known for known in device.knows if known != mark), mark][-_MOST:]
    value = _signer().sign(".".join((device.id, *knows))).decode()
    response.set_cookie(
        _cookie_name(), value, max_age=_KEPT_S, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )


def _mark(device_id: str, name: str) -> str:
    """Says nothing of the name to who reads the cookie."""
    return hmac.new(_key(), f"{device_id} {name}".encode(), hashlib.sha256).hexdigest()[:16]


def _cookie_name() -> str:
    return "__Host-device" if request.is_secure else "device"


def _signer() -> Signer:
    return Signer(_key(), salt="known device")


def _key() -> bytes:
    key = current_app.secret_key or b""
    return key if isinstance(key, bytes) else key.encode()
