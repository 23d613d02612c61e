"""Intake over HTTP: POST /api/v1/hl7 with the token of a sender."""

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from hospital import clock, records
from hospital.records import Message, Patient, Sender, SenderToken
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House

HL7 = "x-application/hl7-v2+er7"


@pytest.fixture
def token(house: House) -> str:
    return new_token(house)


def test_a_message_that_was_taken_is_answered_with_what_it_led_to(house: House, token: str) -> None:
    answer = _send(house, token, alarm(control_id="C1"))
    (message,) = _messages()
    assert (answer.status_code, answer.mimetype) == (202, "application/json")
    (alert_id,) = answer.json["alerts"]
    assert answer.json | {"answer": ""} == {
        "code": "CA", "reason": "", "message": message.id, "alerts": [alert_id], "answer": "",
    }  # fmt: skip
    assert "MSA|CA|C1\r" in answer.json["answer"]
    assert house.alert(alert_id).state == "open"
    assert [line.alert_id for line in house.journal()] == [alert_id]


def test_taken_means_committed(house: House, token: str) -> None:
    """What was answered is in the file, for another connection too."""
    answer = _send(house, token, alarm())
    with records.read() as session:
        assert session.scalar(text("SELECT count(*) FROM alert WHERE id = :id"), {"id": answer.json["alerts"][0]}) == 1


def test_a_message_about_no_alert_leads_to_none(house: House, token: str) -> None:
    answer = _send(house, token, alarm(phase="end", value=None))
    assert (answer.status_code, answer.json["alerts"]) == (202, [])


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x", "Bearer  {token}",
     "Bearer {hash}", "Bearer ü"],
)  # fmt: skip
def test_without_the_token_of_a_sender_nothing_is_even_read(house: House, token: str, header: str | None) -> None:
    with records.read() as session:
        kept = session.scalars(select(SenderToken.token_hash)).one()
    headers = {"Content-Type": HL7}
    if header is not None:
        headers["Authorization"] = header.format(token=token, hash=kept)
    answer = house.visitor().client.post("/api/v1/hl7", data=alarm(), headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "token" in answer.json["detail"]
    assert _messages() == []


def test_the_word_bearer_may_be_written_in_any_case(house: House, token: str) -> None:
    headers = {"Authorization": f"bEARER {token}", "Content-Type": HL7}
    assert house.visitor().client.post("/api/v1/hl7", data=alarm(), headers=headers).status_code == 202


def test_a_token_is_not_taken_from_the_address(house: House, token: str) -> None:
    headers = {"Content-Type": HL7}
    assert house.visitor().client.post(f"/api/v1/hl7?token={token}", data=alarm(), headers=headers).status_code == 401


def test_another_kind_of_content_is_refused(house: House, token: str) -> None:
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        answer = _send(house, token, alarm(), kind=kind)
        assert (kind, answer.status_code) == (kind, 415)
        assert HL7 in answer.json["detail"]
    assert _messages() == []


def test_a_charset_beside_the_kind_changes_nothing(house: House, token: str) -> None:
    assert _send(house, token, alarm(), kind=f"{HL7}; charset=utf-8").status_code == 202


def test_a_message_may_be_as_large_as_over_mllp_and_no_larger(house: House, token: str) -> None:
    most = house.settings.mllp_max_bytes
    message = alarm()
    assert _send(house, token, message.ljust(most, b" ")).status_code == 202
    answer = _send(house, token, message.ljust(most + 1, b" "))
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert len(_messages()) == 1


def test_a_message_that_cannot_be_taken_is_refused_with_where_and_why(house: House, token: str) -> None:
    for message, code, reason in (
        (b"", "AR", "The message does not begin with an MSH segment."),
        (b"hello", "AR", "The message does not begin with an MSH segment."),
        (alarm().replace(b"ORU^R40^ORU_R40", b"ADT^A01"), "AR", "Only ORU messages are taken (MSH-9)."),
        (alarm(alert_id="").replace(b"&GW", b""), "AE", "The alert has no identifier (OBR-29 or OBR-3)."),
    ):
        answer = _send(house, token, message)
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), message
        assert (answer.json["code"], answer.json["reason"], answer.json["alerts"]) == (code, reason, [])
        assert f"MSA|{code}|" in answer.json["answer"]
        assert "ERR||" in answer.json["answer"]
    assert house.journal() == []


