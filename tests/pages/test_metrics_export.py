"""Alerts of weeks as a table that a spreadsheet opens: counted by bed and priority, of one's own units alone."""

import csv
from datetime import timedelta

import pytest
from sqlalchemy import text

from hospital import clock, records
from tests.live.lines import visitor_of
from tests.support.house import House

Rows = list[dict[str, str]]


def exported(house: House, who: str = "charge", query: str = "") -> Rows:
    answer = visitor_of(house, who).get(f"/metrics/export?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(answer.text.splitlines()))


def test_each_bed_and_priority_is_counted_as_far_back_as_one_asks(house: House) -> None:
    clock.stop()
    for number, back_days in enumerate((20, 5, 0, 0)):
        clock.turn(timedelta(days=-back_days))
        alert_id = house.raise_alarm(alert_id=f"A{number}", priority="high")
        clock.turn(timedelta(days=back_days))
    visitor_of(house, "nurse").act(f"/alerts/{alert_id}/escalation")

    counts = {hours: exported(house, query=f"hours={hours}") for hours in ("24", "168", "720")}

    assert {hours: [row["alerts"] for row in rows] for hours, rows in counts.items()} == {
        "24": ["2"],
        "168": ["3"],
        "720": ["4"],
    }
    (row,) = counts["24"]
    assert (row["unit"], row["bed"], row["priority"]) == ("MED", "MED-07", "high")
    assert (row["told_charge"], row["told_physician"]) == ("1", "0")


def test_no_place_that_a_sender_names_is_a_formula(house: House) -> None:
    house.raise_alarm(bed="=1+1^^=1+1")
    assert [row["bed"][:2] for row in exported(house)] == ["'="]


def test_one_exports_one_s_own_units_alone(house: House) -> None:
    house.raise_alarm()
    assert exported(house, "nurse-icu") == exported(house, "nurse-b") == []


@pytest.mark.parametrize("query", ["hours=3650", "from=2026-03-04T12:00", "from=2026-03-04T12:00&to=2025-03-04T12:00"])
def test_a_range_that_cannot_be_counted_in_is_refused(house: House, query: str) -> None:
    assert visitor_of(house, "nurse").get(f"/metrics/export?{query}").status_code == 400


def test_the_file_s_name_says_of_which_time_it_is_on_the_hospital_s_clocks(house: House) -> None:
    answer = visitor_of(house, "nurse").get("/metrics/export?from=2026-01-04T12:00&to=2026-01-05T12:00")
    assert 'filename="alerts-2026-01-04-1200-to-2026-01-05-1200.csv"' in answer.headers["Content-Disposition"]


@pytest.mark.usefixtures("house")
def test_a_month_is_found_by_its_time_and_not_by_reading_everything() -> None:
    query = "EXPLAIN QUERY PLAN SELECT count(*) FROM alert WHERE hospital_id = 1 AND raised_at > '2026-01-01'"
    with records.read() as session:
        plan = " ".join(str(row) for row in session.execute(text(query)))
    assert "ix_alert_raised" in plan
