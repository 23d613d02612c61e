from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from hospital import clock
from hospital.simulator.run import LATE_AT_MOST, Account, play, run
from hospital.simulator.ward import AlarmEvent, events


@pytest.fixture(autouse=True)
def still_time() -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


def sleep(seconds: float) -> None:
    clock.turn(timedelta(seconds=seconds))


def played(count: int, *, speed: float, takes: timedelta = timedelta(0)) -> list[float]:
    """Seconds from the beginning at which each of the first events was told; the first takes `takes` to tell."""
    began, told = clock.now(), list[float]()

    def tell(event: AlarmEvent) -> None:
        told.append((clock.now() - began).total_seconds())
        if len(told) == 1:
            clock.turn(takes)

    play(islice(events(1), count), tell, speed=speed, stop=lambda: False, sleep=sleep)
    return told


def due(count: int) -> list[float]:
    return [event.after_s for event in islice(events(1), count)]


def test_each_event_is_told_when_it_is_due() -> None:
    assert played(50, speed=1) == pytest.approx(due(50), abs=0.001)


def test_speed_shortens_every_wait() -> None:
    assert played(50, speed=4) == pytest.approx([after_s / 4 for after_s in due(50)], abs=0.001)


def test_a_long_silence_is_not_followed_by_a_flood() -> None:
    told = played(50, speed=1, takes=timedelta(hours=8))
    in_a_minute = [at for at in told[1:] if at < told[1] + 60]
    assert len(in_a_minute) < 12
    assert told[-1] > 8 * 3600 + due(50)[-1] - LATE_AT_MOST.total_seconds() - 10


def test_a_stop_ends_the_play_in_the_middle_of_a_wait() -> None:
    told: list[AlarmEvent] = []
    play(events(1), told.append, speed=1, stop=lambda: len(told) == 3, sleep=sleep)
    assert len(told) == 3


def test_a_run_sends_every_message_under_its_own_control_id(intake: Callable[..., Any]) -> None:
    def accept(message: bytes) -> bytes:
        return b"\x0bMSH|^~\\&\rMSA|CA|" + message.split(b"|")[9] + b"\r\x1c\r"

    listening = intake(accept)
    clock.reset()
    account = run("127.0.0.1", listening.port, 1, 1e9, stop=lambda: len(listening.heard) >= 200)
    control_ids = {message.split(b"|")[9] for message in listening.heard}
    assert len(control_ids) == len(listening.heard) == account.messages
    assert all(control_id.startswith(b"1-20") for control_id in control_ids)
    assert account.answers["CA"] >= account.messages - 1  # the last may be stopped while it waits


def test_the_account_is_one_line() -> None:
    line = str(Account(1, alarms=2, messages=5, repeats=1, answers={"CA": 5}))
    assert line == "simulator: seed 1, 2 alarms in 5 messages; answers AA 0 CA 5 AE 0 AR 0; 1 repeats"
