"""What a person measured or saw, by hand; and the SpO2 scale that a physician chooses."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import Alert, Monitoring, Observation
from tests.live.lines import visitor_of
from tests.pages.markup import read
from tests.support.house import House
from tests.support.readings import reading

FORM = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
WELL = {
    "respiration": "16", "spo2": "97", "on_oxygen": "air", "systolic": "120", "diastolic": "70", "pulse": "72",
    "temperature": "36,6", "consciousness": "A",
}  # fmt: skip
BOUNDS = {
    "respiration": (0, 100, "Breathing"),
    "spo2": (20, 100, "SpO₂"),
    "systolic": (20, 350, "Systolic pressure"),
    "diastolic": (10, 250, "Diastolic pressure"),
    "pulse": (0, 350, "Pulse"),
    "temperature": (20, 46, "Temperature"),
}


@pytest.fixture(autouse=True)
def known(house: House) -> None:
    """Patient 1 lies in MED-07, and an hour ago had a calm reading."""
    house.take(reading(at=clock.now() - timedelta(hours=1)))


def fill(house: House, who: str = "nurse", patient_id: int = 1, **fields: str) -> TestResponse:
    visitor = visitor_of(house, who)
    sent = fields | {"csrf_token": visitor.csrf_token}
    return visitor.client.post(f"/patients/{patient_id}/observations", data=sent, headers=FORM)


def by_hand() -> list[Observation]:
    with records.read() as session:
        return list(session.scalars(select(Observation).where(Observation.person_id.is_not(None))))


def monitoring() -> Monitoring:
    with records.read() as session:
        return session.get_one(Monitoring, 1)


def score_shown(house: House) -> tuple[str, str]:
    page = read(visitor_of(house, "nurse").get("/patients/1").get_data(as_text=True))
    return page.one("p", class_="score").text, page.one("p", class_="response").text


def alerts() -> list[Alert]:
    with records.read() as session:
        return list(session.scalars(select(Alert).order_by(Alert.id)))


def test_a_good_form_is_a_row_with_the_name_of_who_filled_it_in(house: House) -> None:
    answer = fill(house, **WELL)
    assert (answer.status_code, answer.location) == (303, "/patients/1")
    (row,) = by_hand()
    assert (row.person_id, row.sender_id) == (house.actor("nurse").person_id, None)
    assert (row.rr, row.spo2, row.sbp, row.dbp, row.hr, row.temp) == (16, 97, 120, 70, 72, 36.6)
    assert (row.consciousness, row.on_oxygen) == ("A", False)
    assert house.journal() == [] and alerts() == []


def test_with_consciousness_and_air_the_score_is_complete(house: House) -> None:
    fill(house, **WELL)
    text, response = score_shown(house)
    assert text == "0"
    assert "At least" not in response


def test_a_form_that_comes_twice_is_taken_once(house: House) -> None:
    answers = [fill(house, **WELL, idempotency_key="the same form") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(by_hand()) == 1
    fill(house, **WELL, idempotency_key="another form")
    assert len(by_hand()) == 2


def test_another_form_under_the_same_key_is_refused_and_not_lost_in_silence(house: House) -> None:
    assert fill(house, **WELL, idempotency_key="k").status_code == 303
    assert fill(house, **WELL | {"pulse": "131"}, idempotency_key="k").status_code == 422
    assert len(by_hand()) == 1


def test_a_form_that_was_wrong_is_taken_when_it_is_right(house: House) -> None:
    assert fill(house, pulse="7200", idempotency_key="the same form").status_code == 422
    assert fill(house, pulse="72", idempotency_key="the same form").status_code == 303
    assert len(by_hand()) == 1


def test_a_key_that_was_for_something_else_is_refused(house: House) -> None:
    alert_id = house.raise_alarm()
    house.visitor("nurse").acknowledge(alert_id, headers={"Idempotency-Key": "of an alert"})
    assert fill(house, **WELL, idempotency_key="of an alert").status_code == 422
    assert by_hand() == []


def test_every_page_brings_its_form_a_key_of_its_own(house: House) -> None:
    pages = [read(visitor_of(house, "nurse").get("/patients/1").get_data(as_text=True)) for _ in range(2)]
    boxes = [box.attributes for page in pages for box in page.all("input")]
    keys = {box["value"] for box in boxes if box.get("name") == "idempotency_key" and box["form"] == "observe"}
    assert len(keys) == 2


def test_a_field_alone_is_enough(house: House) -> None:
    assert fill(house, consciousness="V").status_code == 303
    assert [(row.consciousness, row.on_oxygen, row.measured) for row in by_hand()] == [("V", None, [])]


@pytest.mark.parametrize("name", BOUNDS)
def test_each_bound_itself_is_taken(house: House, name: str) -> None:
    lowest, highest, _ = BOUNDS[name]
    assert [fill(house, **{name: str(bound)}).status_code for bound in (lowest, highest)] == [303, 303]
    assert len(by_hand()) == 2


@pytest.mark.parametrize("name", BOUNDS)
def test_what_nobody_can_have_measured_is_refused_field_by_field(house: House, name: str) -> None:
    lowest, highest, word = BOUNDS[name]
    sentence = f"{word} must be a number from {lowest} to {highest}."
    wrong = [f"{highest}.01", "-1", "x", "1e2", "nan", "inf", "9999", "1.234", "1,2,3", "٣٧", "<b>"]
    wrong += [f"{lowest - 1}"] if lowest else []
    visitor = visitor_of(house, "nurse")
    for text in wrong:
        answer = visitor.act("/patients/1/observations", **{name: text})
        assert (text, answer.status_code, answer.json["errors"]) == (text, 422, {name: sentence})
        assert answer.mimetype == "application/problem+json"
    assert by_hand() == []


def test_a_wrong_form_comes_back_with_what_was_given_and_nothing_is_stored(house: House) -> None:
    given = WELL | {"pulse": "7200", "temperature": '"><script>', "consciousness": "V"}
    answer = fill(house, **given)
    html = answer.get_data(as_text=True)
    page = read(html)
    assert answer.status_code == 422
    assert [item.text for item in page.one("div", class_="wrong").all("li")] == [
        "Pulse must be a number from 0 to 350.",
        "Temperature must be a number from 20 to 46.",
    ]
    form = page.one("form", id="observe")
    boxes = [box.attributes for box in form.all("input") if box.attributes.get("type") != "radio"]
    typed = {box["name"]: box.get("value") for box in boxes if "name" in box}
    assert {name: typed[name] for name in BOUNDS} == {name: given[name] for name in BOUNDS}
    chosen = {
        box.attributes["name"]: box.attributes["value"] for box in form.all("input") if "checked" in box.attributes
    }
    assert chosen == {"on_oxygen": "air", "consciousness": "V"}
    assert "<script>" not in html.replace("<script ", "")
    assert by_hand() == [] and monitoring().version == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [({}, "respiration"), ({"pulse": "  "}, "respiration"), ({"on_oxygen": "no"}, "on_oxygen"),
     ({"consciousness": "X"}, "consciousness"), ({"consciousness": "AV"}, "consciousness")],
)  # fmt: skip
def test_nothing_and_another_choice_are_refused(house: House, fields: dict[str, str], name: str) -> None:
    answer = visitor_of(house, "nurse").act("/patients/1/observations", **fields)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [name])
    assert by_hand() == []


def test_a_program_gets_the_new_version(house: House) -> None:
    answer = visitor_of(house, "nurse").act("/patients/1/observations", **WELL)
    assert (answer.status_code, answer.json) == (200, {"id": 1, "version": 2})


def test_what_a_person_measures_waits_for_no_delay_to_raise_or_to_clear(house: House) -> None:
    fill(house, spo2="88")
    (low,) = [alert for alert in alerts() if alert.condition_key == "spo2-low"]
    assert (low.state, low.condition, low.priority, low.value) == ("open", "active", "medium", "88")
    clock.turn(timedelta(seconds=2))
    fill(house, spo2="97")
    assert house.alert(low.id).condition == "cleared"
    lines = [line.happening for line in house.journal() if line.alert_id == low.id]
    assert lines == ["raised", "cleared"]


def test_a_high_score_by_hand_raises_with_its_advice(house: House) -> None:
    fill(house, **WELL | {"consciousness": "V", "respiration": "26", "on_oxygen": "oxygen"})
    (raised,) = [alert for alert in alerts() if alert.condition_key == "news2"]
    assert (raised.value, raised.priority) == ("8", "high")
    assert "Emergency assessment" in raised.advice


@pytest.mark.parametrize(
    ("who", "status"),
    [("nurse", 303), ("nurse2", 303), ("charge", 303), ("physician", 303), ("nurse-icu", 404), ("nurse-b", 404),
     ("engineer", 403), ("admin", 403)],
)  # fmt: skip
def test_who_may_record_observations(house: House, who: str, status: int) -> None:
    assert fill(house, who, **WELL).status_code == status
    assert len(by_hand()) == (status == 303)


def test_a_foreign_patient_and_a_wrong_form_tell_nothing(house: House) -> None:
    assert fill(house, "nurse-icu", pulse="x").status_code == 404
    assert fill(house, patient_id=99, **WELL).status_code == 404


def test_without_its_token_a_form_is_not_taken(house: House) -> None:
    visitor = visitor_of(house, "nurse")
    assert visitor.client.post("/patients/1/observations", data=WELL, headers=FORM).status_code in (400, 403)
    assert by_hand() == []


# ---- The scale -------------------------------------------------------------------------------------------------------


def choose(house: House, who: str, **fields: Any) -> TestResponse:
    return visitor_of(house, who).act("/patients/1/spo2-scale", **fields)


def test_a_physician_chooses_the_scale_and_who_and_when_are_kept(house: House) -> None:
    clock.stop()
    assert choose(house, "physician", scale="2").status_code == 200
    known = monitoring()
    assert (known.spo2_scale, known.scale_by_id) == (2, house.actor("physician").person_id)
    assert known.scale_at == clock.now()
    assert "Set by Dr. Okafor" in visitor_of(house, "nurse").get("/patients/1").get_data(as_text=True)


def test_the_scale_changes_the_score(house: House) -> None:
    fill(house, **WELL | {"spo2": "90"})
    assert score_shown(house)[0] == "3"
    choose(house, "physician", scale="2")
    text, response = score_shown(house)
    assert text == "0"
    assert "scale 2" in response


def test_the_scale_ends_and_raises_alerts_at_once(house: House) -> None:
    fill(house, **WELL | {"spo2": "90"})
    (score,) = [alert for alert in alerts() if alert.condition_key == "news2"]
    assert (score.value, score.condition) == ("3", "active")
    choose(house, "physician", scale="2")
    assert alerts()[0].condition == "cleared"
    choose(house, "physician", scale="1")
    assert alerts()[0].condition == "active"


@pytest.mark.parametrize(
    ("who", "status"), [("nurse", 403), ("charge", 403), ("engineer", 403), ("nurse-icu", 404), ("nurse-b", 404)]
)
def test_nobody_else_chooses_it(house: House, who: str, status: int) -> None:
    assert choose(house, who, scale="2").status_code == status
    assert (monitoring().spo2_scale, monitoring().scale_by_id) == (1, None)


@pytest.mark.parametrize("scale", ["", "0", "3", "x", "2.0"])
def test_there_are_two_scales(house: House, scale: str) -> None:
    assert choose(house, "physician", scale=scale).status_code == 422
    assert monitoring().scale_by_id is None
