"""A sender over its limit: one technical alert for the charge nurse, which ends by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hospital import background, clock, records
from hospital.alerts.overruns import OVER
from hospital.records import Alert, Sender
from tests.support.house import House


@pytest.fixture
def gateway(either_house: House) -> House:
    clock.stop()
    either_house.raise_alarm()
    return either_house


def sends_too_much() -> None:
    records.write(None, lambda session: session.execute(update(Sender).values(over_at=clock.now())))
    background.watch_senders()


def of_our_own() -> list[Alert]:
    with records.read() as session:
        return list(session.scalars(select(Alert).where(Alert.sender_id.is_(None))))


def test_it_is_told_once_to_the_charge_nurse(gateway: House) -> None:
    for _ in range(3):
        sends_too_much()
        clock.turn(timedelta(seconds=2))
    (alert,) = of_our_own()
    assert (alert.text, alert.priority, alert.kind, alert.place) == (OVER, "low", "technical", "TEST_GATEWAY / BENCH")
    assert [line.happening for line in gateway.journal() if line.alert_id == alert.id] == ["raised"]
    assert OVER in gateway.visitor("charge").get("/alerts").text
    assert OVER not in gateway.visitor("nurse").get("/alerts").text
    assert gateway.journal("demo-b") == []


def test_it_ends_by_itself_when_the_sender_is_below_again(gateway: House) -> None:
    sends_too_much()
    clock.turn(timedelta(seconds=9))
    background.watch_senders()
    assert of_our_own()[0].condition == "active"
    clock.turn(timedelta(seconds=1))
    background.watch_senders()
    assert of_our_own()[0].condition == "cleared"


def test_when_it_comes_back_it_is_the_same_alert_and_open_again(gateway: House) -> None:
    sends_too_much()
    clock.turn(timedelta(seconds=10))
    background.watch_senders()
    sends_too_much()
    (alert,) = of_our_own()
    lines = [line.happening for line in gateway.journal() if line.alert_id == alert.id]
    assert lines == ["raised", "cleared", "recurred"]
