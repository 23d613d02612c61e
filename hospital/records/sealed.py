"""Identity at rest: sealed columns (AES-GCM) and blind indexes for exact search.

A sealed value is one key-id byte, a 12-byte nonce and the ciphertext; `table.column` is bound in as associated data, so
that a value copied into another column does not open. Keys come from the one secret by HKDF, one for each use.
"""

import hashlib
import hmac
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary, TypeDecorator

_KEY_ID = 1
_NONCE_BYTES = 12

_keys: dict[int, AESGCM] = {}
_index_key = b""
_digest_key = b""


class CannotOpen(Exception):
    """A sealed value was made with another key, or was changed."""


def use_secret(secret: str) -> None:
    """Derive the keys from the installation's secret. Must be the secret with which the database was filled."""
    global _index_key, _digest_key
    _keys[_KEY_ID] = AESGCM(derive(secret, "seal"))
    _index_key = derive(secret, "blind index")
    _digest_key = derive(secret, "journal digest")


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key of its own for each purpose, so that none gives another away."""
    return HKDF(SHA256(), 32, salt=None, info=f"hospital {purpose}".encode()).derive(secret.encode())


def blind(*parts: str) -> str:
    """An index for exact search that says nothing without the key; the same parts give the same index."""
    return hmac.new(_index_key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def keyed_digest(text: str) -> str:
    """Binds free text to a journal line without storing it there."""
    return hmac.new(_digest_key, text.encode(), hashlib.sha256).hexdigest()


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
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _keys[_KEY_ID].encrypt(nonce, value.encode(), self.place.encode())
        return bytes([_KEY_ID]) + nonce + sealed

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        key_id, nonce, sealed = value[:1], value[1 : 1 + _NONCE_BYTES], value[1 + _NONCE_BYTES :]
        try:
            return _keys[ord(key_id)].decrypt(nonce, sealed, self.place.encode()).decode()
        except (KeyError, InvalidTag, TypeError, ValueError):  # the last two: it was cut off
            raise CannotOpen(
                f"{self.place} cannot be opened: is HOSPITAL_SECRET_KEY the one it was sealed with?"
            ) from None
