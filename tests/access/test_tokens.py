"""Secrets that are shown once and kept only as a hash."""

import hashlib

from hospital.access.tokens import new_token, token_hash


def test_no_two_tokens_are_the_same() -> None:
    assert len({new_token() for _ in range(1_000)}) == 1_000


def test_a_token_cannot_be_guessed_and_fits_in_a_header() -> None:
    token = new_token()
    assert len(token) >= 43  # 256 bits
    assert token.isascii() and not set(token) & set(" ;,=\"'\\")


def test_only_the_hash_of_a_token_is_kept() -> None:
    token = new_token()
    assert token not in token_hash(token)
    assert token_hash(token) == hashlib.sha256(token.encode()).hexdigest()
    assert len(token_hash(token)) == 64


def test_whatever_is_sent_as_a_token_has_a_hash() -> None:
    assert token_hash("") != token_hash("ü") != token_hash("x" * 100_000)
