"""A hospital begins with a command; without the demo there is nothing that nobody has set up."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select

from hospital import clock, records
from hospital.records import AuditLine, Bed, Hospital, Person, Unit
from hospital.roles import Role
from hospital.settings import Settings
from tests.conftest import opened
from tests.support.house import House, Visitor

CREATE = ("hospital", "create", "--code", "st-anna", "--name", "St. Anna", "--timezone", "Europe/Vienna")
NEW = "a horse in the lift"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[House]:
    """The application on a fresh database, as it is delivered."""
    yield from opened(Settings(secret_key="for tests", instance=tmp_path))


def flask(house: House, *words: str) -> Result:
    return house.app.test_cli_runner().invoke(args=list(words))


def test_without_the_demo_a_fresh_database_has_no_hospital_no_person_no_unit(bare: House) -> None:
    with records.read() as session:
        counted = [session.scalar(select(func.count()).select_from(table)) for table in (Hospital, Person, Unit, Bed)]
    assert counted == [0, 0, 0, 0]
    assert bare.visitor().sign_in("admin", "demo-admin").status_code == 401


def test_the_last_word_opens_once_to_choose_a_password_and_nothing_else(bare: House) -> None:
    done = flask(bare, *CREATE, "--admin", "lena")
    assert done.exit_code == 0, done.output
    visitor = bare.visitor()
    assert visitor.sign_in("lena", done.output.split()[-1]).status_code == 303
    for path in ("/admin", "/admin/people", "/account", "/alerts"):
        assert visitor.get(path).headers["Location"] == f"/account/password?next={path}"
    assert choose_password(visitor, done.output.split()[-1]) == 303
    assert visitor.get("/admin/people").status_code == 200
    assert bare.visitor().sign_in("lena", done.output.split()[-1]).status_code == 401


def test_it_makes_a_hospital_of_that_name_in_that_zone_with_one_administrator_and_nothing_else(bare: House) -> None:
    flask(bare, *CREATE, "--admin", "lena")
    hospital = bare.hospital("st-anna")
    assert (hospital.name, hospital.timezone, hospital.head) == ("St. Anna", "Europe/Vienna", 0)
    with records.read() as session:
        (person,) = session.scalars(select(Person)).all()
        assert (person.name, person.role, person.hospital_id) == ("lena", Role.ADMIN, hospital.id)
        assert session.scalar(select(func.count()).select_from(Unit)) == 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"--code": "demo"}, "There is a hospital 'demo' already."),
        ({"--code": "St Anna"}, "small letters"),
        ({"--admin": "nurse"}, "Somebody has this sign-in name already."),
        ({"--admin": "Lena B"}, "no space"),
        ({"--timezone": "Vienna"}, "There is no such time zone."),
        ({"--timezone": "/etc/passwd"}, "There is no such time zone."),
        ({"--name": " "}, "one at least"),
    ],
)
def test_what_exists_or_is_no_name_is_refused_with_a_sentence_and_nothing_is_made(
    house: House, changed: dict[str, str], sentence: str
) -> None:
    given = {"--code": "st-anna", "--name": "St. Anna", "--timezone": "Europe/Vienna", "--admin": "lena"} | changed
    done = flask(house, "hospital", "create", *(word for pair in given.items() for word in pair))
    assert (done.exit_code, sentence in done.output) == (1, True), done.output
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Hospital)) == 2
        assert session.scalar(select(Person.id).where(Person.name == "lena")) is None


def test_both_commands_stand_in_the_hospital_s_audit_and_no_password_does(bare: House) -> None:
    first = flask(bare, *CREATE, "--admin", "lena").output.split()[-1]
    second = flask(bare, "hospital", "password", "--code", "st-anna", "--admin", "lena").output.split()[-1]
    with records.read() as session:
        lines = session.scalars(select(AuditLine).order_by(AuditLine.number)).all()
        (person_id,) = session.scalars(select(Person.id)).all()
    assert [(line.act, line.object) for line in lines] == [
        ("hospital create", f"person:{person_id}"),
        ("hospital password", f"person:{person_id}"),
    ]
    assert not any(secret in str(vars(line)) for line in lines for secret in (first, second))


def test_a_one_time_password_that_nobody_used_in_three_days_opens_no_more(bare: House) -> None:
    given = flask(bare, *CREATE, "--admin", "lena").output.split()[-1]
    clock.turn(timedelta(hours=73))
    assert bare.visitor().sign_in("lena", given).status_code == 401
    again = flask(bare, "hospital", "password", "--code", "st-anna", "--admin", "lena").output.split()[-1]
    assert bare.visitor().sign_in("lena", again).status_code == 303


def test_a_password_of_one_s_own_does_not_end(bare: House) -> None:
    given, visitor = flask(bare, *CREATE, "--admin", "lena").output.split()[-1], bare.visitor()
    visitor.sign_in("lena", given)
    choose_password(visitor, given)
    clock.turn(timedelta(days=365))
    assert bare.visitor().sign_in("lena", NEW).status_code == 303


def test_an_administrator_s_password_that_was_lost_is_given_anew_and_ends_the_sign_ins(house: House) -> None:
    admin = house.visitor("admin")
    given = flask(house, "hospital", "password", "--code", "demo", "--admin", "admin").output.split()[-1]
    assert admin.get("/admin").status_code == 302
    assert house.visitor().sign_in("admin").status_code == 401
    assert house.visitor().sign_in("admin", given).status_code == 303


@pytest.mark.parametrize(("code", "name"), [("demo", "nurse"), ("demo-b", "admin"), ("nowhere", "admin")])
def test_nobody_but_an_administrator_of_that_hospital_gets_one(house: House, code: str, name: str) -> None:
    done = flask(house, "hospital", "password", "--code", code, "--admin", name)
    assert (done.exit_code, "There is no administrator" in done.output) == (1, True)
    assert house.visitor().sign_in(name).status_code == 303


def choose_password(visitor: Visitor, old: str) -> int:
    token = re.findall(r'name="csrf_token" value="([^"]+)"', visitor.get("/account/password").text)[0]
    fields = {"csrf_token": token, "old": old, "new": NEW, "again": NEW}
    return visitor.client.post("/account/password", data=fields).status_code
