"""Identity at rest: sealed columns (AES-GCM) and blind indexes for exact search.

A sealed value is one key-id byte, a 12-byte nonce and the ciphertext; `table.column` is bound in as associated data, so
that a value copied into another column does not open. Keys come from the ring's secrets by HKDF, one for each use.
Which key is current is said by the database (records/key_register.py): whoever writes asks it first (`follow`), so that
from one transaction to the next every process seals with the new key, or does not write.
"""

import hashlib
import hmac
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gevent
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary, TypeDecorator, text
from sqlalchemy.orm import Session

from hospital.records.ring import BadRing

log = logging.getLogger(__name__)

_NONCE_BYTES = 12
_ASK_AGAIN_S = 1.0


class CannotOpen(Exception):
    """A sealed value was made with another key, or was changed."""


class KeyMissing(Exception):
    """The database is sealed with a key that this process does not have."""


@dataclass(frozen=True)
class Key:
    """What is derived from one secret of the ring. `check` tells it from another of the same number."""

    seals: AESGCM
    index: bytes
    digest: bytes
    anchor: bytes
    forms: bytes
    check: str

    @classmethod
    def of(cls, secret: str) -> "Key":
        return cls(
            seals=AESGCM(derive(secret, "seal")),
            index=derive(secret, "blind index"),
            digest=derive(secret, "journal digest"),
            anchor=derive(secret, "anchor"),
            forms=derive(secret, "forms"),
            check=derive(secret, "check").hex(),
        )


_ring: dict[int, Key] = {}
_source: Callable[[], Mapping[int, str]] = dict
_in_use: tuple[int, ...] = ()  # the last one is current; the others still lie in the database
_asked_at = 0.0


def use_ring(source: Callable[[], Mapping[int, str]]) -> None:
    """Take the keys (number → secret) that `source` gives, and ask it again if one is missing. Raises BadRing."""
    global _source, _in_use
    _source = source
    _take()
    _in_use = (max(_ring),)


def use_secret(secret: str) -> None:
    """A ring of this one key."""
    use_ring(lambda: {1: secret})


def ring() -> dict[int, Key]:
    return _ring


def read_again() -> None:
    """Ask for the keys anew: somebody may have added one. If that fails, those that are known stay."""
    global _asked_at
    _asked_at = time.monotonic()
    try:
        _take()
    except BadRing as error:
        log.error("keys: %s", error)


def _take() -> None:
    global _ring
    _ring = {number: Key.of(secret) for number, secret in _source().items()}


def follow(session: Session) -> None:
    """Every write begins so: from now on seal with the key that is current in this database. Raises KeyMissing."""
    global _in_use
    _in_use = in_use(session) or (max(_ring),)


def learn(session: Session) -> None:
    """Before a search: know every key that something may be indexed under. Raises KeyMissing."""
    try:
        in_use(session)
    except KeyMissing:
        read_again()
        in_use(session)


def in_use(session: Session) -> tuple[int, ...]:
    """The numbers of the keys that something may lie under in the database, the current one last. Raises KeyMissing."""
    query = text("SELECT id FROM seal_key WHERE retired_at IS NULL ORDER BY id")
    numbers = tuple(row[0] for row in session.execute(query))
    if missing := set(numbers) - _ring.keys():
        raise KeyMissing(f"The key ring lacks key {min(missing)}, which this database is sealed with.")
    return numbers


def current() -> int:
    """The number of the key that seals now."""
    return _in_use[-1]


def form_keys() -> list[bytes]:
    """What signs forms, the current key's first: a page opened under another one can still be sent."""
    return [key.forms for _, key in sorted(_ring.items(), reverse=True)]


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key of its own for each purpose, so that none gives another away."""
    return HKDF(SHA256(), 32, salt=None, info=f"hospital {purpose}".encode()).derive(secret.encode())


def blind(*parts: str) -> str:
    """An index for exact search that says nothing without the key; the same parts give the same index."""
    return _mac(_ring[current()].index, json.dumps(parts))


def blinds(*parts: str) -> list[str]:
    """The index under every key of the ring: what is not re-sealed yet is found, too."""
    return [_mac(key.index, json.dumps(parts)) for key in _ring.values()]


def keyed_digest(text: str) -> str:
    """Binds free text to a journal line without storing it there."""
    return _mac(_ring[current()].digest, text)


def keyed_digests(text: str) -> list[str]:
    """The digest under every key of the ring: what was kept before a change of keys is known again, too."""
    return [_mac(key.digest, text) for key in _ring.values()]


def is_digest(text: str, digest: str, keys: list[bytes]) -> bool:
    """Whether one of these digest keys (records/key_register.py keeps them all) made this digest of this text."""
    return any(hmac.compare_digest(_mac(key, text), digest) for key in keys)


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Sealed(TypeDecorator[str]):
    """Text that lies encrypted in the database. `place` is its `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        nonce, number = os.urandom(_NONCE_BYTES), current()
        sealed = _ring[number].seals.encrypt(nonce, value.encode(), self.place.encode())
        return bytes([number]) + nonce + sealed

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return self.open(value) if value is not None else None

    def open(self, value: bytes) -> str:
        """Raises CannotOpen."""
        nonce, sealed = value[1 : 1 + _NONCE_BYTES], value[1 + _NONCE_BYTES :]
        try:
            return _key(value[0]).seals.decrypt(nonce, sealed, self.place.encode()).decode()
        except (KeyError, IndexError, InvalidTag, ValueError):  # of the last, and no byte: it was cut off
            raise CannotOpen(
                f"{self.place} cannot be opened: is HOSPITAL_SECRET_KEY the one it was sealed with?"
            ) from None


def _key(number: int) -> Key:
    """Another process may seal with a new key before this one has heard of it: then the ring is read again.

    Not on the writer's thread, which has followed, and not for each value that somebody has changed.
    """
    if number not in _ring and gevent.get_hub().loop.default and time.monotonic() - _asked_at > _ASK_AGAIN_S:
        read_again()
    return _ring[number]
