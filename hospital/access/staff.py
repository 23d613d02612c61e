"""The people of a hospital as its administrators add, change and let go of them. Acts of one transaction."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import settings
from hospital.access import signing_in
from hospital.records import Ended, Person, PersonSession, Unit
from hospital.records.places import WrongEntry, checked_name
from hospital.roles import Right, Role, may
from hospital.vocabulary import N_

_SIGN_IN_NAME = re.compile("[a-z0-9][a-z0-9._-]{1,39}")
ROLES = tuple(role for role in Role if role is not Role.DISPLAY)  # a display is paired


@dataclass(frozen=True)
class Entry:
    """What an administrator says of somebody. `role` '': none was chosen."""

    display_name: str
    role: str
    unit_ids: frozenset[int]
    active: bool = True


def add_person(
    session: Session, hospital_id: int, name: str, entry: Entry, password_hash: str, now: datetime
) -> Person:
    """Somebody who signs in as `name` with a one-time password. Raises WrongEntry."""
    if not _SIGN_IN_NAME.fullmatch(name):
        raise WrongEntry(
            sign_in_name=N_("A sign-in name has 2 to 40 small letters, digits, dots and hyphens, and no space.")
        )
    if session.scalar(select(Person.id).where(Person.name == name)) is not None:
        raise WrongEntry(sign_in_name=N_("Somebody has this sign-in name already. Choose another."))
    person = Person(hospital_id=hospital_id, name=name, active=True, changed_at=now)
    person.display_name, person.role, person.units = _checked(session, hospital_id, entry)
    give_password(person, password_hash, now)
    session.add(person)
    session.flush()
    return person


def change_person(session: Session, person: Person, entry: Entry, now: datetime) -> None:
    """Other rights close open streams within one beat, and the next answer brings a new token. Raises WrongEntry.

    Needs the lock of the hospital's head: of two who let the last two administrators go, one is refused.
    """
    display_name, role, units = _checked(session, person.hospital_id, entry)
    if person.role is Role.ADMIN and person.active and not (role is Role.ADMIN and entry.active):
        _check_not_the_last(session, person, "active" if role is Role.ADMIN else "role")
    if (person.role, set(person.units), person.active) != (role, set(units), entry.active):
        person.changed_at = now
    person.display_name, person.role, person.units, person.active = display_name, role, units, entry.active
    if not person.active:
        signing_in.end(session, PersonSession.person_id == person.id, Ended.BY_HAND)


def give_password(person: Person, password_hash: str, now: datetime) -> None:
    """One that somebody else knows: it opens for a while, and only to choose another."""
    person.password_hash, person.must_change_password = password_hash, True
    person.one_time_until = now + timedelta(hours=settings.current.one_time_password_h)


def _checked(session: Session, hospital_id: int, entry: Entry) -> tuple[str, Role, list[Unit]]:
    """Name, role and the units, which are of this hospital whatever the form said."""
    chosen = select(Unit).where(Unit.hospital_id == hospital_id, Unit.id.in_(entry.unit_ids)).order_by(Unit.code)
    name, units = checked_name(entry.display_name), list(session.scalars(chosen))
    if entry.role not in ROLES:
        raise WrongEntry(role=N_("Choose a role."))
    role = Role(entry.role)
    if may(role, Right.SEE_ALERTS) and not units:
        raise WrongEntry(unit=N_("Choose a unit: without one, this role sees no alert."))
    return name, role, units


def _check_not_the_last(session: Session, person: Person, field: str) -> None:
    others = select(func.count()).where(
        Person.hospital_id == person.hospital_id, Person.role == Role.ADMIN, Person.active, Person.id != person.id
    )
    if not session.scalars(others).one():
        why = N_("This is the hospital's last administrator. Let somebody else become one first.")
        raise WrongEntry(**{field: why})
