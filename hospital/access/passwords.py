"""Passwords: argon2id, in gevent's thread pool, because a check takes long enough to hold up every screen."""

import secrets
from functools import cache

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.lock import BoundedSemaphore

from hospital import settings
from hospital.vocabulary import N_

LONGEST = 200  # characters: argon2 need not chew on more
_ONE_TIME_BYTES = 12  # of one that is typed once
_AT_ONCE = 4  # each takes 64 MB and a core for a moment: who floods the door waits, and the screens do not

_hasher = PasswordHasher()
_turns = BoundedSemaphore(_AT_ONCE)


def hash_password(password: str) -> str:
    with _turns:
        return str(gevent.get_hub().threadpool.apply(_hasher.hash, (password,)))


def one_time() -> tuple[str, str]:
    """A password to be told to somebody, who changes it at once; and its hash."""
    given = secrets.token_urlsafe(_ONE_TIME_BYTES)
    return given, hash_password(given)


def is_right(password: str, password_hash: str | None) -> bool:
    """Takes as long for a person that does not exist (None), or has no password (''), as for one that has."""
    with _turns:
        right = bool(gevent.get_hub().threadpool.apply(_verify, (password, password_hash)))
    return right and bool(password_hash)


def is_outdated(password_hash: str) -> bool:
    """Made when less was asked of a hash than today: make it anew while the password is known."""
    return _hasher.check_needs_rehash(password_hash)


class Unfit(Exception):
    """This cannot be a new password: `sentence` says why, with `values` to be put in."""

    def __init__(self, sentence: str, **values: int) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values


def check(password: str, *names: str) -> None:
    """Whether this can be a new password: length counts, and that it is not one's own name. Raises Unfit."""
    least = settings.current.password_min_characters
    if len(password) < least:
        raise Unfit(N_("A password has %(least)s characters at least. A few words are easy to remember."), least=least)
    if len(password) > LONGEST:
        raise Unfit(N_("A password has %(most)s characters at most."), most=LONGEST)
    if any(len(name) > 3 and name.casefold() in password.casefold() for name in names):
        raise Unfit(N_("A password must not hold your own name."))
    if len(set(password)) < 5:
        raise Unfit(N_("A password must not be the same few characters again and again."))


@cache
def _nobodys() -> str:
    """Made when it is first asked for: not every command of the shell need wait for it."""
    return str(_hasher.hash("nobody has this password"))


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        return _hasher.verify(password_hash or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
