"""Secrets that are shown once and kept only as a hash."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """A random token needs no slow hash: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()
