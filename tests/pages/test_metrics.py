"""Alerts in numbers, of a small history that anyone can count."""

from datetime import UTC, datetime, timedelta

import pytest

from hospital import clock
from tests.live.lines import visitor_of
from tests.pages.markup import Element, read
from tests.support.house import House

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def half_past_noon(house: House) -> None:
    clock.stop(NOON)


def later(**by: float) -> None:
    clock.turn(timedelta(**by))


def panel(house: House, who: str = "charge") -> Element:
    return read(visitor_of(house, who).get("/metrics").get_data(as_text=True)).one(data_testid="metrics-panel")


def figure(shown: Element, name: str) -> str:
    return shown.one(data_metric=name).text


def counted(shown: Element, of: str) -> dict[str, str]:
    rows = shown.one("table", data_of=of).one("tbody").all("tr")
    return {row.one("th").text: row.one("td", class_="number").text for row in rows if row.all("th")}


def per_hour(shown: Element) -> dict[str, str]:
    (table,) = [table for table in shown.all("table") if "Raised in each hour" in table.text]
    rows = table.one("tbody").all("tr")
    assert len(rows) == 24
    return {row.one("th").text: row.one("td").text for row in rows if row.one("td").text != "0"}


def test_where_nothing_has_happened_there_are_no_times(house: House) -> None:
    shown = panel(house)
    assert [figure(shown, name) for name in ("open", "unacknowledged")] == ["0", "0"]
    assert [figure(shown, name) for name in ("ack_median", "ack_p90", "resolve_median", "resolve_p90")] == ["–"] * 4
    assert counted(shown, "bed") == counted(shown, "unit") == per_hour(shown) == {}


def test_median_and_ninth_of_ten_are_those_of_the_history(house: House) -> None:
    nurse = visitor_of(house, "nurse")
    for number in range(1, 12):  # eleven alerts, acknowledged after 10, 20 … 110 s, resolved as long after that
        alert_id = house.raise_alarm(alert_id=f"A{number}")
        later(seconds=10 * number)
        assert nurse.acknowledge(alert_id).status_code == 200
        later(seconds=10 * number)
        assert nurse.act(f"/alerts/{alert_id}/resolution").status_code == 200
    shown = panel(house)
    assert (figure(shown, "ack_median"), figure(shown, "ack_p90")) == ("1:00", "1:40")
    assert (figure(shown, "resolve_median"), figure(shown, "resolve_p90")) == ("2:00", "3:20")
    assert figure(shown, "open") == "0"
    assert "11 acknowledged" in shown.text
    assert counted(shown, "bed") == {"MED-07": "11"}


def test_what_is_open_is_counted_by_priority_unit_and_step(house: House) -> None:
    first = house.raise_alarm(alert_id="A", priority="high")
    house.raise_alarm(alert_id="B", bed="ICU^^ICU-01", patient=None)
    house.raise_alarm(alert_id="C", bed="OR^^1", patient=None, priority="low")
    nurse = visitor_of(house, "nurse")
    nurse.acknowledge(first)
    nurse.act(f"/alerts/{first}/escalation")
    shown = panel(house)
    assert (figure(shown, "open"), figure(shown, "unacknowledged")) == ("3", "2")
    assert {word.lower(): n for word, n in counted(shown, "priority").items()} == {
        "high": "1",
        "medium": "1",
        "low": "1",
    }
    assert counted(shown, "unit") == {"MED": "1", "ICU": "1", "Unassigned": "1"}
    assert counted(shown, "step") == {"Nurses": "2", "Charge nurse": "1", "Physician": "0"}
    assert counted(shown, "bed") == {"MED-07": "1", "ICU-01": "1", "OR / – / 1": "1"}


def test_a_nurse_sees_the_numbers_of_her_own_unit_only(house: House) -> None:
    house.raise_alarm(alert_id="A")
    house.raise_alarm(alert_id="B", bed="ICU^^ICU-01", patient=None)
    house.raise_alarm(alert_id="C", bed="OR^^1", patient=None)
    shown = panel(house, "nurse")
    assert (figure(shown, "open"), counted(shown, "unit"), counted(shown, "bed")) == (
        "1",
        {"MED": "1"},
        {"MED-07": "1"},
    )
    assert figure(panel(house, "nurse-b"), "open") == "0"


def test_an_alert_counts_in_the_hour_of_the_clock_in_which_it_was_raised(house: House) -> None:
    house.raise_alarm(alert_id="A")
    later(minutes=40)
    house.raise_alarm(alert_id="B", bed="MED^^MED-01", patient=None)
    assert per_hour(panel(house)) == {"12": "1", "13": "1"}


def test_what_is_older_than_a_day_is_in_no_times_but_still_open(house: House) -> None:
    house.raise_alarm()
    later(hours=24)
    shown = panel(house)
    assert figure(shown, "open") == "1"
    assert counted(shown, "bed") == per_hour(shown) == {}


@pytest.mark.parametrize("who", ["engineer", "admin"])
def test_who_sees_no_alerts_sees_no_numbers(house: House, who: str) -> None:
    assert visitor_of(house, who).get("/metrics").status_code == 403
