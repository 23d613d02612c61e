"""Whom the demo hospitals do not have: more people, and programs with a token."""

from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access.passwords import hash_password
from hospital.records import Person, Unit
from hospital.roles import Role
from tests.support.house import House

_hash_once = cache(hash_password)  # argon2 is slow on purpose


def hire(
    house: House,
    name: str,
    role: Role,
    *units: str,
    hospital: str = "demo",
    display_name: str = "",
    active: bool = True,
) -> None:
    """A person more; the password is demo- and the name, as for everybody."""
    password_hash, of = _hash_once(f"demo-{name}"), house.hospital(hospital)
    with records.read() as session:
        theirs = session.scalars(select(Unit.id).where(Unit.hospital_id == of.id, Unit.code.in_(units))).all()
    assert len(theirs) == len(units)

    def act(session: Session) -> None:
        person = Person(hospital_id=of.id, name=name, display_name=display_name or name, role=role, active=active)
        person.password_hash, person.changed_at = password_hash, clock.now()
        person.units = [session.get_one(Unit, unit_id) for unit_id in theirs]
        session.add(person)

    records.write(None, act)


def new_token(house: House, hospital: str = "demo", sender: str = "Test program") -> str:
    """As an administrator makes it, on the command line."""
    done = house.app.test_cli_runner().invoke(
        args=["tokens", "create", "--hospital", hospital, "--sender", sender], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return str(done.output.split()[-1])
