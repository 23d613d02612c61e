"""Alerts of weeks as a table that a spreadsheet opens: counted by bed and priority, of one's own units alone."""

import csv
from datetime import timedelta

import pytest
from sqlalchemy import text

from hospital import clock, records
from tests.live.lines import visitor_of
from tests.support.house import House

Rows = list[dict[str, str]]


def exported(house: House, who: str = "charge", days: str = "1") -> Rows:
    answer = visitor_of(house, who).get(f"/metrics/export?days={days}")
    assert answer.status_code == 200
    return list(csv.DictReader(answer.text.splitlines()))


def test_each_bed_and_priority_is_counted_as_far_back_as_one_asks(house: House) -> None:
    clock.stop()
    for number, back_days in enumerate((20, 5, 0, 0)):
        clock.turn(timedelta(days=-back_days))
        alert_id = house.raise_alarm(alert_id=f"A{number}", priority="high")
        clock.turn(timedelta(days=back_days))
    visitor_of(house, "nurse").act(f"/alerts/{alert_id}/escalation")

    counts = {days: exported(house, days=days) for days in ("1", "7", "30")}

    assert {days: [row["alerts"] for row in rows] for days, rows in counts.items()} == {
        "1": ["2"],
        "7": ["3"],
        "30": ["4"],
    }
    (row,) = counts["1"]
    assert (row["unit"], row["bed"], row["priority"]) == ("MED", "MED-07", "high")
    assert (row["told_charge"], row["told_physician"]) == ("1", "0")


def test_no_place_that_a_sender_names_is_a_formula(house: House) -> None:
    house.raise_alarm(bed="=1+1^^=1+1")
    assert [row["bed"][:2] for row in exported(house)] == ["'="]


def test_one_exports_one_s_own_units_alone(house: House) -> None:
    house.raise_alarm()
    assert exported(house, "nurse-icu") == exported(house, "nurse-b") == []


def test_a_range_that_is_not_offered_is_refused(house: House) -> None:
    assert visitor_of(house, "nurse").get("/metrics/export?days=3650").status_code == 400


@pytest.mark.usefixtures("house")
def test_a_month_is_found_by_its_time_and_not_by_reading_everything() -> None:
    query = "EXPLAIN QUERY PLAN SELECT count(*) FROM alert WHERE hospital_id = 1 AND raised_at > '2026-01-01'"
    with records.read() as session:
        plan = " ".join(str(row) for row in session.execute(text(query)))
    assert "ix_alert_raised" in plan
