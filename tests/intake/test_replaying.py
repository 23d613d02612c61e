"""Refused alarms are tried again after what was wrong has been mended, and nothing is raised twice."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hospital import clock, records, settings
from hospital.access import enrolling
from hospital.access.enrolling import Binding
from hospital.intake import receiving, senders
from hospital.intake.receiving import receive
from hospital.records import Alert, Message, Monitoring, Sender, Verdict
from hospital.vocabulary import Condition, State
from tests.access.strangers import new_token
from tests.access.test_traces import left
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

ELSEWHERE = "192.0.2.7"


@pytest.fixture(autouse=True)
def no_demo(house: House) -> None:
    """Nobody is bound by what he calls himself."""
    clock.stop()
    settings.use(house.settings.but(demo=False))


def bind(house: House, addresses: str = "") -> None:
    """An administrator makes the gateway of the alarms known."""
    row = alarm().split(b"|")
    application, facility = row[2].decode(), row[3].decode()
    hospital_id = house.hospital().id
    records.write(
        hospital_id,
        lambda session: enrolling.enrol(
            session, hospital_id, "Gateway", (application, facility), Binding.of(addresses, ())
        ),
    )


def replay(house: House, *how: str) -> str:
    done = house.app.test_cli_runner().invoke(args=["messages", "replay", *how], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output.splitlines()[-1])


def alerts() -> list[Alert]:
    with records.read() as session:
        return list(session.scalars(select(Alert).order_by(Alert.id)))


def messages() -> list[Message]:
    with records.read() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


# ---- After the fix


def test_an_alarm_of_a_sender_that_nobody_knew_is_raised_once_it_is_known(house: House) -> None:
    receive(alarm())
    assert "0 taken, 0 known already, 1 refused again" in replay(house)
    bind(house)
    clock.turn(timedelta(hours=1))

    assert replay(house) == "Refused messages: 1. 1 taken, 0 known already, 0 refused again, 0 no alarms."
    (alert,), (message,) = alerts(), messages()
    assert (alert.state, alert.raised_at, alert.place) == (State.OPEN, clock.now(), "MED / – / MED-07")
    assert (message.verdict, message.alert_ids, message.reason) == (Verdict.ACCEPTED, [alert.id], "")
    assert (message.hospital_id, message.sender_id) == (alert.hospital_id, alert.sender_id)
    assert left()[-1].act == "messages replay" and left()[-1].object == f"message:{message.id}"
    assert [line.happening.value for line in house.journal()] == ["raised"]


def test_a_fault_of_ours_that_was_mended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(house)
    with monkeypatch.context() as broken:
        broken.setattr(receiving, "raise_alert", _break)
        receive(alarm())
        assert "1 refused again" in replay(house)
    assert "1 taken" in replay(house)
    assert len(alerts()) == 1


def test_an_alarm_in_json_of_a_unit_that_was_not_named(house: House) -> None:
    token = new_token(house)
    _set_units(house, "ICU")
    assert _post(house, token) == 403
    assert "1 refused again" in replay(house)
    _set_units(house)
    assert "1 taken" in replay(house)
    assert [alert.text for alert in alerts()] == ["SpO2 low"]


def test_whoever_repeats_it_afterwards_gets_the_new_answer(house: House) -> None:
    message = alarm()
    bind(house, ELSEWHERE)
    receive(message, address="198.51.100.1")
    _bind_to("198.51.100.1")
    replay(house)
    again = receive(message, address="198.51.100.1")
    assert again is not None and again.verdict is Verdict.ACCEPTED and len(alerts()) == 1


# ---- Nothing twice, nothing undone


def test_played_twice_it_is_raised_once(house: House) -> None:
    receive(alarm())
    bind(house)
    replay(house)
    assert replay(house).startswith("Refused messages: 0.")
    assert len(alerts()) == len(house.journal()) == 1


@pytest.mark.parametrize("resolved", [False, True])
def test_what_its_sender_has_told_again_since_is_not_raised_twice(house: House, resolved: bool) -> None:
    receive(alarm(control_id="1"))
    bind(house)
    clock.turn(timedelta(minutes=1))
    receive(alarm(control_id="2"))
    if resolved:
        nurse = house.visitor("nurse")
        nurse.acknowledge(alerts()[0].id)
        nurse.act(f"/alerts/{alerts()[0].id}/resolution")
    lines = len(house.journal())

    assert "0 taken, 1 known already" in replay(house)
    assert len(alerts()) == 1 and len(house.journal()) == lines
    assert replay(house).startswith("Refused messages: 0.")


def test_an_old_end_does_not_clear_what_has_come_back(house: House) -> None:
    bind(house, ELSEWHERE)
    receive(alarm(control_id="1"), address=ELSEWHERE)
    clock.turn(timedelta(minutes=1))
    receive(alarm(control_id="2", phase="end", state="inactive"), address="198.51.100.1")
    clock.turn(timedelta(minutes=1))
    receive(alarm(control_id="3"), address=ELSEWHERE)
    _bind_to(f"{ELSEWHERE} 198.51.100.1")

    assert "1 known already" in replay(house)
    assert [alert.condition for alert in alerts()] == [Condition.ACTIVE]


def test_an_end_that_is_the_last_word_ends_it(house: House) -> None:
    bind(house, ELSEWHERE)
    receive(alarm(control_id="1"), address=ELSEWHERE)
    clock.turn(timedelta(minutes=1))
    receive(alarm(control_id="2", phase="end", state="inactive"), address="198.51.100.1")
    _bind_to(f"{ELSEWHERE} 198.51.100.1")
    assert "1 taken" in replay(house)
    assert [alert.condition for alert in alerts()] == [Condition.CLEARED]


def test_readings_are_left_alone(house: House) -> None:
    receive(reading())
    bind(house)
    assert "1 no alarms" in replay(house)
    with records.read() as session:
        assert session.scalars(select(Monitoring)).all() == []


def test_what_is_older_than_the_window_is_over(house: House) -> None:
    receive(alarm())
    bind(house)
    clock.turn(timedelta(hours=24))
    assert replay(house).startswith("Refused messages: 0.")


# ---- Who may


def test_what_a_stranger_sent_is_not_let_in_by_it(house: House) -> None:
    """Whoever has forged a message from another machine has only to wait for the next replay, otherwise."""
    bind(house, ELSEWHERE)
    receive(alarm(), address="198.51.100.66")
    assert "1 refused again" in replay(house)
    assert alerts() == []


def test_of_an_ended_sender_nothing_is_played(house: House) -> None:
    receive(alarm())
    bind(house)
    records.write(None, lambda session: session.execute(update(Sender).values(revoked_at=clock.now())))
    assert "1 refused again" in replay(house)
    assert alerts() == []


# ---- Trying it


def test_a_dry_run_says_the_same_and_changes_nothing(house: House) -> None:
    receive(alarm())
    bind(house)
    before = left()
    told = replay(house, "--dry-run")
    assert told.startswith("Refused messages tried and left as they are: 1. 1 taken")
    assert alerts() == [] and [line.number for line in left()] == [line.number for line in before]
    assert [message.verdict for message in messages()] == [Verdict.REFUSED]
    assert "1 taken" in replay(house)


def test_a_message_that_breaks_us_does_not_hold_up_the_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(alarm(alert_id="A"))
    receive(alarm(alert_id="B", bed="MED^^MED-02"))
    bind(house)
    carry_out = receiving.carry_out

    def fail_first(session: Any, sender: Any, report: Any) -> Any:
        return _break() if report.alarm.alert_id == "A" else carry_out(session, sender, report)

    monkeypatch.setattr(receiving, "carry_out", fail_first)
    assert "1 taken, 0 known already, 1 refused again" in replay(house)
    assert len(alerts()) == 1


def _break(*_: object, **__: object) -> Any:
    raise RuntimeError("planted")


def _bind_to(addresses: str) -> None:
    records.write(None, lambda session: session.execute(update(Sender).values(addresses=addresses)))
    senders._remembered.clear()


def _set_units(house: House, *units: str) -> None:
    def act(session: Any) -> None:
        sender = session.scalars(select(Sender).where(Sender.name == "Test program")).one()
        enrolling.bind(session, sender, Binding.of("", units))

    records.write(house.hospital().id, act)


def _post(house: House, token: str) -> int:
    body = {"id": "A", "unit": "MED", "bed": "MED-07", "text": "SpO2 low"}
    headers = {"Authorization": f"Bearer {token}"}
    return house.app.test_client().post("/api/v1/alerts", json=body, headers=headers).status_code
