"""POST /api/v1/fhir: patients are met, beds taken and readings kept, all of a transaction or nothing of it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import Alert, Bed, Message, Monitoring, Observation, Patient, Stay
from tests.access.strangers import new_token
from tests.support.house import House

FILES = Path(__file__).parents[3] / "shared/data/fhir"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "example",
    "identifier": [{"system": "urn:ward", "value": "4711"}],
    "name": [{"family": "Testmann", "given": ["Tilda"]}],
    "birthDate": "1961-03-01",
    "gender": "female",
}


@pytest.fixture
def token(house: House) -> str:
    return new_token(house)


@pytest.fixture
def admitted(house: House, token: str) -> str:
    """The token of a sender that has told of Patient/example, who lies in MED-03."""
    assert send(house, token, PATIENT).status_code == 202
    assert send(house, token, encounter()).status_code == 202
    return token


def send(house: House, token: str | None, told: Any, kind: str = "application/fhir+json") -> TestResponse:
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return house.visitor().client.post("/api/v1/fhir", data=body, headers=headers)


def encounter(bed: str = "MED-03", status: str = "in-progress", **fields: Any) -> dict[str, Any]:
    place = {"location": {"identifier": {"value": f"{bed.partition('-')[0]}^^{bed}"}}}
    told = {"resourceType": "Encounter", "status": status, "subject": {"reference": "Patient/example"}}
    return told | {"location": [place]} | fields


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "system": "http://unitsofmeasure.org", "code": unit}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def observation(code: str = "8867-4", *, subject: str = "Patient/example", **fields: Any) -> dict[str, Any]:
    told = {"resourceType": "Observation", "status": "final", "code": coded(code), "subject": {"reference": subject}}
    return told | {"effectiveDateTime": clock.iso(clock.now())} | fields


def pulse(value: float = 80, **fields: Any) -> dict[str, Any]:
    return observation(valueQuantity=quantity(value, "/min"), **fields)


def bundle(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def rows(kind: type[Any]) -> list[Any]:
    with records.read() as session:
        return list(session.scalars(select(kind)))


def values() -> list[dict[str, float]]:
    names = ("hr", "rr", "spo2", "sbp", "dbp", "temp")
    return [{name: getattr(row, name) for name in names if getattr(row, name) is not None} for row in rows(Observation)]


def beds_taken() -> list[str]:
    with records.read() as session:
        query = select(Bed.code).join(Stay, Stay.bed_id == Bed.id).where(Stay.until.is_(None)).order_by(Bed.code)
        return list(session.scalars(query))


def expressions(answer: TestResponse) -> list[str]:
    assert answer.json["resourceType"] == "OperationOutcome"
    return [where for issue in answer.json["issue"] for where in issue.get("expression", [])]


# ---- One resource ----------------------------------------------------------------------------------------------------


def test_a_patient_is_met_and_put_into_a_bed(house: House, admitted: str) -> None:
    (patient,), (known,) = rows(Patient), rows(Monitoring)
    assert (patient.name, patient.identifier, patient.authority) == ("Testmann, Tilda", "4711", "urn:ward")
    assert (patient.birth_date, patient.sex) == ("1961-03-01", "F")
    assert beds_taken() == ["MED-03"]
    assert known.unit_id is not None and known.bed_id is not None
    assert house.journal() == []


def test_a_heart_rate_is_a_row_of_its_sender_and_no_journal_line(house: House, admitted: str) -> None:
    answer = send(house, admitted, pulse(80))
    assert (answer.status_code, answer.mimetype) == (202, "application/fhir+json")
    assert answer.json["issue"][0]["severity"] == "information"
    (row,) = rows(Observation)
    assert (row.hr, row.person_id) == (80, None)
    assert row.sender_id is not None
    assert house.journal() == []


def test_a_panel_is_one_row_and_what_is_absent_is_never_zero(house: House, admitted: str) -> None:
    systolic = {"code": coded("8480-6"), "valueQuantity": quantity(109, "mm[Hg]")}
    diastolic = {"code": coded("8462-4"), "valueQuantity": quantity(60, "mm[Hg]")}
    absent = {"code": coded("8462-4"), "dataAbsentReason": {"coding": [{"code": "unknown"}]}}
    send(house, admitted, observation("85354-9", component=[systolic, diastolic]))
    send(house, admitted, observation("85354-9", component=[systolic, absent]))
    assert values() == [{"sbp": 109, "dbp": 60}, {"sbp": 109}]


@pytest.mark.parametrize(
    "told",
    [
        pulse(80) | {"status": "cancelled"},
        pulse(80) | {"status": "entered-in-error"},
        observation("9269-2", valueQuantity=quantity(13, "{score}")),
        observation(dataAbsentReason={"coding": [{"code": "unknown"}]}),
    ],
)
def test_what_is_no_reading_is_kept_as_a_message_and_not_stored(house: House, admitted: str, told: Any) -> None:
    assert send(house, admitted, told).status_code == 202
    assert rows(Observation) == []
    assert rows(Message)[-1].verdict == "accepted"


def test_a_bad_value_of_now_raises_when_it_has_lasted(house: House, admitted: str) -> None:
    clock.stop()
    for _ in range(4):
        clock.turn(timedelta(seconds=5))
        send(house, admitted, pulse(140))
    assert "hr-high" in {alert.condition_key for alert in rows(Alert)}
    assert {line.happening for line in house.journal()} == {"raised"}


def test_an_unknown_subject_is_named_and_the_refused_request_is_kept(house: House, admitted: str) -> None:
    answer = send(house, admitted, pulse(subject="Patient/nobody"))
    assert answer.status_code == 422
    assert expressions(answer) == ["Observation.subject"]
    assert rows(Observation) == []
    message = rows(Message)[-1]
    assert (message.verdict, message.code) == ("refused", "422")
    assert "Patient/nobody" in message.raw and "not known" in message.reason


def test_a_resource_that_calls_itself_a_batch_is_refused_all_the_same(house: House, admitted: str) -> None:
    assert send(house, admitted, pulse(subject="Patient/nobody") | {"type": "batch"}).status_code == 422


def test_another_senders_patient_of_the_same_name_is_not_known(house: House, admitted: str) -> None:
    other = new_token(house, sender="Another")
    foreign = new_token(house, hospital="demo-b", sender="Far away")
    assert [send(house, token, pulse()).status_code for token in (other, foreign)] == [422, 422]
    assert rows(Observation) == []


# ---- Encounters ------------------------------------------------------------------------------------------------------


def test_who_is_displaced_stands_on_no_beds_card(house: House, admitted: str) -> None:
    send(house, admitted, pulse(80))
    another = PATIENT | {"id": "another", "identifier": [{"system": "urn:x", "value": "another"}]}
    assert send(house, admitted, another).status_code == 202
    moved = encounter() | {"subject": {"reference": "Patient/another"}}
    assert send(house, admitted, moved).status_code == 202
    displaced, newcomer = rows(Monitoring)
    assert (displaced.bed_id, displaced.place, newcomer.bed_id is not None) == (None, "– / – / –", True)
    assert displaced.unit_id == newcomer.unit_id, "the nurses of the unit still see who it is"
    assert displaced.changed_at == newcomer.changed_at


def test_a_corrected_observation_takes_the_place_of_the_first(house: House, admitted: str) -> None:
    def shown_after(value: float, status: str) -> float:
        send(house, admitted, pulse(value, status=status))
        shown: float = rows(Monitoring)[0].latest["measured"][0]["value"]
        return shown

    clock.stop()
    assert [shown_after(80, "final"), shown_after(70, "final"), shown_after(70, "corrected")] == [80, 80, 70]


def test_an_encounter_that_ends_frees_the_bed(house: House, admitted: str) -> None:
    assert send(house, admitted, encounter(status="finished")).status_code == 202
    assert beds_taken() == []
    assert (rows(Monitoring)[0].unit_id, rows(Monitoring)[0].bed_id) == (None, None)


def test_an_encounter_of_long_ago_ends_nothing(house: House, admitted: str) -> None:
    old = {"start": "2007-06-04T05:28:45Z", "end": "2007-06-04T08:47:45Z"}
    assert send(house, admitted, encounter(status="finished", period=old)).status_code == 202
    assert beds_taken() == ["MED-03"]
    assert rows(Monitoring)[0].unit_id is not None


def test_a_move_is_told_to_the_screens_without_a_reading(house: House, admitted: str) -> None:
    (before,) = rows(Monitoring)
    assert send(house, admitted, encounter("ICU-02")).status_code == 202
    (after,) = rows(Monitoring)
    assert beds_taken() == ["ICU-02"]
    assert after.unit_id != before.unit_id
    assert after.version > before.version


def test_an_encounter_of_an_unknown_patient_is_refused(house: House, token: str) -> None:
    answer = send(house, token, encounter())
    assert (answer.status_code, expressions(answer)) == (422, ["Encounter.subject"])
    assert beds_taken() == []


# ---- Bundles ---------------------------------------------------------------------------------------------------------


def test_a_transaction_is_taken_in_the_order_that_it_needs_and_answered_in_its_own(house: House, token: str) -> None:
    answer = send(house, token, bundle("transaction", pulse(), encounter(), PATIENT))
    assert answer.status_code == 202
    assert answer.json["type"] == "transaction-response"
    assert [entry["response"]["status"] for entry in answer.json["entry"]] == ["202 Accepted"] * 3
    assert values() == [{"hr": 80}]
    assert beds_taken() == ["MED-03"]


def test_of_a_transaction_that_is_refused_nothing_stays(house: House, token: str) -> None:
    answer = send(house, token, bundle("transaction", PATIENT, pulse(), pulse(subject="Patient/nobody")))
    assert answer.status_code == 422
    assert expressions(answer) == ["Bundle.entry[2].resource.subject"]
    assert rows(Patient) == rows(Monitoring) == rows(Observation) == []
    assert [message.verdict for message in rows(Message)] == ["refused"]


def test_of_a_batch_each_entry_is_answered_and_the_good_ones_are_taken(house: House, token: str) -> None:
    told = bundle("batch", pulse(subject="Patient/nobody"), pulse(), PATIENT, pulse() | {"status": "odd"})
    answer = send(house, token, told)
    assert (answer.status_code, answer.json["type"]) == (202, "batch-response")
    answers = [entry["response"] for entry in answer.json["entry"]]
    assert [one["status"][:3] for one in answers] == ["422", "202", "202", "422"]
    assert answers[0]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[0].resource.subject"]
    assert answers[3]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[3].resource.status"]
    assert values() == [{"hr": 80}]


# ---- What is refused before it is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"{}"])
def test_what_is_no_fhir_is_refused_and_kept(house: House, token: str, body: bytes) -> None:
    answer = send(house, token, body)
    assert (answer.status_code, answer.json["resourceType"]) == (400, "OperationOutcome")
    assert [(message.verdict, message.code) for message in rows(Message)] == [("refused", "400")]


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_a_senders_token_nothing_is_read(house: House, token: str | None) -> None:
    assert send(house, token, PATIENT).status_code == 401
    assert rows(Patient) == rows(Message) == []


def test_what_is_too_large_is_refused(house: House, token: str) -> None:
    assert send(house, token, b" " * (house.settings.mllp_max_bytes + 1)).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/fhir+xml", ""])
def test_another_kind_of_content_is_refused(house: House, token: str, kind: str) -> None:
    assert send(house, token, PATIENT, kind=kind).status_code == 415
    assert rows(Patient) == []


# ---- The public examples: ../shared/data/EXPECTED.md -----------------------------------------------------------------

EXPECTED: dict[str, list[dict[str, float]]] = {
    "hl7_r4_heart-rate": [{"hr": 44}],
    "us_core_heart-rate": [{"hr": 44}],
    "hl7_r4_respiratory-rate": [{"rr": 26}],
    "hl7_r4_body-temperature": [{"temp": 36.5}],
    "hl7_r4_bloodpressure": [{"sbp": 107, "dbp": 60}],
    "us_core_blood-pressure": [{"sbp": 109, "dbp": 44}],
    "us_core_bp-data-absent": [{"sbp": 109}],
    "hl7_r4_bloodpressure-cancel": [],
    "us_core_oxygen-saturation": [{"spo2": 99}],
    "hl7_r4_glasgow": [],
    "hl7_r4_vitals-panel": [],
}


def public(name: str) -> bytes:
    path = FILES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path} is not there: the public examples are no part of this repository")
    return path.read_bytes()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_example_leads_to_what_was_expected_of_it(house: House, admitted: str, name: str) -> None:
    answer = send(house, admitted, public(name))
    assert answer.status_code == 202
    assert values() == EXPECTED[name]
    assert rows(Alert) == [] and house.journal() == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_example_about_nobody_known_is_refused(house: House, token: str, name: str) -> None:
    answer = send(house, token, public(name))
    assert (answer.status_code, expressions(answer)) == (422, ["Observation.subject"])


def test_the_history_of_a_synthetic_patient_is_taken_whole(house: House, token: str) -> None:
    body = public("synthea_bundle_a")
    answer = send(house, token, body)
    assert answer.status_code == 202
    assert len(answer.json["entry"]) == len(json.loads(body)["entry"])
    assert {entry["response"]["status"] for entry in answer.json["entry"]} == {"202 Accepted"}
    assert [patient.name for patient in rows(Patient)] == ["Atencio, Alberto"]
    pressures = [(round(one["sbp"], 1), round(one["dbp"], 1)) for one in values()]
    assert pressures == [(124.1, 83.1), (118.2, 79.2), (101.9, 82.3), (131.5, 78.2)]
    assert rows(Alert) == [] and house.journal() == []
    assert beds_taken() == []
