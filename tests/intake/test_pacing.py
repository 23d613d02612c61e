"""A sender over its limit is read more slowly: nothing of it is lost, nobody else waits, and an alert says so."""

import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from statistics import median

import pytest

from hospital import settings
from hospital.intake import pacing
from hospital.intake.pacing import Pace
from hospital.settings import Settings
from tests.support.alarms import alarm
from tests.support.server import ROOT, Server
from tests.support.sse import until

LIMIT_PER_S, BURST = 4, 60  # at once; what the limit gives in five seconds goes through unhindered


class Watch:
    """In place of the monotonic clock."""

    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    settings.use(Settings(mllp_per_minute=600))
    monkeypatch.setattr(pacing, "time", watch := Watch())
    yield watch
    settings.use(Settings())


def test_a_burst_goes_through_at_once_and_then_the_limit_holds(watch: Watch) -> None:
    pace = Pace()
    assert [pace.wait_s(1) for _ in range(50)] == [0] * 50
    for n in range(1, 4):
        assert pace.wait_s(1) == pytest.approx(n / 10)


def test_who_keeps_to_the_limit_never_waits(watch: Watch) -> None:
    pace = Pace()
    for _ in range(1_000):
        assert pace.wait_s(1) == 0
        watch.now += 0.1


def test_each_sender_has_a_limit_of_its_own(watch: Watch) -> None:
    pace = Pace()
    for _ in range(100):
        pace.wait_s(1)
    assert pace.wait_s(1) > 0
    assert pace.wait_s(2) == pace.wait_s("10.0.7.1") == 0


def test_who_was_too_fast_is_not_held_back_for_ever(watch: Watch) -> None:
    pace = Pace()
    for _ in range(60):
        pace.wait_s(1)
    watch.now += 6
    assert [pace.wait_s(1) for _ in range(50)] == [0] * 50


@pytest.mark.slow
def test_of_a_burst_of_ten_times_the_limit_every_alarm_lands_and_no_other_sender_waits(
    new_server: Callable[..., Server],
) -> None:
    server = new_server(HOSPITAL_MLLP_PER_MINUTE=str(LIMIT_PER_S * 60))
    with closing(server.gateway()) as wild, closing(server.gateway()) as calm:
        before = [_latency_s(calm, n) for n in range(8)]
        answers: list[bytes] = []
        reading = threading.Thread(target=lambda: answers.extend(wild.answer() for _ in range(BURST)))
        reading.start()
        began = time.monotonic()
        wild.socket.settimeout(60)
        for n in range(BURST):
            wild.write(b"\x0b" + alarm(alert_id=f"W{n}", sender="WILD|1", priority="high") + b"\x1c\x0d")
        until(lambda: len(answers) > 5 * LIMIT_PER_S)
        meanwhile = [_latency_s(calm, n) for n in range(20, 26)]
        assert len(answers) < BURST, "it was still being read while we looked"
        reading.join(60)
        took_s = time.monotonic() - began

    assert sum(b"MSA|CA|" in answer for answer in answers) == BURST
    assert took_s > (BURST - 5 * LIMIT_PER_S) / LIMIT_PER_S * 0.9, "it was read at its limit, no faster"
    assert median(meanwhile) < max(3 * median(before), 0.5 / LIMIT_PER_S), (median(before), median(meanwhile))
    assert _count(server, "sender_alert_id LIKE 'W%' AND state = 'open'") == BURST
    until(lambda: _count(server, "condition_key LIKE 'sender-%'"))
    assert _count(server, "condition_key LIKE 'sender-%' AND priority = 'low' AND kind = 'technical'") == 1
    until(lambda: _count(server, "condition_key LIKE 'sender-%' AND condition = 'cleared'") == 1)
    assert "hospital_mllp_slowed_total" in _metrics(server)


def test_an_ended_sender_loses_its_open_line_within_a_beat_and_no_other_does(
    new_server: Callable[..., Server],
) -> None:
    server = new_server(HOSPITAL_BEAT_S="2")
    with closing(server.gateway()) as ended, closing(server.gateway()) as other:
        for gateway, sender in ((ended, "ENDED|1"), (other, "OTHER|1")):
            assert b"MSA|CA|" in gateway.send(alarm(sender=sender, alert_id=sender))
        words = ("senders", "revoke", "--hospital", "demo", "--sender", "ENDED / 1")
        command = [sys.executable, "-m", "flask", "--app", "app", *words]
        done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        revoked_at = time.monotonic()
        with pytest.raises(ConnectionError):
            ended.answer()
        assert time.monotonic() - revoked_at < 2
        assert b"MSA|CA|" in other.send(alarm(sender="OTHER|1", alert_id="again"))
    assert b"MSA|AR|" in server.send(alarm(sender="ENDED|1", alert_id="late"))


def _latency_s(gateway, n: int) -> float:  # type: ignore[no-untyped-def]
    began = time.monotonic()
    assert b"MSA|CA|" in gateway.send(alarm(alert_id=f"C{n}", sender="CALM|1", bed="MED^^MED-08", patient=None))
    return time.monotonic() - began


def _count(server: Server, where: str) -> int:
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM alert WHERE {where}").fetchone()[0])


def _metrics(server: Server) -> str:
    with urllib.request.urlopen(f"{server.url}/internal/metrics", timeout=10) as response:
        text: str = response.read().decode()
    return text
