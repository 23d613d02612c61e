"""What somebody has chosen of how it looks is there in every browser, before anything is painted."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from hospital import records
from hospital.records import Person
from hospital.records.preferences import Density, Preferences, Theme
from tests.pages.markup import read
from tests.support.house import House, Visitor


def test_a_choice_holds_in_every_browser_of_that_person_and_in_nobody_else_s(house: House) -> None:
    choose(house.visitor("nurse"), theme="night", density="compact")

    elsewhere, somebody_else = looks(house.visitor("nurse")), looks(house.visitor("nurse2"))

    assert (elsewhere["data-theme"], elsewhere["data-density"]) == ("night", "compact")
    assert "data-theme" not in somebody_else and somebody_else["data-density"] == "roomy"


def test_what_a_form_does_not_name_stays(house: House) -> None:
    nurse = house.visitor("nurse")
    choose(nurse, theme="dark", density="compact", language="es")
    choose(nurse, theme="auto")
    assert kept(house) == Preferences(Theme.AUTO, Density.COMPACT, "es")
    assert "data-theme" not in looks(nurse)


@pytest.mark.parametrize("field", ["theme", "density", "language"])
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
    assert {one["name"]: one["value"] for one in checked} == {"theme": "light", "density": "roomy", "language": "es"}


def test_a_script_is_answered_without_a_page(house: House) -> None:
    nurse = house.visitor("nurse")
    assert nurse.act("/preferences", theme="night").status_code == 204
    assert looks(nurse)["data-theme"] == "night"


@pytest.mark.parametrize("other", [{}, {"theme": "sepia", "language": 7}, {"theme": None, "later": "x"}])
def test_what_another_version_has_kept_breaks_no_page(other: dict[str, Any]) -> None:
    assert Preferences.of(other) == Preferences()


def choose(visitor: Visitor, **chosen: str) -> TestResponse:
    return visitor.client.post("/preferences", data={"csrf_token": visitor.csrf_token, **chosen})


def kept(house: House) -> Preferences:
    with records.read() as session:
        return session.get_one(Person, house.actor("nurse").person_id).preferences


def looks(visitor: Visitor) -> dict[str, str]:
    """The attributes of the page's root."""
    return read(visitor.get("/alerts").text).one("html").attributes
