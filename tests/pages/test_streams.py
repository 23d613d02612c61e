"""The administrator sees who is connected in the own hospital, and nothing of a patient; and ends a line that hangs."""

import pytest
from sqlalchemy import select

from hospital import records
from hospital.live.hub import RESTART
from hospital.records import AuditLine
from tests.live.lines import FakeLine, joined
from tests.pages.markup import read
from tests.support.house import House, Visitor
from tests.support.readings import reading


@pytest.fixture
def admin(house: House) -> Visitor:
    house.relay.look()
    return house.visitor("admin")


def test_the_administrator_sees_the_lines_of_the_own_hospital_and_no_patient(house: House, admin: Visitor) -> None:
    house.take(reading())
    joined(house, "nurse", views=frozenset({"alerts", "patient:1"}))
    joined(house, "nurse-b")
    page = admin.get("/admin/streams").get_data(as_text=True)
    assert page.count('data-testid="stream"') == 1
    assert "Amara N." in page and "Alerts, A patient" in page and "patient:1" not in page
    assert "Testmann" not in page


def test_lines_are_counted_by_role_and_transport(house: House, admin: Visitor) -> None:
    for name in ("nurse", "nurse2", "charge", "nurse-b"):
        joined(house, name)
    joined(house, "nurse").transport = "websocket"
    page = read(admin.get("/admin/streams").get_data(as_text=True))
    (table,) = page.all("table", data_testid="line-counts")
    assert [[cell.text for cell in row.inside] for row in table.all("tr")[1:]] == [
        ["Nurse", "2", "1"],
        ["Charge nurse", "1", "0"],
    ]


def test_a_line_that_hangs_is_ended_and_its_screen_comes_back(house: House, admin: Visitor) -> None:
    hangs, goes_on = numbered(joined(house, "nurse"), 3), numbered(joined(house, "nurse"), 4)
    answer = admin.act("/admin/streams/3/end")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/streams")
    assert (hangs.ended, hangs.code, goes_on.ended) == (True, RESTART, False)
    with records.read() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.act == "end")).all()
    assert [(line.object, line.person_id, line.outcome) for line in lines] == [
        ("line:3", house.actor("admin").person_id, 303)
    ]


def test_a_line_of_another_hospital_is_none(house: House, admin: Visitor) -> None:
    foreign = numbered(joined(house, "nurse-b"), 5)
    assert admin.act("/admin/streams/5/end").status_code == 404
    assert not foreign.ended


def test_an_act_of_another_page_ends_nothing(house: House, admin: Visitor) -> None:
    line = numbered(joined(house, "nurse"), 6)
    admin.csrf_token = "of another page"
    assert admin.act("/admin/streams/6/end").status_code == 403
    assert not line.ended


def numbered(line: FakeLine, number: int) -> FakeLine:
    line.number = number
    return line


def test_open_lines_are_gauged_by_hospital_role_and_transport(house: House) -> None:
    house.relay.look()
    for name in ("nurse", "nurse2", "charge", "nurse-b"):
        joined(house, name)
    told = house.visitor().get("/internal/metrics").get_data(as_text=True)
    for row in (("demo", "nurse", 2), ("demo", "charge", 1), ("demo-b", "nurse", 1)):
        hospital, role, number = row
        labels = f'hospital="{hospital}",role="{role}",transport="sse"'
        assert f"hospital_streams_open{{{labels}}} {number}.0" in told
