"""An alarm reaches the nurse, for real, and back: a real server on each database, from the gateway to the stream."""

import re
from collections.abc import Callable

import pytest

from tests.support.alarms import alarm
from tests.support.server import Server
from tests.support.sse import opened, sign_in, until
from tests.support.web import Web


@pytest.fixture(params=["sqlite", "postgresql"])
def either_server(request: pytest.FixtureRequest, new_server: Callable[..., Server]) -> Server:
    if request.param == "sqlite":
        return new_server()
    return new_server(HOSPITAL_DATABASE_URL=request.getfixturevalue("postgres_database_url"))


def test_an_alarm_is_raised_seen_taken_escalated_noted_and_resolved(either_server: Server) -> None:
    nurse, colleague = Web(either_server, "nurse"), Web(either_server, "nurse2")
    assert b"MSA|CA|" in either_server.send(alarm(priority="high", alert_id="A1"))
    for web in (nurse, colleague):
        assert 'data-state="open"' in web.get("/alerts")

    taken = nurse.act("/alerts/1/acknowledgement", seen_state="open", seen_priority="high")
    assert (taken["id"], taken["state"]) == (1, "acknowledged")
    assert "Amara N." in colleague.get("/alerts")

    assert b"MSA|CA|" in either_server.send(alarm(priority="high", alert_id="A1", phase="end"))
    assert 'data-condition="latched"' in colleague.get("/alerts")
    assert (colleague.act("/alerts/1/escalation"))["state"] == "acknowledged"
    colleague.act("/alerts/1/notes", text="Finger clip replaced")
    assert "Finger clip replaced" in nurse.get("/alerts/1")
    assert (nurse.act("/alerts/1/resolution"))["state"] == "resolved"
    assert "alert-card" not in colleague.get("/alerts")


def test_an_alert_that_nobody_answers_climbs_by_itself(new_server: Callable[..., Server]) -> None:
    server = new_server(HOSPITAL_ESCALATE_HIGH_S="0.5")
    (watch,) = opened(server.port, [sign_in(server.port, "charge").cookie])
    server.send(alarm(priority="high"))
    until(lambda: len(watch.named("frame")) == 3, watch)
    assert [re.findall(r'data-step="(\d)"', frame.data) for frame in watch.named("frame")] == [["0"], ["1"], ["2"]]


def test_a_cleared_alert_that_nobody_saw_leaves_by_itself(new_server: Callable[..., Server]) -> None:
    server = new_server(HOSPITAL_CLEARED_UNSEEN_S="0.5")
    (watch,) = opened(server.port, [sign_in(server.port, "nurse").cookie])
    server.send(alarm(priority="medium"))
    server.send(alarm(priority="medium", phase="end"))
    until(lambda: 'data-happening="expired"' in watch.events[-1].data, watch)
    assert 'data-state="resolved"' in watch.events[-1].data
