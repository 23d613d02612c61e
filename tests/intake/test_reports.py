"""POST /api/v1/alerts: an alarm as JSON raises, repeats and clears like one in HL7."""

import json
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from hospital import records
from hospital.records import Alert, Message, Patient
from tests.access.strangers import new_token
from tests.support.house import House

LOW: dict[str, Any] = {
    "id": "X1", "unit": "MED", "bed": "MED-03", "text": "SpO2 low", "priority": "high", "value": 84.5,
    "value_unit": "%", "low": 90, "patient": {"identifier": "77", "authority": "Ward", "name": "Testmann, Tilda"},
}  # fmt: skip


@pytest.fixture
def token(house: House) -> str:
    return new_token(house)


def send(house: House, token: str | None, told: Any, kind: str = "application/json") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = {"data": told} if isinstance(told, bytes) else {"json": told}
    return house.visitor().client.post("/api/v1/alerts", headers={**headers, "Content-Type": kind}, **data)


def happened(house: House) -> list[str]:
    return [line.happening.value for line in house.journal()]


def nothing_happened(house: House) -> bool:
    with records.read() as session:
        return not session.scalars(select(Alert)).all() and house.journal() == []


def test_an_alarm_raises_an_alert_in_its_bed_about_its_patient(house: House, token: str) -> None:
    answer = send(house, token, LOW)
    (alert_id,) = answer.json["alerts"]
    alert = house.alert(alert_id)
    assert answer.status_code == 202
    assert (alert.text, alert.priority, alert.priority_sent, alert.value) == ("SpO2 low", "high", True, "84.5")
    assert (alert.value_unit, alert.low, alert.high, alert.kind) == ("%", 90, None, "physiological")
    assert alert.bed_id is not None and alert.unit_id is not None
    with records.read() as session:
        patient = session.get_one(Patient, alert.patient_id)
        assert (patient.identifier, patient.authority, patient.name) == ("77", "Ward", "Testmann, Tilda")
    assert happened(house) == ["raised"]


def test_the_same_again_is_a_repeat_without_a_line(house: House, token: str) -> None:
    first, again = (send(house, token, LOW | {"phase": phase}) for phase in ("start", "continue"))
    assert first.json == again.json
    assert house.alert(first.json["alerts"][0]).repeats == 1
    assert happened(house) == ["raised"]


def test_a_new_value_and_a_higher_priority_are_told(house: House, token: str) -> None:
    send(house, token, LOW | {"priority": "medium"})
    send(house, token, LOW | {"priority": "medium", "value": 83, "phase": "update"})
    send(house, token, LOW | {"value": 80, "phase": "update"})
    assert happened(house) == ["raised", "updated", "priority-raised"]


def test_its_end_clears_it_and_a_second_end_is_about_nothing(house: House, token: str) -> None:
    (alert_id,) = send(house, token, LOW | {"priority": "low"}).json["alerts"]
    assert send(house, token, LOW | {"phase": "end"}).json == {"alerts": [alert_id]}
    assert (house.alert(alert_id).condition, house.alert(alert_id).state) == ("cleared", "open")
    assert happened(house) == ["raised", "cleared"]


def test_an_end_of_what_never_began_is_taken_and_does_nothing(house: House, token: str) -> None:
    answer = send(house, token, LOW | {"phase": "end"})
    assert (answer.status_code, answer.json) == (202, {"alerts": []})
    assert nothing_happened(house)


def test_without_a_priority_it_is_medium_and_says_that_none_was_sent(house: House, token: str) -> None:
    told = {name: LOW[name] for name in ("id", "unit", "bed", "text")}
    alert = house.alert(send(house, token, told).json["alerts"][0])
    assert (alert.priority, alert.priority_sent, alert.patient_id, alert.value) == ("medium", False, None, None)


def test_an_unknown_bed_is_for_the_charge_nurses(house: House, token: str) -> None:
    alert = house.alert(send(house, token, LOW | {"unit": "OR", "bed": "1"}).json["alerts"][0])
    assert (alert.unit_id, alert.bed_id, alert.place) == (None, None, "OR / – / 1")


