"""What happens to a message, from its bytes to its answer."""

import hashlib
import logging
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from hospital import clock, meters, records
from hospital.intake import receiving
from hospital.intake.receiving import receive
from hospital.records import Message, NotStored, Patient, Sender, Stay, Verdict
from hospital.records.sealed import keyed_digest
from tests.support.alarms import alarm
from tests.support.house import House

HL7_ACK = b"MSH|^~\\&|||||20191127160542||ACK^R40|||2.7\r\rMSA|CA|2df8823a\r"


def kept() -> list[Message]:
    with records.read() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


def msa(answer: bytes | None) -> list[str]:
    assert answer is not None
    rows = answer.decode().split("\r")
    return next(row for row in rows if row.startswith("MSA")).split("|")


def err(answer: bytes | None) -> list[str]:
    assert answer is not None
    return next(row for row in answer.decode().split("\r") if row.startswith("ERR")).split("|")


def test_an_alarm_is_answered_as_its_header_asks(house: House) -> None:
    assert msa(house.take(alarm(control_id="8", accept="AL|NE")).answer)[1:3] == ["CA", "8"]
    assert msa(house.take(alarm(control_id="9", accept="|")).answer)[1:3] == ["AA", "9"]
    assert house.take(alarm(control_id="10", accept="NE|NE")).answer is None


def test_a_message_is_kept_sealed_as_it_came(house: House) -> None:
    message = alarm()
    received = house.take(message)
    (row,) = kept()
    assert (row.id, row.verdict, row.code) == (received.message_id, Verdict.ACCEPTED, "CA")
    assert row.raw.encode("latin-1") == message
    assert row.digest == keyed_digest(message.decode("latin-1")) != hashlib.sha256(message).hexdigest()
    assert row.alert_ids == list(received.alert_ids)


def test_a_repeat_gets_the_first_answer_and_changes_nothing(either_house: House) -> None:
    message = alarm(control_id="42")
    first = either_house.take(message)
    clock.turn(timedelta(hours=23, minutes=59))
    second = either_house.take(message)
    assert second == first
    assert len(kept()) == 1
    assert either_house.alert(first.alert_ids[0]).repeats == 0
    assert meters.counted("messages_repeated_total") == 1


def test_after_a_day_the_same_bytes_are_a_new_message(house: House) -> None:
    message = alarm(control_id="42")
    first = house.take(message)
    clock.turn(timedelta(hours=24, seconds=1))
    assert house.take(message).message_id != first.message_id
    assert house.alert(first.alert_ids[0]).repeats == 1


def test_the_same_number_with_other_bytes_is_a_new_message_and_counted(house: House) -> None:
    house.take(alarm(control_id="1", alert_id="A1"))
    house.take(alarm(control_id="1", alert_id="A2", bed="MED^^MED-08", patient=None))
    assert [row.number_reused for row in kept()] == [False, True]
    assert meters.counted("message_numbers_reused_total") == 1
    assert [line.happening for line in house.journal()] == ["raised", "raised"]


def test_the_same_number_from_another_sender_is_no_reuse(house: House) -> None:
    house.take(alarm(control_id="1"))
    house.take(alarm(control_id="1", sender="OTHER|BENCH"))
    assert [row.number_reused for row in kept()] == [False, False]
    assert house.alert(1).sender_id != house.alert(2).sender_id


def test_an_acknowledgement_is_counted_and_never_answered(house: House) -> None:
    assert receive(HL7_ACK) is None
    assert meters.counted("acknowledgements_received_total") == 1
    assert kept() == []


def test_bytes_without_a_header_are_refused_and_kept(house: House) -> None:
    received = house.take(b"PID|||4711\r")
    assert (received.verdict, received.code) == (Verdict.REFUSED, "AR")
    assert msa(received.answer)[1] == "AR"
    (row,) = kept()
    assert (row.verdict, row.hospital_id, row.raw) == (Verdict.REFUSED, None, "PID|||4711\r")
    assert row.reason


@pytest.mark.parametrize(
    ("broken", "code", "error", "where"),
    [
        (lambda m: m.replace(b"ORU^R40^ORU_R40", b"ADT^A01^ADT_A01"), "AR", "200", "MSH^1^9"),
        (lambda m: m.replace(b"|2.6|", b"|3.0|"), "AR", "203", "MSH^1^12"),
        (lambda m: m.replace(b"A1^GW", b"").replace(b"A1&GW", b""), "AE", "101", "OBR^1^3"),
        (lambda m: m.replace(b"196670^", b"77^"), "AE", "101", "OBX^1^3"),
        (lambda m: m.replace(b"\rOBR|", b"\rZZZ|"), "AE", "100", "OBR"),
        (lambda m: m.replace(b"A1^GW", b"A" * 201).replace(b"A1&GW", b""), "AE", "102", "OBR^1^3"),
        (lambda m: m.replace(b"MED^^MED-07", b"M" * 201), "AE", "102", "PV1^1^3"),
        (lambda m: m.replace(b"|T77|", b"|" + b"7" * 201 + b"|"), "AE", "102", "MSH^1^10"),
        (lambda m: m.replace(b"TEST_GATEWAY", b"G" * 201), "AE", "102", "MSH^1^3"),
    ],
)
def test_what_would_fail_again_is_refused_with_where_and_why_and_is_kept(house, broken, code, error, where) -> None:
    received = house.take(broken(alarm(control_id="T77")))
    assert (received.verdict, received.code) == (Verdict.REFUSED, code)
    assert msa(received.answer)[1] == code
    assert err(received.answer)[2] == where
    assert err(received.answer)[3].startswith(error)
    (row,) = kept()
    assert row.verdict is Verdict.REFUSED
    assert row.reason in err(received.answer)[8]
    assert house.journal() == []


