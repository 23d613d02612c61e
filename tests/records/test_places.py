"""Units, beds and what senders call them: what can be told apart is taken, and nothing else."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import records
from hospital.records import Bed, Hospital, Unit, find_bed
from hospital.records.places import WrongEntry, add_beds, add_unit, bind_code, set_zone
from tests.support.house import House

PLACE = "7W / 07 / A"


def bed(house: House, code: str = "MED-07", hospital: str = "demo") -> Bed:
    with records.read() as session:
        where = (Bed.code == code, Bed.hospital_id == house.hospital(hospital).id)
        return session.scalars(select(Bed).where(*where)).one()


def bind(house: House, place: str = PLACE, unit: str = "7W", code: str = "A", to: Bed | None = None) -> None:
    there = to or bed(house)
    records.write(None, lambda session: bind_code(session, there, place, unit, code))


def found(house: House, unit: str, code: str, place: str, hospital: str = "demo") -> str | None:
    with records.read() as session:
        there = find_bed(session, house.hospital(hospital).id, unit, code, place)
        return there.code if there else None


def in_unit(house: House, act: Callable[[Session, Unit], object], code: str = "MED") -> None:
    def do(session: Session) -> None:
        where = (Unit.code == code, Unit.hospital_id == house.hospital().id)
        act(session, session.scalars(select(Unit).where(*where)).one())

    records.write(None, do)


def wrong(act: Callable[[], object]) -> str:
    with pytest.raises(WrongEntry) as caught:
        act()
    return " ".join(caught.value.fields)


def test_a_bound_code_means_its_bed_in_its_hospital_alone(house: House) -> None:
    assert found(house, "7W", "A", PLACE) is None
    bind(house)
    assert found(house, "7W", "A", PLACE) == "MED-07"
    assert found(house, "7W", "A", "7W / 08 / A") is None
    assert found(house, "7W", "A", PLACE, "demo-b") is None


def test_a_code_that_has_no_bed_in_it_can_be_bound_too(house: House) -> None:
    bind(house, "7W-07A / – / –", "7W-07A", "")
    assert found(house, "7W-07A", "", "7W-07A / – / –") == "MED-07"


def test_a_code_is_bound_once(house: House) -> None:
    bind(house)
    assert wrong(lambda: bind(house, to=bed(house, "MED-08"))) == "bed_code"
    assert found(house, "7W", "A", PLACE) == "MED-07"


def test_what_means_a_bed_already_cannot_be_made_to_mean_another(house: House) -> None:
    assert wrong(lambda: bind(house, "MED / – / 08", "MED", "08")) == "bed_code"
    assert found(house, "MED", "08", "MED / – / 08") == "MED-08"


def test_a_code_that_came_to_mean_two_beds_means_none(house: House) -> None:
    """The unit was added after its name had been bound. Nobody can say which bed is meant: an alarm is unassigned."""
    bind(house)
    records.write(None, lambda session: add_beds(session, _new_unit(session, house), ["A"]))
    assert found(house, "7W", "A", PLACE) is None


def _new_unit(session: Session, house: House) -> Unit:
    return add_unit(session, house.hospital().id, "7W", "Seven West")


@pytest.mark.parametrize("place", ["– / – / –", "x" * 201, "7W / \x07 / A"])
def test_what_is_no_code_is_not_bound(house: House, place: str) -> None:
    unit = "" if place.startswith("–") else "7W"
    assert wrong(lambda: bind(house, place, unit, "")) == "bed_code"


@pytest.mark.parametrize(
    "codes",
    [["MED-07"], ["ICU-01"], ["07"], ["MED-20", "MED-20"], ["MED-20", "20"], [], ["7/8"], ["x" * 21], ["MED-20", ""]],
)
def test_beds_that_could_be_taken_for_one_another_are_not_added_nor_any_with_them(
    house: House, codes: list[str]
) -> None:
    assert wrong(lambda: in_unit(house, lambda session, unit: add_beds(session, unit, codes))) == "code"
    with records.read() as session:
        assert session.scalar(select(Bed.id).where(Bed.code == "MED-20")) is None


def test_beds_are_added_to_their_unit(house: House) -> None:
    in_unit(house, lambda session, unit: add_beds(session, unit, ["MED-20", "Side room 1"]))
    assert found(house, "MED", "20", "") == "MED-20"
    assert found(house, "MED", "Side room 1", "") == "Side room 1"


@pytest.mark.parametrize(("code", "field"), [("MED", "code"), ("7^W", "code"), ("", "code"), (" 7W", "code")])
def test_a_unit_that_is_there_or_cannot_be_called_so_is_not_added(house: House, code: str, field: str) -> None:
    hospital_id = house.hospital().id
    assert wrong(lambda: records.write(None, lambda session: add_unit(session, hospital_id, code, "Ward"))) == field


def test_another_hospital_may_have_a_unit_of_the_same_code(house: House) -> None:
    records.write(None, lambda session: add_unit(session, house.hospital("demo-b").id, "ICU", "Ours too").id)
    with records.read() as session:
        assert len(session.scalars(select(Unit).where(Unit.code == "ICU")).all()) == 2


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe/Madrid\0"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    assert wrong(lambda: set_zone(Hospital(), zone)) == "timezone"
