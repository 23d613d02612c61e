"""Every error becomes an answer that says what happened; and no log ever says what a message held."""

import logging
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from hospital import meters, records
from hospital.access.guard import for_people, open_to_all
from tests.pages.markup import read
from tests.support.house import House

NAME = "Testmann, Tilda"
HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("who", ["nurse", None])
def test_what_does_not_exist_is_told_as_a_page(house: House, who: str | None) -> None:
    answer = house.visitor(who).get("/nothing", headers=HTML)
    page = read(answer.text)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert page.one("main").one("h1").text == "Nothing here"
    assert page.one("main").one("a").attributes["href"] == "/alerts"


@pytest.mark.parametrize("path", ["/alerts", "/nothing", "/sign-in", "/static/css/main.css"])
def test_who_asks_for_a_host_that_cannot_be_is_told_so_without_a_page(house: House, path: str) -> None:
    answer = house.visitor("nurse").get(path, headers=HTML | {"Host": "x" * 300})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_what_does_not_exist_is_told_to_a_program_as_json(house: House) -> None:
    answer = house.visitor().get("/nothing", headers=JSON)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert (answer.json["status"], answer.json["title"]) == (404, "Nothing here")
    assert answer.json["detail"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/live/nothing", "/health/nothing", "/internal/nothing"])
def test_the_addresses_of_programs_speak_json_to_everybody(house: House, path: str) -> None:
    answer = house.visitor().get(path, headers=HTML)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}, HTML], ids=str)
def test_who_asks_for_nothing_special_gets_a_page(house: House, accept: dict[str, str]) -> None:
    assert house.visitor().get("/nothing", headers=accept).mimetype == "text/html"


def test_what_cannot_be_done_here_says_what_can(house: House) -> None:
    for headers, mimetype in ((HTML, "text/html"), (JSON, "application/problem+json")):
        answer = house.visitor("nurse").client.delete("/alerts", headers=headers)
        assert (answer.status_code, answer.mimetype) == (405, mimetype)
        assert {"GET", "HEAD", "OPTIONS"} == {word.strip() for word in answer.headers["Allow"].split(",")}


def test_who_is_not_signed_in_is_led_to_the_door_and_back(house: House) -> None:
    answer = house.visitor().get("/alerts/7?a=1&b=%2F", headers=HTML)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/alerts/7%3Fa%3D1%26b%3D%252F"


def test_what_is_no_page_is_not_led_to_the_door(house: House) -> None:
    stranger = house.visitor()
    assert stranger.get("/alerts", headers=JSON).status_code == 401
    assert stranger.get("/alerts", headers={**HTML, "HX-Request": "true"}).status_code == 401
    assert stranger.client.post("/alerts/1/notes", headers=HTML).status_code == 401
    assert stranger.get("/live/stream?view=alerts", headers=HTML).status_code == 401


def test_who_is_not_signed_in_and_acts_is_shown_the_door(house: House) -> None:
    page = read(house.visitor().client.post("/alerts/1/notes", headers=HTML).text)
    assert page.one("main").one("a").attributes["href"] == "/sign-in"


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["page", "json"])
def test_a_fault_of_ours_tells_neither_the_reader_nor_the_log_what_it_was_about(
    house: House, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    """An exception's text may quote what it stumbled over: a name, a note, a message."""
    house.app.add_url_rule("/planted", view_func=_planted_fault)
    with caplog.at_level(logging.DEBUG):
        answer = house.visitor("nurse").get("/planted", headers=headers)

    assert answer.status_code == 500
    assert answer.mimetype == ("text/html" if headers is HTML else "application/problem+json")
    assert "Testmann" not in answer.text
    assert "Testmann" not in caplog.text
    faults = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.name for record in faults] == ["hospital.pages.problems"]
    assert faults[0].exc_info is None
    assert faults[0].getMessage().startswith("ValueError at _stumble:")
    assert faults[0].getMessage().endswith("while answering _planted_fault")


def test_a_fault_in_an_act_is_told_like_any_other(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse, alert_id = house.visitor("nurse"), house.raise_alarm()
    monkeypatch.setattr("hospital.alerts.noting.journal.append", _stumble)
    with caplog.at_level(logging.DEBUG):
        answer = nurse.act(f"/alerts/{alert_id}/notes", text=NAME)
    assert answer.status_code == 500
    assert "Testmann" not in answer.text + caplog.text
    assert "ValueError" in caplog.text


def test_while_the_database_is_away_there_is_still_a_page_that_says_so(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can be recognised then, so the page is one for nobody; nothing in it or in the log quotes anybody."""

    def away() -> Any:
        raise OperationalError("SELECT", {"name": NAME}, Exception("gone"), hide_parameters=True)

    nurse = house.visitor("nurse")
    with monkeypatch.context() as broken, caplog.at_level(logging.DEBUG):
        broken.setattr(records, "read", away)
        answer = nurse.get("/alerts", headers=HTML)
        assert nurse.get("/alerts", headers=JSON).status_code == 500
        assert nurse.get("/live/stream?view=alerts").status_code == 500
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert read(answer.text).one("main").one("h1").text
    assert "Content-Security-Policy" in answer.headers
    assert "Testmann" not in caplog.text
    assert nurse.get("/alerts").status_code == 200


def test_problems_are_counted_by_their_status(house: House) -> None:
    visitor = house.visitor()
    visitor.get("/nothing")
    visitor.get("/nothing")
    visitor.client.delete("/alerts")
    assert meters.counted("problems_total", status="404") == 2
    assert meters.counted("problems_total", status="405") == 1


def test_a_body_that_is_too_large_is_refused(house: House) -> None:
    nurse = house.visitor("nurse")
    answer = nurse.act("/alerts/1/notes", text="x" * (house.settings.mllp_max_bytes + 1))
    assert (answer.status_code, answer.json["title"]) == (413, "Too large")


def test_too_many_streams_are_refused_with_when_to_come_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.settings.current", house.settings.but(streams_per_person=0))
    answer = house.visitor("nurse").get("/live/stream?view=alerts")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert answer.json["title"] == "Too many at once"


@open_to_all
def _planted_fault() -> str:
    return _stumble()


def _stumble(*_: object, **__: object) -> str:
    raise ValueError(f"no bed for {NAME}")


@pytest.mark.parametrize("path", ["/board", "/alerts"])
def test_what_passes_by_itself_can_be_tried_again_and_a_wall_does_so_itself(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    nurse = house.visitor("nurse")

    def fail() -> None:
        raise RuntimeError(NAME)

    house.app.testing = False
    monkeypatch.setitem(
        house.app.view_functions, f"{path[1:]}.{'board' if path == '/board' else 'alert_list'}", _marked(fail)
    )
    answer = nurse.get(path, headers=HTML)
    page = read(answer.text)
    assert answer.status_code == 500
    assert [link.text for link in page.one("main").all("a")] == ["Try again now", "To the alerts"]
    refreshes = [meta for meta in page.all("meta") if meta.attributes.get("http-equiv") == "refresh"]
    assert len(refreshes) == (path == "/board")


def test_what_will_not_pass_is_not_tried_again(house: House) -> None:
    page = read(house.visitor("nurse").get("/alerts/999", headers=HTML).text)
    assert [link.text for link in page.one("main").all("a")] == ["To the alerts"]


def _marked(view: Any) -> Any:
    return for_people()(view)
