"""Passwords: argon2id, in gevent's thread pool, because a check takes long enough to hold up every screen."""

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    return str(gevent.get_hub().threadpool.apply(_hasher.hash, (password,)))


def is_right(password: str, password_hash: str | None) -> bool:
    """Takes as long for a person that does not exist (None) as for one that does."""
    right = bool(gevent.get_hub().threadpool.apply(_verify, (password, password_hash or _NOBODY)))
    return right and password_hash is not None


def _verify(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
