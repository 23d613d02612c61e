"""Looking for a patient: in one's own units, by POST, and written down."""

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from hospital import clock, meters, records, settings
from hospital.records import audit
from hospital.roles import Role
from tests.access.strangers import hire, new_token
from tests.access.test_traces import left
from tests.live.lines import visitor_of
from tests.support.house import House, Visitor
from tests.support.readings import reading

NOBODY = "There is nobody of this bed, number or surname in your units"


@pytest.fixture
def nurse(house: House) -> Visitor:
    house.take(reading(bed="MED^^MED-07", patient="90210^^^Ward^PI||Müller^Tilda"))
    house.take(reading(bed="ICU^^ICU-02", patient="90211^^^Ward^PI||Müller^Ottokar"))
    return visitor_of(house, "nurse")


def search(visitor: Visitor, words: str, **headers: str) -> TestResponse:
    return visitor.act("/patients", headers={"Accept": "text/html", **headers}, words=words)


def found(answer: TestResponse) -> list[str]:
    return re.findall(r'<a href="/patients/\d+"><b class="place">(.*?)</b>', answer.text)


@pytest.mark.parametrize("words", ["müller", "90210", "med-07", "  MULLER "])
def test_a_patient_is_found_by_bed_number_or_surname_in_one_s_own_units(nurse: Visitor, words: str) -> None:
    answer = search(nurse, words)
    assert (answer.status_code, found(answer)) == (200, ["MED-07"])
    assert "Müller, Tilda" in answer.text and "number 90210" in answer.text and "Ottokar" not in answer.text


@pytest.mark.parametrize("words", ["90211", "Ottokar", "icu-02", "%", "Zwiebelfisch"])
def test_who_is_elsewhere_or_nowhere_looks_the_same(nurse: Visitor, words: str) -> None:
    answer = search(nurse, words)
    assert (answer.status_code, found(answer), NOBODY in answer.text) == (200, [], True)
    assert 'href="/emergency"' in answer.text


def test_in_an_emergency_the_other_units_are_searched_too(nurse: Visitor) -> None:
    nurse.act("/emergency", reason="Fire")
    answer = search(nurse, "müller")
    assert sorted(found(answer)) == ["ICU-02", "MED-07"] and 'href="/emergency"' not in answer.text
    assert left()[-1].act == "emergency search"


@pytest.mark.parametrize("words", ["", "   ", "\0", "x" * 201], ids=["none", "blank", "nul", "long"])
def test_what_is_no_search_is_told_what_would_be_one(nurse: Visitor, words: str) -> None:
    answer = search(nurse, words)
    assert answer.status_code == 422 and "Type a bed, a number or a surname." in answer.text


def test_a_search_leaves_a_line_and_never_its_words(nurse: Visitor) -> None:
    search(nurse, "Zwiebelfisch")
    line = left()[-1]
    assert (line.act, line.object, line.outcome) == ("search", "/patients", 200)
    assert not any("wiebelfisch" in f"{line.act}{line.object}{line.scope}{line.detail}" for line in left())


def test_no_search_is_answered_that_cannot_be_written_down(nurse: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_trace: audit.Trace) -> None:
        raise records.NotStored("disk full")

    monkeypatch.setattr(audit, "leave", full)
    answer = search(nurse, "müller")
    assert answer.status_code == 503 and "Tilda" not in answer.text


def test_nobody_searches_without_end(nurse: Visitor) -> None:
    settings.use(settings.current.but(searches_per_minute=0))
    answer = search(nurse, "müller")
    assert (answer.status_code, found(answer)) == (429, []) and int(answer.headers["Retry-After"]) > 0
    assert meters.counted("limited_total", what="searches") == 1


def test_what_is_searched_is_in_no_address_and_kept_by_no_browser(nurse: Visitor) -> None:
    answer = search(nurse, "müller")
    assert answer.request.url.endswith("/patients") and answer.headers["Cache-Control"] == "no-store"
    assert nurse.get("/patients?words=müller").text.count("Tilda") == nurse.get("/patients").text.count("Tilda")


def test_a_page_that_stands_still_claims_nothing(nurse: Visitor) -> None:
    page = search(nurse, "müller").text
    assert 'data-stream=""' in page and "data-vital" not in page and "As of " in page


def test_what_was_typed_comes_back_as_text(nurse: Visitor) -> None:
    page = search(nurse, '"><script>alert(1)</script>').text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_who_sees_no_identity_has_no_search(house: House, nurse: Visitor) -> None:
    hire(house, "display", Role.DISPLAY, "MED")
    wall = visitor_of(house, "display")
    assert search(wall, "med-07").status_code == 403
    assert 'action="/patients"' not in wall.get("/patients").text
    assert 'action="/patients"' in nurse.get("/patients").text


def test_when_somebody_was_last_heard_of_is_told_with_its_date(nurse: Visitor) -> None:
    day = clock.now().strftime("%Y-%m-%d")
    clock.turn(timedelta(minutes=30))
    assert re.search(rf"last heard of at <time [^>]*>{day} ", search(nurse, "müller").text)


def test_another_hospital_finds_nobody_of_ours(house: House, nurse: Visitor) -> None:
    new_token(house, "demo-b")
    assert found(search(visitor_of(house, "nurse-b"), "müller")) == []
