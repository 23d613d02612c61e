"""How one wall board looks and sounds: set by a charge nurse, followed by that board alone."""

import pytest
from werkzeug.test import TestResponse

from tests.pages.markup import read
from tests.support.boards import paired
from tests.support.house import House, Visitor

CHOSEN = {"sound": "off", "volume": "30", "letters": "large", "night_from": "20:30", "night_to": "06:15"}


def test_a_board_looks_as_its_charge_nurse_has_set_it_and_another_as_before(house: House) -> None:
    wall, board = paired(house)
    other, _ = paired(house, "South corridor")

    assert choose(house.visitor("charge"), board.id).status_code == 303

    page = read(wall.screen.get("/board").text)
    body = page.one("body").attributes
    assert (body["data-sound"], body["data-volume"], body["data-night"]) == ("off", "30", "20:30–06:15")
    assert page.one("html").attributes["data-letters"] == "large"
    assert read(other.screen.get("/board").text).one("html").attributes["data-letters"] == "usual"


def test_a_board_that_runs_is_told_with_its_next_pulse(house: House) -> None:
    wall, board = paired(house)
    choose(house.visitor("charge"), board.id)
    headers = {"X-CSRF-Token": wall.screen.csrf_token}
    cursor = f"{house.hospital().epoch}-{house.hospital().head}"
    told = wall.screen.client.post("/live/pulse", json={"cursor": cursor}, headers=headers).get_json()
    assert told == {"sound": "off", "volume": 30, "letters": "large", "night": "20:30–06:15"}


def test_the_form_shows_what_is_set(house: House) -> None:
    _, board = paired(house)
    charge = house.visitor("charge")
    choose(charge, board.id)
    page = read(charge.get(f"/boards/{board.id}").text)
    assert [page.one(id=name).attributes["value"] for name in ("night_from", "night_to")] == ["20:30", "06:15"]
    checked = {
        one.attributes["name"]: one.attributes["value"] for one in page.all("input") if "checked" in one.attributes
    }
    assert checked == {"sound": "off", "letters": "large"}


@pytest.mark.parametrize(
    "wrong",
    [{"sound": ""}, {"volume": "0"}, {"volume": "35"}, {"letters": "huge"}, {"night_from": "25:00"}, {"night_to": ""}],
)
def test_only_what_is_offered_is_taken(house: House, wrong: dict[str, str]) -> None:
    wall, board = paired(house)
    assert choose(house.visitor("charge"), board.id, **wrong).status_code == 422
    assert read(wall.screen.get("/board").text).one("html").attributes["data-letters"] == "usual"


def test_a_board_of_other_units_cannot_be_set(house: House) -> None:
    _, board = paired(house, "North corridor", "MED")
    assert choose(house.visitor("charge"), board.id + 1).status_code == 404
    assert choose(house.visitor("nurse"), board.id).status_code == 403


def choose(visitor: Visitor, board_id: int, **changed: str) -> TestResponse:
    fields = CHOSEN | changed | {"csrf_token": visitor.csrf_token}
    return visitor.client.post(f"/boards/{board_id}", data=fields)
