"""Notices: who may send them to whom, who sees them until when, and that nothing in them is markup."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from hospital import clock, records
from hospital.records import Unit, audit
from hospital.records.audit_table import rows
from tests.pages.markup import read
from tests.support.boards import paired
from tests.support.house import House, Visitor

SAYS = "The lift in the north wing is out of order until noon."


def unit_id(code: str) -> int:
    with records.read() as session:
        return session.scalars(select(Unit.id).where(Unit.code == code, Unit.hospital_id == 1)).one()


def send(visitor: Visitor, words: str = SAYS, unit: str = "MED", role: str = "", **more: str) -> int:
    """The status of the answer."""
    where = unit if unit == "all" else str(unit_id(unit))
    fields = {"text": words, "unit": where, "role": role, "csrf_token": visitor.csrf_token, **more}
    return visitor.client.post("/notices", data=fields).status_code


def seen(visitor: Visitor, path: str = "/alerts") -> list[str]:
    """What stands in the bar of a page."""
    return [one.all("p")[0].text for one in read(visitor.get(path).text).all(data_testid="notice")]


def press(visitor: Visitor, path: str) -> int:
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token}).status_code


def test_a_notice_stands_on_every_page_of_whom_it_is_for_until_each_has_read_it(house: House) -> None:
    assert send(house.visitor("charge")) == 303
    nurse, other = house.visitor("nurse"), house.visitor("nurse2")
    for path in ("/alerts", "/patients", "/metrics", "/account"):
        (words,) = seen(nurse, path)
        assert words.startswith(SAYS) and "Carla M." in words
    assert press(nurse, "/notices/1/reading") == 303
    assert press(nurse, "/notices/1/reading") == 303, "twice is once"
    assert seen(nurse) == []
    assert len(seen(other)) == 1


@pytest.mark.parametrize(
    ("unit", "role", "readers"),
    [
        ("MED", "", {"nurse", "nurse2", "charge", "physician", "engineer", "admin"}),
        ("ICU", "", {"nurse-icu", "charge", "physician", "engineer", "admin"}),
        ("MED", "physician", {"physician"}),
        ("all", "nurse", {"nurse", "nurse2", "nurse-icu"}),
        ("all", "", {"nurse", "nurse2", "nurse-icu", "charge", "physician", "engineer", "admin"}),
    ],
)
def test_it_is_for_a_hospital_a_unit_or_a_role_and_for_nobody_else(
    house: House, unit: str, role: str, readers: set[str]
) -> None:
    assert send(house.visitor("admin"), unit=unit, role=role) == 303
    people = ("nurse", "nurse2", "nurse-icu", "charge", "physician", "engineer", "admin", "nurse-b")
    assert {who for who in people if seen(house.visitor(who), "/account")} == readers


def test_a_charge_nurse_sends_to_her_units_alone_and_not_to_the_whole_hospital(house: House) -> None:
    charge = house.visitor("charge")
    assert send(charge, unit="all") == 422
    assert send(charge, unit="ICU") == 303


@pytest.mark.parametrize("words", ["", "   ", "x" * 281])
def test_a_notice_is_neither_empty_nor_long(house: House, words: str) -> None:
    assert send(house.visitor("charge"), words) == 422


def test_nothing_in_it_is_markup(house: House) -> None:
    assert send(house.visitor("charge"), "<b>Fire</b> drill & <script>tea</script>") == 303
    (words,) = seen(house.visitor("nurse"))
    assert words.startswith("<b>Fire</b> drill & <script>tea</script>")


def test_it_can_be_taken_back_and_ends_by_itself(house: House) -> None:
    charge, nurse = house.visitor("charge"), house.visitor("nurse")
    send(charge)
    send(charge, "Another one")
    assert press(charge, "/notices/1/withdrawal") == 303
    assert [words[:11] for words in seen(nurse)] == ["Another one"]
    clock.turn(timedelta(days=7, minutes=1))
    assert seen(house.visitor("nurse")) == []


def test_walls_show_what_is_for_walls_short_and_without_a_bed(house: House) -> None:
    charge = house.visitor("charge")
    wall, _ = paired(house)
    assert send(charge, "Only for people") == 303
    assert send(charge, "Fire drill at noon", on_boards="on") == 303
    assert send(charge, "Look after MED-07", on_boards="on") == 422
    assert send(charge, "x" * 81, on_boards="on") == 422
    (words,) = seen(wall.screen, "/board")
    assert words.startswith("Fire drill at noon")


def test_it_lies_sealed_and_the_audit_says_who_sent_and_who_read(house: House) -> None:
    send(house.visitor("charge"))
    press(house.visitor("nurse"), "/notices/1/reading")
    with records.read() as session:
        assert SAYS.encode() not in session.execute(text("SELECT text FROM notice")).scalar_one()
        lines = [(row.person, row.act, row.object, row.reason) for row in rows(session, 1, audit.with_sealed_detail())]
    assert ("Carla M.", "notices", "notice:1", SAYS) in lines
    assert ("Amara N.", "reading", "notice:1", "") in lines
