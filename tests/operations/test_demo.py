"""The invented hospitals are those that the contract promises: other programs sign in as these people."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from hospital import records
from hospital.operations.demo import prepare_demo
from hospital.records import Alert, Base, Bed, Hospital, JournalLine, Message, Patient, Person, Sender, Unit
from tests.support.house import House

PEOPLE = {
    "nurse": ("demo", "nurse", {"MED"}),
    "nurse2": ("demo", "nurse", {"MED"}),
    "nurse-icu": ("demo", "nurse", {"ICU"}),
    "charge": ("demo", "charge", {"MED", "ICU"}),
    "physician": ("demo", "physician", {"MED", "ICU"}),
    "engineer": ("demo", "engineer", {"MED", "ICU"}),
    "admin": ("demo", "admin", {"MED", "ICU"}),
    "nurse-b": ("demo-b", "nurse", {"MED"}),
}
BEDS = {
    ("demo", "MED"): [f"MED-{n:02d}" for n in range(1, 13)],
    ("demo", "ICU"): [f"ICU-{n:02d}" for n in range(1, 9)],
    ("demo-b", "MED"): [f"MED-{n:02d}" for n in range(1, 13)],
}


def test_the_people_are_those_of_the_contract(house: House) -> None:
    with records.read() as session:
        codes = {hospital.id: hospital.code for hospital in session.scalars(select(Hospital))}
        people = session.scalars(select(Person).options(selectinload(Person.units))).all()
        found = {p.name: (codes[p.hospital_id], p.role.value, {unit.code for unit in p.units}) for p in people}
        assert all(unit.hospital_id == person.hospital_id for person in people for unit in person.units)
        assert all(person.active for person in people)
    assert found == PEOPLE


def test_the_units_and_beds_are_those_of_the_contract(house: House) -> None:
    with records.read() as session:
        rows = session.execute(
            select(Hospital.code, Unit.code, Bed.code)
            .join(Unit, Unit.hospital_id == Hospital.id)
            .join(Bed, (Bed.unit_id == Unit.id) & (Bed.hospital_id == Hospital.id))
            .order_by(Bed.code)
        ).all()
    found: dict[tuple[str, str], list[str]] = {}
    for hospital, unit, bed in rows:
        found.setdefault((hospital, unit), []).append(bed)
    assert found == BEDS


def test_there_are_no_patients_and_no_alerts_but_those_that_messages_bring(house: House) -> None:
    with records.read() as session:
        for table in (Patient, Alert, JournalLine, Message, Sender):
            assert session.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_signs_in_with_the_password_of_the_contract(house: House, name: str) -> None:
    visitor = house.visitor()
    answer = visitor.sign_in(name, f"demo-{name}")
    home = "/admin" if name in ("engineer", "admin") else "/alerts"
    assert (answer.status_code, answer.headers["Location"]) == (303, home)
    assert house.visitor().sign_in(name, "demo-").status_code == 401


def test_the_sign_in_page_says_who_there_is(house: House) -> None:
    page = house.visitor().get("/sign-in").text
    assert all(f"<code>{name}</code>" in page for name in PEOPLE)


def test_without_the_demo_the_sign_in_page_names_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.settings.current", house.settings.but(demo=False))
    page = house.visitor().get("/sign-in").text
    assert not any(f"<code>{name}</code>" in page for name in PEOPLE)
    assert "demo" not in page.lower()


def test_preparing_again_changes_nothing(house: House) -> None:
    before = _everything()
    prepare_demo()
    assert _everything() == before


def test_no_two_installations_share_an_epoch_or_a_password_hash(house: House) -> None:
    with records.read() as session:
        epochs = session.scalars(select(Hospital.epoch)).all()
        hashes = session.scalars(select(Person.password_hash)).all()
    assert len(set(epochs)) == 2
    assert len(set(hashes)) == len(PEOPLE)


def _everything() -> dict[str, list[tuple[object, ...]]]:
    with records.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}
