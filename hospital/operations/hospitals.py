"""The commands of `flask --app app hospital …`: a hospital begins, and its administrators can always come in."""

from functools import partial

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, records
from hospital.access import passwords, signing_in, staff
from hospital.records import Ended, Hospital, Person, PersonSession, audit
from hospital.records.audit import Trace
from hospital.records.places import WrongEntry, open_hospital
from hospital.roles import Role

hospitals = AppGroup("hospital", help="Hospitals of this server, and their first administrators.")


@hospitals.command("create")
@click.option("--code", required=True, help="What commands call it: small letters, digits, hyphens.")
@click.option("--name", required=True, help="What its pages call it.")
@click.option("--timezone", required=True, help="Where it is, as Europe/Madrid.")
@click.option("--admin", required=True, help="The sign-in name of its first administrator.")
def create(code: str, name: str, timezone: str, admin: str) -> None:
    """Open a hospital and print the first administrator's one-time password as the last word."""
    given, password_hash = passwords.one_time()
    _write(partial(_open, code=code, name=name, timezone=timezone, admin=admin, password_hash=password_hash))
    click.echo(f"{name} is open. {_told(admin)} {given}")


@hospitals.command("password")
@click.option("--code", required=True, help="The hospital's code.")
@click.option("--admin", required=True, help="The sign-in name of an administrator of it.")
def password(code: str, admin: str) -> None:
    """For the last administrator who has forgotten the password: print a one-time password as the last word."""
    given, password_hash = passwords.one_time()
    _write(partial(_reset, code=code, admin=admin, password_hash=password_hash))
    click.echo(f"{_told(admin)} {given}")


def _open(session: Session, *, code: str, name: str, timezone: str, admin: str, password_hash: str) -> None:
    hospital = open_hospital(session, code, name, timezone)
    entry = staff.Entry(admin, Role.ADMIN, frozenset())
    person = staff.add_person(session, hospital.id, admin, entry, password_hash, clock.now())
    audit.append(session, Trace(hospital.id, "hospital create", f"person:{person.id}"))


def _reset(session: Session, *, code: str, admin: str, password_hash: str) -> None:
    query = select(Person).join(Hospital, Hospital.id == Person.hospital_id).where(Hospital.code == code)
    person = session.scalar(query.where(Person.name == admin, Person.role == Role.ADMIN, Person.active))
    if person is None:
        raise WrongEntry(admin=f"There is no administrator {admin!r} in a hospital {code!r}.")
    staff.give_password(person, password_hash, clock.now())
    signing_in.end(session, PersonSession.person_id == person.id, Ended.PASSWORD)
    audit.append(session, Trace(person.hospital_id, "hospital password", f"person:{person.id}"))


def _write(act: partial[None]) -> None:
    try:
        records.write(None, act)
    except WrongEntry as wrong:
        raise click.ClickException(str(wrong)) from None
    except records.NotStored as error:
        raise click.ClickException(f"Nothing was stored ({error}). Try again.") from None


def _told(admin: str) -> str:
    return f"The password of {admin} for one sign-in, which will not be shown again:"
