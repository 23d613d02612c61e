"""A patient is found by bed, number and surname, by those who may see them, although nothing can be read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from hospital import records
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import Patient, sealed
from hospital.records.patient import plain
from hospital.records.rotating import rotate
from hospital.records.searching import find_patients
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.support.house import House
from tests.support.readings import reading

PEOPLE = {
    "MED^^MED-07": "PID 90-210^^^Ward^PI||Müller-Lüdenscheidt^Tilda",
    "MED^^MED-08": "4712^^^Ward^PI||O'Brien^Sean",
    "MED^^MED-09": "4713^^^Other^PI||MULLER LÜDENSCHEIDT^Ottokar",
    "ICU^^ICU-02": "4714^^^Ward^PI||Ørsted^Åse",
    "ATTIC^^ATTIC-01": "4715^^^Ward^PI||De la Cruz^Ana",
    "MED^^MED-10": "||",
}


@pytest.fixture
def ward(either_house: House) -> Iterator[House]:
    for bed, patient in PEOPLE.items():
        receive(reading(bed=bed, patient=patient))
    yield either_house
    sealed.use_secret("for tests")


def found(house: House, who: str, words: str) -> list[str]:
    with records.read() as session:
        return sorted(one.place.rpartition(" / ")[2] for one in find_patients(session, house.actor(who), words))


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("Müller-Lüdenscheidt", ["MED-07", "MED-09"]),
        ("  mullerludenscheidt ", ["MED-07", "MED-09"]),
        ("Mu\u0308ller Lu\u0308denscheidt", ["MED-07", "MED-09"]),
        ("OBRIEN", ["MED-08"]),
        ("o’brien", ["MED-08"]),
        ("pid-90210", ["MED-07"]),
        ("4713", ["MED-09"]),
        ("med-07", ["MED-07"]),
        ("MED-10", ["MED-10"]),
        ("Müller", []),
        ("Tilda", []),
        ("471", []),
        ("MED", []),
        ("%", []),
        ("", []),
        ("unidentified at MED-10", []),
    ],
)
def test_words_find_exactly_whom_they_name(ward: House, words: str, places: list[str]) -> None:
    assert found(ward, "nurse", words) == places


def test_letters_without_an_accent_that_falls_off_are_plain_too() -> None:
    assert plain("Ørsted") == plain("orsted") and plain("Łukaszewicz-Æ") == "lukaszewiczae" and plain("Weiß") == "weiss"


def test_one_finds_in_one_s_own_units_alone(ward: House) -> None:
    assert found(ward, "nurse", "Ørsted") == found(ward, "nurse", "ICU-02") == []
    assert found(ward, "nurse-icu", "orsted") == found(ward, "physician", "4714") == ["ICU-02"]
    assert found(ward, "nurse-icu", "O'Brien") == []


def test_whom_nobody_has_placed_the_charge_nurse_finds(ward: House) -> None:
    assert found(ward, "charge", "de la cruz") == ["ATTIC-01"]
    assert found(ward, "physician", "de la cruz") == []


def test_another_hospital_finds_nobody_of_ours(ward: House) -> None:
    receive(
        reading(bed="MED^^MED-07", patient="4712^^^Ward^PI||O'Brien^Sean"), senders.by_token(new_token(ward, "demo-b"))
    )
    for words in ("O'Brien", "4712"):
        with records.read() as session:
            theirs = find_patients(session, ward.actor("nurse-b"), words)
        assert [one.hospital_id for one in theirs] == [ward.hospital("demo-b").id]
        assert found(ward, "nurse", words) == ["MED-08"]
    assert found(ward, "nurse-b", "4713") == []


def test_who_may_not_see_identity_finds_no_names_and_who_may_not_see_alerts_finds_nothing(ward: House) -> None:
    hire(ward, "display", Role.DISPLAY, "MED")
    assert found(ward, "display", "O'Brien") == found(ward, "display", "4712") == []
    assert found(ward, "display", "MED-08") == ["MED-08"]
    assert found(ward, "admin", "MED-08") == found(ward, "engineer", "4712") == []


def test_everybody_is_found_in_the_middle_of_a_change_of_keys_and_after_it(ward: House) -> None:
    sealed.use_ring(lambda: {1: "for tests", 2: "the second"})
    seen = []
    rotate(lambda *_: seen.append((found(ward, "nurse", "O'Brien"), found(ward, "nurse", "4713"))))
    sealed.use_ring(lambda: {2: "the second"})
    seen.append((found(ward, "nurse", "O'Brien"), found(ward, "nurse", "4713")))

    assert set(map(str, seen)) == {str((["MED-08"], ["MED-09"]))}
    assert len(seen) > 2


def test_patients_of_an_earlier_version_are_found_after_the_command_or_when_they_are_met(ward: House) -> None:
    blank = update(Patient).values(surname_index=None, number_index=None)
    records.write(None, lambda session: session.execute(blank))
    assert found(ward, "nurse", "O'Brien") == []
    receive(reading(bed="MED^^MED-08", patient=PEOPLE["MED^^MED-08"]))
    assert found(ward, "nurse", "O'Brien") == ["MED-08"]

    rotate(lambda *_: None)

    assert found(ward, "nurse", "4713") == ["MED-09"]


def test_the_indexes_say_nothing_without_the_key_and_differ_between_hospitals(ward: House) -> None:
    receive(
        reading(bed="MED^^MED-07", patient="4712^^^Ward^PI||O'Brien^Sean"), senders.by_token(new_token(ward, "demo-b"))
    )
    with records.read() as session:
        rows = session.query(Patient.surname_index, Patient.number_index).filter(Patient.surname_index != "").all()
    indexes = [index for row in rows for index in row]
    assert len({row[0] for row in rows}) == len(rows) - 1, "only the two of the same name in the same hospital"
    assert all(len(index) == 64 for index in indexes)
    sealed.use_secret("another")
    assert not set(sealed.blinds("1", "surname", "obrien")) & set(indexes)
