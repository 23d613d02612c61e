"""Who may send: senders are bound to addresses, to one hospital, and to units of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import clock, meters, records, settings
from hospital.access import enrolling
from hospital.access.enrolling import Binding
from hospital.intake import senders
from hospital.intake.receiving import Received, receive
from hospital.records import Message, Sender, Verdict
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

ME = "MON|7W"


def enrol(house: House, *units: str, addresses: str = "", hospital: str = "demo", header: str = ME) -> int:
    hospital_id, (application, facility) = house.hospital(hospital).id, header.split("|")

    def act(session: Session) -> int:
        binding = Binding.of(addresses, units)
        return enrolling.enrol(session, hospital_id, f"Gateway {header}", (application, facility), binding).id

    return records.write(None, act)


def change(sender_id: int, act: Any) -> None:
    records.write(None, lambda session: act(session, session.get_one(Sender, sender_id)))
    senders._remembered.clear()


def send(message: bytes, address: str = "127.0.0.1") -> Received:
    received = receive(message, address=address)
    assert received is not None
    return received


def last_kept() -> Message:
    with records.read() as session:
        return session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()


def refused_as(received: Received, reason: str, where: str) -> bool:
    """Answered AR with the sentence and the place, and kept as it came."""
    row = last_kept()
    assert (received.verdict, received.code, received.alert_ids) == (Verdict.REFUSED, "AR", ())
    assert received.answer is not None and f"ERR||{where}|204^" in received.answer.decode()
    assert (row.id, row.verdict, row.reason) == (received.message_id, Verdict.REFUSED, received.reason)
    return received.reason == reason


@pytest.fixture
def real(house: House) -> House:
    """A hospital that takes nobody whom it does not know."""
    settings.use(house.settings.but(demo=False))
    return house


def test_whom_nobody_knows_is_refused_kept_and_counted(real: House) -> None:
    assert refused_as(send(alarm()), "This sender is not known here (MSH-3, MSH-4).", "MSH^1^3")
    assert last_kept().raw.encode("latin-1").startswith(b"MSH") and last_kept().hospital_id is None
    assert meters.counted("senders_refused_total", why="unknown") == 1
    with records.read() as session:
        assert session.scalars(select(Sender)).all() == []


def test_where_everything_is_invented_a_stranger_is_of_the_demo_hospital(house: House) -> None:
    received = send(alarm(), address="203.0.113.9")
    assert house.alert(received.alert_ids[0]).hospital_id == house.hospital("demo").id


@pytest.mark.parametrize(
    ("addresses", "allowed", "refused"),
    [
        ("", ["127.0.0.1", "::1", "127.9.9.9"], ["10.0.7.1", "::ffff:10.0.7.1", "0.0.0.0", "fe80::1"]),
        ("10.0.7.21", ["10.0.7.21", "::ffff:10.0.7.21"], ["10.0.7.20", "127.0.0.1"]),
        ("10.0.7.0/24, fd00::/8", ["10.0.7.255", "fd12::1"], ["10.0.8.0", "::1", "127.0.0.1"]),
    ],
)
def test_a_sender_may_send_from_its_addresses_alone(
    real: House, addresses: str, allowed: list[str], refused: list[str]
) -> None:
    """No address: from this machine."""
    enrol(real, addresses=addresses)
    for address in allowed:
        assert send(alarm(sender=ME), address).verdict is Verdict.ACCEPTED, address
    for address in refused:
        assert refused_as(send(alarm(sender=ME), address), "This sender may not send from this address.", "MSH^1^3"), (
            address
        )
    assert meters.counted("senders_refused_total", why="address") == len(refused)
    assert last_kept().hospital_id == real.hospital().id, "its engineer can see that somebody uses its name"


def test_once_it_is_bound_the_same_message_is_no_repeat_of_its_refusal(real: House) -> None:
    sender_id, message = enrol(real, addresses="10.0.7.21"), alarm(sender=ME, control_id="1")
    assert send(message, "10.0.7.22").code == "AR"
    change(sender_id, lambda session, sender: enrolling.bind(session, sender, Binding.of("10.0.7.0/24", ())))
    assert send(message, "10.0.7.22").alert_ids != ()


@pytest.mark.parametrize(
    "message",
    [
        alarm(sender=ME, bed="ICU^^ICU-02"),
        alarm(sender=ME, bed="ICU^^ICU-99"),
        alarm(sender=ME, bed="^^ICU-02"),
        alarm(sender=ME, bed="ICU^^ICU-02", phase="end"),
        reading(sender=ME, bed="ICU^^ICU-02"),
    ],
    ids=["bed", "new bed", "bed alone", "end", "reading"],
)
def test_a_sender_of_one_unit_says_nothing_of_another(real: House, message: bytes) -> None:
    enrol(real, "MED")
    assert refused_as(send(message), "This sender may not speak for that unit.", "PV1^1^3")
    assert meters.counted("senders_refused_total", why="place") == 1
    assert real.journal() == []


def test_a_bed_that_its_hospital_does_not_know_stands_before_the_charge_nurse_all_the_same(real: House) -> None:
    enrol(real, "MED")
    for bed in ("ATTIC^^ATTIC-01", "MED^^MED-99", ""):
        assert send(alarm(sender=ME, bed=bed, alert_id=f"at {bed}")).verdict is Verdict.ACCEPTED
        assert real.alert(last_kept().alert_ids[0]).unit_id is None


def test_what_a_sender_sends_lands_in_its_own_hospital_and_in_no_other(real: House) -> None:
    """Both hospitals have a MED-07; only `demo` has an ICU."""
    enrol(real, hospital="demo-b")
    ours = real.alert(send(alarm(sender=ME)).alert_ids[0])
    unknown = real.alert(send(alarm(sender=ME, bed="ICU^^ICU-02", alert_id="A2")).alert_ids[0])
    assert {ours.hospital_id, unknown.hospital_id} == {real.hospital("demo-b").id}
    assert (ours.unit_id in real.actor("nurse-b").unit_ids, unknown.unit_id) == (True, None)


def test_a_bed_that_is_said_to_be_of_another_hospital_is_refused(real: House) -> None:
    enrol(real)
    received = send(alarm(sender=ME, bed="MED^^MED-07^demo-b"))
    assert refused_as(received, "This sender may not speak for another hospital.", "PV1^1^3")
    assert send(alarm(sender=ME, bed="MED^^MED-07^North wing")).verdict is Verdict.ACCEPTED
    assert send(alarm(sender=ME, bed="MED^^MED-07^demo")).verdict is Verdict.ACCEPTED


def test_of_an_ended_sender_nothing_is_taken_from_one_message_to_the_next(real: House) -> None:
    sender_id = enrol(real)
    assert send(alarm(sender=ME)).verdict is Verdict.ACCEPTED
    records.write(None, lambda session: enrolling.revoke(session, session.get_one(Sender, sender_id)))
    received = send(alarm(sender=ME, control_id="1"))
    assert refused_as(received, "This sender has been ended by an administrator.", "MSH^1^3")
    records.write(None, lambda session: enrolling.restore(session.get_one(Sender, sender_id)))
    assert send(alarm(sender=ME, control_id="1")).verdict is Verdict.ACCEPTED


def test_a_program_with_a_token_cannot_be_played_over_mllp(house: House) -> None:
    new_token(house, sender="Program")
    received = send(alarm(sender="token:demo|Program"))
    with records.read() as session:
        assert session.scalars(select(Sender.name).where(Sender.id == received.sender_id)).one() != "Program"


def test_over_http_a_sender_of_one_unit_says_nothing_of_another_either(house: House) -> None:
    token = new_token(house)
    change(_only_sender(), lambda session, sender: enrolling.bind(session, sender, Binding((), ("MED",))))
    post = house.visitor().client.post
    headers = {"Authorization": f"Bearer {token}"}
    told = {"id": "A", "unit": "ICU", "bed": "ICU-02", "text": "SpO2 low"}
    assert post("/api/v1/alerts", json=told, headers=headers).status_code == 403
    assert post("/api/v1/alerts", json=told | {"unit": "MED", "bed": "MED-02"}, headers=headers).status_code == 202
    hl7 = post("/api/v1/hl7", data=alarm(bed="ICU^^ICU-02"), headers=headers, content_type="x-application/hl7-v2+er7")
    assert (hl7.status_code, hl7.json["code"]) == (422, "AR")
    answers = [post("/api/v1/fhir", json=one, headers=headers) for one in _fhir("ICU-02")]
    assert [answer.status_code for answer in answers] == [202, 422, 202]
    assert "may not speak for that unit" in answers[1].text
    assert len(house.journal()) == 1


def test_when_a_sender_was_heard_and_how_far_off_its_clock_is_is_written_down(house: House) -> None:
    clock.stop()
    send(alarm(at=clock.now().replace(microsecond=0) - timedelta(seconds=90)))
    with records.read() as session:
        sender = session.get_one(Sender, _only_sender())
    assert sender.heard_at == clock.now()
    assert sender.clock_off_s == pytest.approx(-90, abs=1)


def _only_sender() -> int:
    with records.read() as session:
        return session.scalars(select(Sender.id)).one()


def _fhir(bed: str) -> list[dict[str, Any]]:
    place = [{"location": {"identifier": {"value": bed}}}]
    subject = {"reference": "Patient/a"}
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    value = {"value": 80, "code": "/min"}
    return [
        {"resourceType": "Patient", "id": "a", "identifier": [{"value": "1"}]},
        {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"}, "subject": subject,
         "location": place},
        {"resourceType": "Observation", "status": "final", "code": code, "subject": subject, "valueQuantity": value,
         "effectiveDateTime": "2026-11-23T04:00:00Z"},
    ]  # fmt: skip
