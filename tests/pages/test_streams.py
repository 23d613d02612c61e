"""The administrator sees who is connected in the own hospital, and nothing of a patient."""

from tests.live.lines import joined
from tests.support.house import House
from tests.support.readings import reading


def test_the_administrator_sees_the_lines_of_the_own_hospital_and_no_patient(house: House) -> None:
    house.relay.look()
    house.take(reading())
    joined(house, "nurse", views=frozenset({"alerts", "patient:1"}))
    joined(house, "nurse-b")
    page = house.visitor("admin").get("/admin/streams").get_data(as_text=True)
    assert page.count('data-testid="stream"') == 1
    assert "Amara N." in page and "alerts, patient<" in page and "patient:1" not in page
    assert "Testmann" not in page


def test_open_lines_are_gauged_by_hospital_role_and_transport(house: House) -> None:
    house.relay.look()
    for name in ("nurse", "nurse2", "charge", "nurse-b"):
        joined(house, name)
    told = house.visitor().get("/internal/metrics").get_data(as_text=True)
    for row in (("demo", "nurse", 2), ("demo", "charge", 1), ("demo-b", "nurse", 1)):
        hospital, role, number = row
        labels = f'hospital="{hospital}",role="{role}",transport="sse"'
        assert f"hospital_streams_open{{{labels}}} {number}.0" in told