def test_a_refused_message_is_kept_with_its_reason_and_sender(house: House, token: str) -> None:
    answer = _send(house, token, b"hello")
    (message,) = _messages()
    assert (message.id, message.raw, message.reason) == (answer.json["message"], "hello", answer.json["reason"])
    assert message.hospital_id == house.hospital().id
    assert message.sender_id is not None


def test_an_acknowledgement_is_taken_and_leads_to_nothing(house: House, token: str) -> None:
    answer = _send(house, token, b"MSH|^~\\&|A|B|C|D|20260301||ACK|1|P|2.6\rMSA|AA|1\r")
    assert (answer.status_code, answer.json["code"]) == (202, None)
    assert _messages() == []


def test_a_repeat_gets_the_same_answer_and_changes_nothing(house: House, token: str) -> None:
    message = alarm(control_id="C1")
    first, again = _send(house, token, message), _send(house, token, message)
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert first.status_code == 202
    assert len(_messages()) == len(house.journal()) == 1


def test_a_repeated_refusal_is_the_same_refusal(house: House, token: str) -> None:
    message = alarm(control_id="C1").replace(b"ORU^R40^ORU_R40", b"ADT^A01")
    first, again = _send(house, token, message), _send(house, token, message)
    assert (first.status_code, first.json) == (422, again.json)


def test_the_hospital_of_the_token_wins_over_what_the_message_calls_itself(house: House, token: str) -> None:
    """MSH-3 and MSH-4 are bound to the other hospital; whoever sends over HTTP is known by the token alone."""
    house.raise_alarm(alert_id="over MLLP")
    theirs = new_token(house, "demo-b", "Gateway of B")
    answer = _send(house, theirs, alarm(alert_id="over HTTP"))
    alert = house.alert(answer.json["alerts"][0])
    assert alert.hospital_id == house.hospital("demo-b").id
    assert alert.unit_id in house.actor("nurse-b").unit_ids
    assert [len(house.journal(code)) for code in ("demo", "demo-b")] == [1, 1]
    with records.read() as session:
        assert session.scalars(select(Patient.hospital_id).order_by(Patient.id)).all() == [
            house.hospital("demo").id, house.hospital("demo-b").id,
        ]  # fmt: skip


def test_a_token_binds_no_sender_by_what_the_message_says(house: House, token: str) -> None:
    _send(house, token, alarm(sender="NEVER|SEEN"))
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Sender)) == 1


def test_the_same_message_of_two_senders_is_two_messages(house: House, token: str) -> None:
    message = alarm(control_id="C1")
    first, second = _send(house, token, message), _send(house, new_token(house, sender="Second"), message)
    assert first.json["message"] != second.json["message"]
    assert first.json["alerts"] != second.json["alerts"]


def test_what_cannot_be_stored_now_is_to_be_sent_again(house: House, token: str) -> None:
    records.write(None, lambda session: session.execute(text("PRAGMA query_only = ON")))
    answer = _send(house, token, alarm())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert _messages() == house.journal() == []


def test_an_answer_is_told_in_the_letters_of_the_message(house: House, token: str) -> None:
    for charset, name in (("iso8859-1", "8859/1"), ("utf-8", "UNICODE UTF-8"), ("utf-16", "UNICODE UTF-16")):
        message = alarm(control_id=f"Jürgen {name}").decode().replace("UNICODE UTF-8", name)
        answer = _send(house, token, message.encode(charset))
        assert (answer.status_code, f"MSA|CA|Jürgen {name}\r" in answer.json["answer"]) == (202, True)


def test_a_time_that_names_no_zone_is_of_the_zone_of_the_hospital(house: House, token: str) -> None:
    clock.stop()
    records.write(None, lambda session: session.execute(text("UPDATE hospital SET timezone = 'Asia/Tokyo'")))
    local = clock.now().replace(microsecond=0)
    message = alarm().replace(local.strftime("%Y%m%d%H%M%S+0000").encode(), b"20260301120000")
    alert = house.alert(_send(house, token, message).json["alerts"][0])
    assert alert.observed_at.isoformat() == "2026-03-01T03:00:00+00:00"


def _send(house: House, token: str, message: bytes, kind: str = HL7) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    return house.visitor().client.post("/api/v1/hl7", data=message, headers=headers)


def _messages() -> list[Message]:
    with records.read() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))
