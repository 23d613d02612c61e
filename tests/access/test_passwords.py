"""Passwords: argon2id, never on the loop that serves every screen."""

import threading
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from argon2 import extract_parameters

from hospital.access import passwords
from hospital.access.passwords import hash_password, is_right
from tests.support.quick import really_verify


@pytest.fixture(autouse=True)
def _checked_as_in_life(quick_passwords: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_verify", really_verify)


def test_the_right_password_is_right_and_no_other() -> None:
    kept = hash_password("correct horse")
    assert is_right("correct horse", kept)
    for wrong in ("", "correct horse ", "Correct horse", "correct horse\0", kept):
        assert not is_right(wrong, kept)


def test_a_hash_is_argon2id_and_never_the_same_twice() -> None:
    first, second = hash_password("demo-nurse"), hash_password("demo-nurse")
    assert first.startswith("$argon2id$")
    assert first != second
    assert "demo-nurse" not in first


def test_a_hash_costs_a_guesser_at_least_what_rfc_9106_recommends() -> None:
    cost = extract_parameters(hash_password("demo-nurse"))
    assert (cost.type.name, cost.version) == ("ID", 19)
    assert cost.memory_cost >= 65_536 and cost.time_cost >= 3 and cost.salt_len >= 16 and cost.hash_len >= 32


def test_passwords_of_any_script_work() -> None:
    assert is_right("пароль 🔑 ñ", hash_password("пароль 🔑 ñ"))


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$broken", "demo-nurse"])
def test_a_hash_that_cannot_be_read_opens_for_nobody(broken: str) -> None:
    assert not is_right("demo-nurse", broken or "$")


@pytest.mark.parametrize("password", ["", "nobody has this password"])
def test_a_person_that_does_not_exist_has_no_password(password: str) -> None:
    assert not is_right(password, None)


def test_for_a_person_that_does_not_exist_as_much_is_computed_as_for_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the time of an answer would tell who works here."""
    kept = hash_password("demo-nurse")
    verified = _listen(monkeypatch, "verify")
    is_right("guess", kept)
    is_right("guess", None)
    assert [password for _, password in verified] == ["guess", "guess"]
    assert [_cost(password_hash) for password_hash, _ in verified] == [_cost(kept)] * 2


def test_a_check_leaves_the_loop_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, loop, beats = hash_password("demo-nurse"), threading.get_ident(), []
    threads = []
    verified = _listen(monkeypatch, "verify", lambda: threads.append(threading.get_ident()))

    def beat() -> None:
        while not verified:
            gevent.sleep(0.001)
        beats.append(len(verified))

    beating = gevent.spawn(beat)
    assert is_right("demo-nurse", kept)
    beating.join(1)
    assert threads and loop not in threads
    assert beats


def test_a_hash_is_made_off_the_loop_too(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    _listen(monkeypatch, "hash", lambda: threads.append(threading.get_ident()))
    hash_password("demo-nurse")
    assert threads and threading.get_ident() not in threads


def _listen(monkeypatch: pytest.MonkeyPatch, name: str, also: Callable[[], None] = lambda: None) -> list[Any]:
    """What the hasher is asked from now on; it answers as ever."""
    asked: list[Any] = []
    hasher = passwords._hasher

    class Listening:
        def verify(self, *what: str) -> bool:
            also()
            asked.append(what)
            return hasher.verify(*what)

        def hash(self, *what: str) -> str:
            also()
            asked.append(what)
            return hasher.hash(*what)

    assert name in ("verify", "hash")
    monkeypatch.setattr(passwords, "_hasher", Listening())
    return asked


def _cost(password_hash: str) -> str:
    """Variant, version and parameters of an argon2 hash."""
    return password_hash.rpartition("$")[0].rpartition("$")[0]
