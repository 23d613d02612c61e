"""After a few wrong tries each next one is taken later: guessing becomes slow, and nobody is ever locked out for good.

The counts are rows, so that a restart forgives nothing. A try is counted before the password is looked at and taken
back when it was right: a thousand guesses at the same instant are still one after the other.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from hospital import clock, records, settings
from hospital.records import SignInDelay
from hospital.vocabulary import N_

_FIRST_S = 1.0  # then twice as long after each wrong try


@dataclass(frozen=True)
class Guarded:
    """What tries are counted for, and how many are free of any delay. `shared`: by people who are not one another."""

    what: str
    free: int
    shared: bool = False

    @property
    def key(self) -> str:
        return hashlib.sha256(self.what.encode()).hexdigest()


class TooSoon(TooManyRequests):
    def __init__(self, wait_s: float) -> None:
        self.seconds = max(1, math.ceil(wait_s))
        super().__init__(N_("Too many wrong tries."), retry_after=self.seconds)


def account(name: str) -> Guarded:
    """Somebody's account, tried from where that person has never signed in."""
    return Guarded(f"account {name}", settings.current.sign_in_tries)


def device(name: str, device_id: str) -> Guarded:
    """The same, tried where that person has signed in before: a stranger's guesses do not slow it down."""
    return Guarded(f"device {device_id} {name}", settings.current.sign_in_tries)


def address(client: str) -> Guarded:
    """Where tries come from; of IPv6, the network, since each machine has more addresses than anyone can count."""
    try:
        given = ip_address(client)
    except ValueError:
        return Guarded("address unknown", settings.current.sign_in_tries_per_address, shared=True)
    network = ip_network((given, 64), strict=False) if isinstance(given, IPv6Address) else given
    return Guarded(f"address {network}", settings.current.sign_in_tries_per_address, shared=True)


def of_person(what: str, person_id: int) -> Guarded:
    """What somebody is asked for who has come some way already: a code, the old password."""
    return Guarded(f"{what} {person_id}", settings.current.sign_in_tries)


def count_try(*guarded: Guarded) -> None:
    """Count a try as wrong until it is known to be right. Raises TooSoon, which counts nothing; NotStored."""
    now = clock.now()
    wait_s = records.write(None, lambda session: _count(session, guarded, now))
    if wait_s > 0:
        raise TooSoon(wait_s)


def forgive(session: Session, *guarded: Guarded) -> None:
    """It was right: forget the wrong ones. Of what many share, only this one was not wrong."""
    for one in guarded:
        row = session.get(SignInDelay, one.key)
        if row is not None and one.shared and row.failures > 1:
            row.failures, row.until = row.failures - 1, clock.now()
        elif row is not None:
            session.delete(row)


def _count(session: Session, guarded: tuple[Guarded, ...], now: datetime) -> float:
    rows = [(one, session.get(SignInDelay, one.key, with_for_update=True)) for one in guarded]
    wait_s = max(((row.until - now).total_seconds() for _, row in rows if row is not None), default=0.0)
    if wait_s > 0:
        return wait_s
    for one, row in rows:
        if row is None:
            row = SignInDelay(key=one.key, failures=0)
            session.add(row)
        row.failures += 1
        row.last_at, row.until = now, now + timedelta(seconds=_delay_s(row.failures - one.free))
    return 0.0


def _delay_s(beyond: int) -> float:
    """Of the next try, after so many wrong ones beyond those that are free."""
    if beyond <= 0:
        return 0.0
    return float(min(_FIRST_S * 2 ** min(beyond - 1, 30), settings.current.sign_in_delay_most_s))
