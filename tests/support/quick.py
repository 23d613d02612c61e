"""Signing in costs a fifth of a second of argon2, on purpose. Tests check each password really once, and remember."""

from functools import cache

import pytest

from hospital.access import passwords

really_verify = passwords._verify
_verify_once = cache(really_verify)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_verify", _verify_once)
