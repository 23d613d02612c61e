"""Patients and where they lie."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import records
from hospital.records import Bed, Hospital, Patient, Stay, find_bed, meet_patient, settle
from tests.support.house import House

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def meet(house: House, hospital: str = "demo", **how: Any) -> Patient:
    told: dict[str, Any] = {"identifier": "4711", "authority": "Ward", "name": "", "birth_date": None, "sex": ""}
    hospital_id = house.hospital(hospital).id
    return records.write(hospital_id, lambda session: meet_patient(session, hospital_id, **(told | how)))


def bed(house: House, code: str, hospital: str = "demo") -> int:
    with records.read() as session:
        found = find_bed(session, house.hospital(hospital).id, code.partition("-")[0], code, code)
    assert found is not None
    return found.id


def lay(patient: Patient, bed_id: int) -> bool:
    def act(session: Session) -> bool:
        return settle(session, session.get_one(Patient, patient.id), session.get_one(Bed, bed_id), NOON)

    return records.write(patient.hospital_id, act)


def stays() -> list[tuple[int, int, bool]]:
    with records.read() as session:
        return [(stay.patient_id, stay.bed_id, stay.until is None) for stay in session.scalars(select(Stay))]


# ---- Who it is


def test_a_patient_is_kept_as_first_told(either_house: House) -> None:
    met = meet(either_house, name="Testmann, Tilda", birth_date=date(1961, 3, 1), sex="F")

    with records.read() as session:
        kept = session.get_one(Patient, met.id)
    assert (kept.identifier, kept.authority, kept.name) == ("4711", "Ward", "Testmann, Tilda")
    assert (kept.birth_date, kept.sex) == ("1961-03-01", "F")
    assert kept.hospital_id == either_house.hospital().id


def test_the_same_number_from_the_same_authority_is_the_same_patient(either_house: House) -> None:
    assert meet(either_house).id == meet(either_house).id


@pytest.mark.parametrize(
    "other",
    [{"identifier": "4712"}, {"identifier": "04711"}, {"identifier": "4711 "}, {"authority": "Lab"}]
    + [{"authority": "ward"}, {"hospital": "demo-b"}, {"identifier": "Ward", "authority": "4711"}],
    ids=str,
)
def test_another_number_authority_or_hospital_is_another_patient(house: House, other: dict[str, str]) -> None:
    assert meet(house).id != meet(house, **other).id


@pytest.mark.parametrize("mark", ["\x1f", "^", "|", "\\", '","', "\x00"])
def test_where_the_authority_ends_and_the_number_begins_is_never_in_doubt(house: House, mark: str) -> None:
    first = meet(house, authority="A", identifier=f"B{mark}C")

    assert meet(house, authority=f"A{mark}B", identifier="C").id != first.id


def test_blanks_are_filled_later(house: House) -> None:
    meet(house)
    filled = meet(house, name="Testmann, Tilda", birth_date=date(1961, 3, 1), sex="F")

    assert (filled.name, filled.birth_date, filled.sex) == ("Testmann, Tilda", "1961-03-01", "F")


def test_what_is_known_is_never_changed_by_an_alarm(house: House) -> None:
    meet(house, name="Testmann, Tilda", birth_date=date(1961, 3, 1), sex="F")
    again = meet(house, name="Probst, Otto", birth_date=date(1950, 12, 24), sex="M")

    assert (again.name, again.birth_date, again.sex) == ("Testmann, Tilda", "1961-03-01", "F")


def test_what_an_alarm_leaves_out_stays(house: House) -> None:
    meet(house, name="Testmann, Tilda", birth_date=date(1961, 3, 1), sex="F")
    again = meet(house)

    assert (again.name, again.birth_date, again.sex) == ("Testmann, Tilda", "1961-03-01", "F")


def test_what_is_not_known_is_empty(house: House) -> None:
    met = meet(house)

    assert (met.name, met.birth_date, met.sex) == ("", "", "")


def test_the_database_itself_refuses_a_second_patient_with_the_number(either_house: House) -> None:
    index = meet(either_house).identifier_index
    hospital_id = either_house.hospital().id
    twin = {"identifier": "4711", "authority": "Ward", "name": "", "birth_date": "", "sex": ""}

    with pytest.raises(IntegrityError):
        records.write(None, lambda s: s.add(Patient(hospital_id=hospital_id, identifier_index=index, **twin)))


# ---- Where they lie


def test_an_empty_bed_takes_a_patient_who_lies_nowhere(either_house: House) -> None:
    tilda, bed_id = meet(either_house), bed(either_house, "MED-07")

    assert lay(tilda, bed_id)

    with records.read() as session:
        stay = session.scalars(select(Stay)).one()
    assert (stay.patient_id, stay.bed_id, stay.since, stay.until) == (tilda.id, bed_id, NOON, None)
    assert stay.hospital_id == tilda.hospital_id


def test_who_lies_there_lies_there(house: House) -> None:
    tilda, bed_id = meet(house), bed(house, "MED-07")
    lay(tilda, bed_id)

    assert lay(tilda, bed_id)
    assert stays() == [(tilda.id, bed_id, True)]


def test_an_occupied_bed_says_otherwise(house: House) -> None:
    tilda, otto, bed_id = meet(house), meet(house, identifier="4712"), bed(house, "MED-07")
    lay(tilda, bed_id)

    assert not lay(otto, bed_id)
    assert stays() == [(tilda.id, bed_id, True)]


def test_who_lies_elsewhere_is_not_moved(house: House) -> None:
    tilda = meet(house)
    lay(tilda, bed(house, "MED-07"))

    assert not lay(tilda, bed(house, "MED-08"))
    assert stays() == [(tilda.id, bed(house, "MED-07"), True)]


def test_a_stay_that_has_ended_frees_bed_and_patient(house: House) -> None:
    tilda, otto = meet(house), meet(house, identifier="4712")
    here, there = bed(house, "MED-07"), bed(house, "MED-08")
    lay(tilda, here)
    records.write(None, _end_all_stays)

    assert lay(otto, here)
    assert lay(tilda, there)
    assert stays() == [(tilda.id, here, False), (otto.id, here, True), (tilda.id, there, True)]


def test_the_database_itself_refuses_two_in_one_bed(either_house: House) -> None:
    tilda, otto = meet(either_house), meet(either_house, identifier="4712")
    bed_id = bed(either_house, "MED-07")
    lay(tilda, bed_id)
    second = Stay(hospital_id=otto.hospital_id, patient_id=otto.id, bed_id=bed_id, since=NOON)

    with pytest.raises(IntegrityError):
        records.write(None, lambda session: session.add(second))


def _end_all_stays(session: Session) -> None:
    for stay in session.scalars(select(Stay)):
        stay.until = NOON


# ---- Beds


@pytest.mark.parametrize(
    ("unit_code", "bed_code", "found"),
    [
        ("MED", "MED-07", "MED-07"),
        ("MED", "07", "MED-07"),
        ("", "MED-07", "MED-07"),
        ("ICU", "08", "ICU-08"),
        ("ICU", "09", None),
        ("ICU", "MED-07", None),
        ("", "07", None),
        ("MED", "", None),
        ("", "", None),
        ("med", "07", None),
        ("MED", "7", None),
    ],
)
def test_a_bed_is_found_by_what_its_sender_calls_it(
    house: House, unit_code: str, bed_code: str, found: str | None
) -> None:
    with records.read() as session:
        there = find_bed(session, house.hospital().id, unit_code, bed_code, "")

    assert (there.code if there else None) == found


def test_a_bed_is_found_in_its_own_hospital_only(house: House) -> None:
    with records.read() as session:
        here = find_bed(session, house.hospital("demo").id, "MED", "MED-07", "")
        there = find_bed(session, house.hospital("demo-b").id, "MED", "MED-07", "")
        assert find_bed(session, house.hospital("demo-b").id, "ICU", "ICU-01", "") is None

    assert here is not None and there is not None
    assert here.id != there.id
    assert (here.hospital_id, there.hospital_id) == (house.hospital("demo").id, house.hospital("demo-b").id)


def _add_bed(session: Session, unit_id: int, code: str) -> None:
    hospital_id = session.scalars(select(Hospital.id).where(Hospital.code == "demo")).one()
    session.add(Bed(hospital_id=hospital_id, unit_id=unit_id, code=code))


@pytest.fixture
def med(house: House) -> int:
    with records.read() as session:
        found = find_bed(session, house.hospital().id, "MED", "MED-07", "")
    assert found is not None
    return found.unit_id


def test_two_beds_that_could_be_meant_are_none(house: House, med: int) -> None:
    records.write(None, lambda session: _add_bed(session, med, "07"))

    with records.read() as session:
        assert find_bed(session, house.hospital().id, "MED", "07", "") is None
        assert find_bed(session, house.hospital().id, "MED", "MED-07", "") is not None