def test_names_of_just_the_longest_length_are_taken(either_house: House) -> None:
    longest = "A" * 200
    received = either_house.take(alarm(alert_id=f"{longest}^^", control_id=longest, sender=f"{longest}|{longest}"))
    assert received.verdict is Verdict.ACCEPTED


def test_a_refused_message_is_refused_again_with_the_same_answer(house: House) -> None:
    message = alarm().replace(b"196670^", b"77^")
    assert house.take(message) == house.take(message)
    assert len(kept()) == 1


def test_a_message_that_is_not_for_production_raises_nothing(house: House) -> None:
    received = house.take(alarm(processing_id="D"))
    assert (received.verdict, received.alert_ids) == (Verdict.ACCEPTED, ())
    assert house.journal() == []


def test_a_training_sender_raises_and_its_alert_says_so(house: House) -> None:
    house.take(alarm(processing_id="D"))
    records.write(None, lambda session: setattr(session.scalars(select(Sender)).one(), "training", True))
    alert_id = house.raise_alarm(processing_id="D", alert_id="A2")
    assert house.alert(alert_id).training


def test_each_order_of_one_message_raises_its_own_alert(house: House) -> None:
    one = alarm(alert_id="A1")
    two = one + one[one.index(b"OBR|1") :].replace(b"A1", b"A2")
    received = house.take(two)
    assert len(received.alert_ids) == 2
    assert [house.alert(alert_id).sender_alert_id for alert_id in received.alert_ids] == ["A1", "A2"]


def test_if_one_order_of_a_message_is_refused_nothing_of_it_happens(house: House) -> None:
    one = alarm(alert_id="A1")
    received = house.take(one + one[one.index(b"OBR|1") :].replace(b"A1^GW", b"").replace(b"A1&GW", b""))
    assert received.verdict is Verdict.REFUSED
    assert house.journal() == []
    assert house.hospital().head == 0


def test_results_that_are_no_vital_signs_are_accepted_kept_and_skipped(house: House) -> None:
    laboratory = alarm(value=None).replace(b"ORU^R40^ORU_R40", b"ORU^R01^ORU_R01")
    received = house.take(laboratory)
    assert (received.verdict, received.alert_ids) == (Verdict.ACCEPTED, ())
    assert meters.counted("messages_skipped_total") == 1
    assert house.journal() == []


def test_an_end_without_an_alert_changes_nothing(house: House) -> None:
    received = house.take(alarm(phase="end"))
    assert (received.verdict, received.alert_ids) == (Verdict.ACCEPTED, ())
    assert house.journal() == []


def test_a_patient_and_a_stay_come_with_the_first_alarm(house: House) -> None:
    house.raise_alarm(patient="4711^^^Ward^PI||Testmann^Tilda||19610301|F")
    with records.read() as session:
        (patient,), (stay,) = session.scalars(select(Patient)).all(), session.scalars(select(Stay)).all()
    assert (patient.identifier, patient.authority, patient.name) == ("4711", "Ward", "Testmann, Tilda")
    assert (patient.birth_date, patient.sex) == ("1961-03-01", "F")
    assert (stay.patient_id, stay.until) == (patient.id, None)


def test_without_an_authority_the_senders_own_stands_in(house: House) -> None:
    house.raise_alarm(patient="4711", sender="ONE|WARD")
    house.raise_alarm(patient="4711", sender="TWO|WARD", alert_id="A2", bed="MED^^MED-08")
    with records.read() as session:
        authorities = {patient.authority for patient in session.scalars(select(Patient))}
    assert authorities == {"ONE / WARD", "TWO / WARD"}


def test_an_unknown_sender_is_refused_where_there_is_no_demo_hospital(house: House) -> None:
    from hospital import settings

    settings.use(house.settings.but(demo=False))
    received = house.take(alarm())
    assert (received.code, received.verdict) == ("AR", Verdict.REFUSED)
    assert err(received.answer)[2] == "MSH^1^3"
    (row,) = kept()
    assert (row.hospital_id, row.sender_id) == (None, None)


def test_what_cannot_be_stored_now_is_not_answered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    house.take(alarm(alert_id="A0"))
    monkeypatch.setattr(receiving, "raise_alert", full)
    with pytest.raises(NotStored):
        receive(alarm())
    assert len(kept()) == 1


def test_a_fault_of_ours_is_told_counted_and_kept_and_its_log_quotes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Testmann, Tilda is not a number")

    monkeypatch.setattr(receiving, "raise_alert", broken)
    with caplog.at_level(logging.INFO):
        received = house.take(alarm())
    assert (received.code, err(received.answer)[3][:3]) == ("AE", "207")
    assert [row.verdict for row in kept()] == [Verdict.REFUSED]
    assert meters.counted("intake_failures_total") == 1
    assert "ValueError" in caplog.text
    assert "Tilda" not in caplog.text
    monkeypatch.undo()
    assert house.take(alarm()).verdict is Verdict.ACCEPTED


def test_two_senders_with_one_name_are_bound_once(house: House) -> None:
    house.take(alarm())
    house.take(alarm(alert_id="A2"))
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Sender)) == 1