def test_another_senders_end_does_not_clear_it(house: House, token: str) -> None:
    (alert_id,) = send(house, token, LOW).json["alerts"]
    assert send(house, new_token(house, sender="Another"), LOW | {"phase": "end"}).json == {"alerts": []}
    assert house.alert(alert_id).condition == "active"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"id": "\xff"}', b"MSH|^~\\&|"])
def test_what_is_no_json_is_refused_as_that(house: House, token: str, body: bytes) -> None:
    answer = send(house, token, body)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["detail"] == "The body is no JSON."
    assert nothing_happened(house)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"id": ""}, "$.id"),
        ({"id": "x" * 61}, "$.id"),
        ({"text": "a\u0000b"}, "$.text"),
        ({"bed": 3}, "$.bed"),
        ({"phase": "begin"}, "$.phase"),
        ({"priority": "urgent"}, "$.priority"),
        ({"kind": "x"}, "$.kind"),
        ({"value": "84"}, "$.value"),
        ({"value": 1e7}, "$.value"),
        ({"value_unit": "x" * 41}, "$.value_unit"),
        ({"observed_at": "2026-01-01T00:00:00"}, "$.observed_at"),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, "$.observed_at"),
        ({"patient": {}}, "identifier"),
        ({"patient": {"identifier": "1", "name": "a\u0007"}}, "$.patient.name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_named(house: House, token: str, wrong: dict[str, Any], named: str) -> None:
    answer = send(house, token, LOW | wrong)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert named in answer.json["detail"]
    assert nothing_happened(house)


@pytest.mark.parametrize("field", ["phase", "priority", "kind"])
def test_an_unknown_word_is_not_repeated(house: House, token: str, field: str) -> None:
    for word in ("Testmann", "Testmann's - at home", 'O\'Nowhere "Al"', "two\nlines"):
        answer = send(house, token, LOW | {field: word})
        assert answer.json["detail"] == f"This is none of the words that are known - at `$.{field}`"


@pytest.mark.parametrize("missing", ["id", "unit", "bed", "text"])
def test_what_is_missing_is_named(house: House, token: str, missing: str) -> None:
    answer = send(house, token, {name: LOW[name] for name in LOW if name != missing})
    assert answer.status_code == 422
    assert f"`{missing}`" in answer.json["detail"]


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_a_senders_token_nothing_is_taken(house: House, token: str | None) -> None:
    assert send(house, token, LOW).status_code == 401
    assert nothing_happened(house)


@pytest.mark.parametrize("kind", ["text/plain", "application/fhir+json", ""])
def test_another_kind_of_content_is_refused(house: House, token: str, kind: str) -> None:
    assert send(house, token, b"{}", kind=kind).status_code == 415
    assert nothing_happened(house)


def test_it_is_kept_sealed_as_it_came_with_what_became_of_it(house: House, token: str) -> None:
    (alert_id,) = send(house, token, LOW).json["alerts"]
    (message,) = messages()
    assert json.loads(message.raw) == LOW
    assert (message.kind, message.verdict, message.code, message.alert_ids) == ("alerts", "accepted", "202", [alert_id])
    assert message.of_alarm and message.sender_id is not None
    with records.read() as session:
        assert "Testmann" not in str(session.execute(text("SELECT * FROM message")).all())


@pytest.mark.parametrize("told", [b"{", LOW | {"bed": 3}, LOW | {"Testmann, Tilda": 1}])
def test_what_is_not_taken_is_kept_with_a_reason_that_names_nobody(house: House, token: str, told: Any) -> None:
    answer = send(house, token, told)
    (message,) = messages()
    assert (message.verdict, message.code) == ("refused", str(answer.status_code))
    assert message.reason and "Testmann" not in message.reason


def messages() -> list[Message]:
    with records.read() as session:
        return list(session.scalars(select(Message)))
