"""What somebody has chosen of how it looks is there in every browser, before anything is painted."""

from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from hospital import records
from hospital.records import Person
from hospital.records.preferences import Density, Preferences, Sound, Theme
from tests.pages.markup import read
from tests.support.house import House, Visitor


def test_a_choice_holds_in_every_browser_of_that_person_and_in_nobody_else_s(house: House) -> None:
    choose(house.visitor("nurse"), theme="night", density="compact")

    elsewhere, somebody_else = looks(house.visitor("nurse")), looks(house.visitor("nurse2"))

    assert (elsewhere["data-theme"], elsewhere["data-density"]) == ("night", "compact")
    assert "data-theme" not in somebody_else and somebody_else["data-density"] == "roomy"


def test_what_a_form_does_not_name_stays(house: House) -> None:
    nurse = house.visitor("nurse")
    choose(nurse, theme="dark", density="compact", language="es", sound="off", volume="30", priority="high")
    choose(nurse, theme="auto")
    assert kept(house) == Preferences(Theme.AUTO, Density.COMPACT, "es", Sound.OFF, 30, priority="high")
    assert "data-theme" not in looks(nurse)


@pytest.mark.parametrize("field", ["theme", "density", "language", "sound", "volume", "unit", "priority", "who"])
def test_only_what_is_offered_is_taken(house: House, field: str) -> None:
    answer = choose(house.visitor("nurse"), **{"theme": "night"} | {field: "<b>pink</b>"})
    assert answer.status_code == 422
    assert "Choose one of these." in answer.text and "pink" not in answer.text
    assert kept(house) == Preferences()


def test_a_chosen_language_goes_before_the_browser_s_on_pages_and_streams(house: House) -> None:
    nurse = house.visitor("nurse")
    stream = {"path": "/live/stream?view=alerts", "buffered": False}
    nurse.get(**stream).close()
    choose(nurse, language="es")

    page = nurse.get("/alerts", headers={"Accept-Language": "en"})
    heard = nurse.get(**stream, headers={"Accept-Language": "en"})

    assert '<html lang="es"' in page.text and "Todas las preferencias" in page.text
    assert [line.watch.audience.language for line in house.relay.hub.of_person(house.actor("nurse").person_id)] == [
        "es"
    ]
    heard.close()


def test_the_page_shows_what_is_chosen(house: House) -> None:
    nurse = house.visitor("nurse")
    choose(nurse, theme="light", language="es")
    page = read(nurse.get("/preferences").text)
    checked = [one.attributes for one in page.all("input") if "checked" in one.attributes]
    chosen = {"theme": "light", "density": "roomy", "language": "es", "sound": "on"}
    assert {one["name"]: one["value"] for one in checked} == chosen


def test_a_script_is_answered_without_a_page(house: House) -> None:
    nurse = house.visitor("nurse")
    assert nurse.act("/preferences", theme="night").status_code == 204
    assert looks(nurse)["data-theme"] == "night"


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"theme": "sepia", "language": 7},
        {"theme": None, "later": "x"},
        {"volume": 7, "sound": 1},
        {"volume": None, "unit": ["MED"]},
    ],
)
def test_what_another_version_has_kept_breaks_no_page(other: dict[str, Any]) -> None:
    assert Preferences.of(other) == Preferences()


def test_sound_and_volume_stand_on_the_page_before_anything_sounds(house: House) -> None:
    nurse = house.visitor("nurse")
    choose(nurse, sound="off", volume="20")
    body = read(nurse.get("/alerts").text).one("body").attributes
    assert (body["data-sound"], body["data-volume"]) == ("off", "20")


def test_the_list_begins_with_what_a_person_keeps_and_its_address_goes_first(house: House) -> None:
    for bed, priority in (("MED-01", "low"), ("MED-02", "high"), ("ICU-01", "high")):
        house.raise_alarm(alert_id=bed, bed=f"{bed[:3]}^^{bed}", priority=priority)
    charge = house.visitor("charge")
    choose(charge, unit="MED", priority="high")

    assert begins_with(charge, "/alerts") == ["MED-02"]
    assert begins_with(charge, "/alerts?priority=low") == ["MED-01"], "an address that names one names all"
    assert sorted(begins_with(charge, "/alerts?who=")) == ["ICU-01", "MED-01", "MED-02"]
    assert sorted(begins_with(house.visitor("physician"), "/alerts")) == ["ICU-01", "MED-01", "MED-02"]
    assert "hidden" not in read(charge.get("/alerts").text).one(data_filtered="high").attributes


def test_a_unit_that_is_one_s_own_no_more_hides_nothing(house: House) -> None:
    house.raise_alarm()
    charge = house.visitor("charge")
    choose(charge, unit="ICU")

    def leave(session: Session) -> None:
        row = session.get_one(Person, house.actor("charge").person_id)
        row.units = [unit for unit in row.units if unit.code == "MED"]

    records.write(None, leave)
    assert begins_with(charge, "/alerts") == ["MED-07"]


def test_who_sees_no_alerts_is_asked_nothing_about_them(house: House) -> None:
    names = {one.attributes["name"] for one in read(house.visitor("admin").get("/preferences").text).all("select")}
    assert names == set()


def begins_with(visitor: Visitor, path: str) -> list[str]:
    cards = read(visitor.get(path).text).one(id="alert-list").all("article")
    return [card.one(class_="place").text for card in cards]


def choose(visitor: Visitor, **chosen: str) -> TestResponse:
    return visitor.client.post("/preferences", data={"csrf_token": visitor.csrf_token, **chosen})


def kept(house: House) -> Preferences:
    with records.read() as session:
        return session.get_one(Person, house.actor("nurse").person_id).preferences


def looks(visitor: Visitor) -> dict[str, str]:
    """The attributes of the page's root."""
    return read(visitor.get("/alerts").text).one("html").attributes
