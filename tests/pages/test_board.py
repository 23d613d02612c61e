"""The wall: every bed always, what is open in its order, and nobody's name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hospital import background, clock
from tests.live.lines import visitor_of
from tests.pages.markup import Element, read
from tests.support.house import House
from tests.support.readings import reading
from tests.support.standing import standing

NOBODY: dict[str, None] = {"patient": None}


def board(house: House, who: str = "nurse") -> Element:
    return read(visitor_of(house, who).get("/board").get_data(as_text=True))


def beds(house: House, who: str = "nurse") -> dict[str, str]:
    items = board(house, who).one("section", class_="board-beds").all("li")
    return {item.attributes["data-bed"]: item.attributes["data-bed-state"] for item in items}


def test_every_bed_of_the_units_is_there_and_empty_at_first(house: House) -> None:
    assert beds(house) == {f"MED-{number:02d}": "empty" for number in range(1, 13)}
    assert len(beds(house, "charge")) == 20
    assert list(beds(house, "nurse-icu")) == [f"ICU-{number:02d}" for number in range(1, 9)]


def test_each_bed_says_how_it_stands(house: House) -> None:
    house.take(reading(bed="MED^^MED-01", patient="1^^^W^PI"))
    for number, priority in enumerate(("high", "medium", "low"), 2):
        house.raise_alarm(alert_id=priority, bed=f"MED^^MED-0{number}", priority=priority, patient=None)
    taken = house.raise_alarm(alert_id="T", bed="MED^^MED-05", patient=None)
    assert visitor_of(house, "nurse").acknowledge(taken).status_code == 200
    seen = beds(house)
    assert [seen[f"MED-0{number}"] for number in range(1, 7)] == [
        "quiet", "alarm-high", "alarm-medium", "alarm-low", "acknowledged", "empty",
    ]  # fmt: skip


def test_a_bed_shows_the_most_urgent_that_nobody_has(house: House) -> None:
    high = house.raise_alarm(alert_id="A", priority="high", **NOBODY)
    house.raise_alarm(alert_id="B", priority="low", **NOBODY)
    assert beds(house)["MED-07"] == "alarm-high"
    visitor_of(house, "nurse").acknowledge(high)
    assert beds(house)["MED-07"] == "alarm-low"


def test_a_silent_bed_says_so_once_somebody_has_its_alert_resolved(house: House) -> None:
    house.take(reading())
    clock.turn(timedelta(seconds=121))
    background.look_for_silence()
    assert beds(house)["MED-07"] == "alarm-medium"
    nurse = visitor_of(house, "nurse")
    nurse.acknowledge(1)
    nurse.act("/alerts/1/resolution")
    assert beds(house)["MED-07"] == "no-data"


def test_rows_stand_in_the_order_of_the_list(house: House) -> None:
    low = house.raise_alarm(alert_id="L", bed="MED^^MED-01", priority="low", **NOBODY)
    high = house.raise_alarm(alert_id="H", bed="MED^^MED-02", priority="high", **NOBODY)
    medium = house.raise_alarm(alert_id="M", bed="MED^^MED-03", priority="medium", **NOBODY)
    house.raise_alarm(alert_id="I", bed="ICU^^ICU-01", priority="high", **NOBODY)
    rows = [row.attributes["id"] for row in board(house).all(data_testid="board-row")]
    assert rows == [f"board-{number}" for number in (high, medium, low)]


def test_what_does_not_fit_is_counted(house: House) -> None:
    for number in range(7):
        house.raise_alarm(alert_id=f"A{number}", bed=f"MED^^MED-0{number + 1}", **NOBODY)
    assert board(house).one("p", class_="board-more").text == "+ 2 more"


@pytest.mark.parametrize(
    ("begins", "ends", "theme"), [(21.0, 7.0, "night"), (0.0, 24.0, "night"), (7.5, 21.0, "dark"), (0.0, 0.0, "dark")]
)
def test_at_night_it_is_darker_from_its_first_moment(
    new_house: Callable[..., House], begins: float, ends: float, theme: str
) -> None:
    house = new_house(board_night_from_h=begins, board_night_to_h=ends)
    clock.stop(datetime(2026, 11, 23, 2, tzinfo=UTC))
    assert board(house).one("html").attributes["data-theme"] == theme


@pytest.mark.parametrize("who", ["nurse", "charge", "physician"])
def test_no_patient_is_named_anywhere_on_it(house: House, who: str) -> None:
    house.take(reading())
    house.raise_alarm()
    html = visitor_of(house, who).get("/board").get_data(as_text=True)
    assert "SpO2 low" in html and "MED-07" in html
    assert not standing(html, ("Testmann", "Tilda", "4711", "1961", "1961-03-01"))


@pytest.mark.parametrize("who", ["engineer", "admin"])
def test_who_sees_no_alerts_sees_no_board(house: House, who: str) -> None:
    assert visitor_of(house, who).get("/board").status_code == 403
