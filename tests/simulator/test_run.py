import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

import pytest

from hospital import clock
from hospital.simulator.codes import METRICS
from hospital.simulator.run import LATE_AT_MOST, Account, Gateway, play, run
from hospital.simulator.scenario import load
from hospital.simulator.ward import Look, looks

WARD = load("busy")
EVENTS = {"196670", "196648"}


@pytest.fixture(autouse=True)
def still_time() -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


def sleep(seconds: float) -> None:
    clock.turn(timedelta(seconds=seconds))


def first(count: int) -> list[Look]:
    return list(islice(looks(1, WARD), count))


def played(count: int, *, speed: float, takes: timedelta = timedelta(0)) -> list[float]:
    """Seconds from the beginning at which each of the first looks was told; the first takes `takes` to tell."""
    began, told = clock.now(), list[float]()

    def tell(look: Look, at: datetime) -> None:
        told.append((clock.now() - began).total_seconds())
        if len(told) == 1:
            clock.turn(takes)

    play(first(count), tell, speed=speed, stop=lambda: False, sleep=sleep)
    return told


def sent(until_s: float, *, period_s: float = 1.0, speed: float = 1.0) -> list[list[list[str]]]:
    """What a gateway sends of the ward's first seconds, each message as segments as fields."""
    messages: list[bytes] = []
    gateway = Gateway(messages.append, 1, speed=speed, period_s=period_s)
    ward = takewhile(lambda look: look.at_s < until_s, looks(1, WARD))
    play(ward, gateway.tell, speed=speed, stop=lambda: False, sleep=sleep)
    return [[row.split("|") for row in message.decode().split("\r")[:-1]] for message in messages]


def numbers(message: list[list[str]]) -> dict[str, tuple[str, str]]:
    """Value and time by code."""
    return {row[3].split("^")[0]: (row[5], row[14]) for row in message if row[0] == "OBX" and row[2] == "NM"}


def bed_of(message: list[list[str]]) -> str:
    return next(row[3].split("^")[2] for row in message if row[0] == "PV1")


def test_each_look_is_told_when_it_is_due() -> None:
    assert played(50, speed=1) == pytest.approx([look.at_s for look in first(50)], abs=0.001)


def test_speed_shortens_every_wait() -> None:
    assert played(50, speed=4) == pytest.approx([look.at_s / 4 for look in first(50)], abs=0.001)


def test_a_long_silence_is_not_followed_by_a_flood() -> None:
    told = played(500, speed=1, takes=timedelta(hours=8))
    assert len([at for at in told[1:] if at < told[1] + 5]) < 5 * 20 + LATE_AT_MOST.total_seconds() * 20
    assert told[-1] > 8 * 3600 + 500 / 20 - LATE_AT_MOST.total_seconds() - 1


def test_what_is_told_late_says_when_it_was_seen() -> None:
    began, told = clock.now(), list[tuple[float, float]]()

    def tell(look: Look, at: datetime) -> None:
        told.append((look.at_s, (at - began).total_seconds()))
        clock.turn(timedelta(seconds=0.2))  # four times as long as there is

    play(first(40), tell, speed=1, stop=lambda: False, sleep=sleep)
    assert [at_s for _, at_s in told] == pytest.approx([at_s for at_s, _ in told], abs=0.001)


def test_a_gateway_that_cannot_keep_up_leaves_sets_out_and_no_alarm() -> None:
    def slow(message: bytes) -> None:
        clock.turn(timedelta(seconds=0.1))  # twice as long as there is
        messages.append(message)

    messages: list[bytes] = []
    gateway = Gateway(slow, 1, speed=1, period_s=1)
    ward = list(takewhile(lambda look: look.at_s < 300, looks(1, WARD)))
    play(ward, gateway.tell, speed=1, stop=lambda: False, sleep=sleep)
    assert len([message for message in messages if b"R40" in message]) == sum(len(look.alarms) for look in ward)
    assert gateway.account.sets < 300 * 20 * 0.6


def test_a_stop_ends_the_play_in_the_middle_of_a_wait() -> None:
    told: list[Look] = []
    play(looks(1, WARD), lambda look, at: told.append(look), speed=1, stop=lambda: len(told) == 3, sleep=sleep)
    assert len(told) == 3


def test_each_bed_sends_a_set_a_second() -> None:
    readings = [message for message in sent(10) if "R01" in message[0][8]]
    assert len(readings) == 200
    assert len({bed_of(message) for message in readings}) == 20


def test_a_longer_period_sends_fewer_sets_and_as_many_alarms() -> None:
    quick, slow = sent(60), sent(60, period_s=30)
    alarms = [[message for message in told if "R40" in message[0][8]] for told in (quick, slow)]
    assert [message[3][3] for message in alarms[0]] == [message[3][3] for message in alarms[1]]
    assert len(slow) - len(alarms[1]) < 20 * 2 + 2 * len(alarms[1])


@pytest.mark.parametrize("period_s", [1, 30])
def test_what_an_alarm_says_was_said_by_the_message_before_it(period_s: float) -> None:
    before: dict[str, dict[str, tuple[str, str]]] = {}
    told = 0
    for message in sent(400, period_s=period_s):
        bed = bed_of(message)
        if "R01" in message[0][8]:
            before[bed] = before.get(bed, {}) | numbers(message)
            continue
        observations = [row for row in message if row[0] == "OBX"]
        if observations[0][3].split("^")[0] in EVENTS and observations[1][5]:
            told += 1
            code, value = observations[1][3].split("^")[0], observations[1][5]
            assert before[bed][code][0] == value
    assert told > 15


def test_a_cuff_reading_is_told_once_with_the_time_when_it_was_taken() -> None:
    cuffs = [numbers(message)["150021"] for message in sent(300) if "150021" in numbers(message)]
    assert 20 <= len(cuffs) < 40
    times = [datetime.strptime(at, "%Y%m%d%H%M%S.%f%z") for _, at in cuffs]
    assert all(at <= clock.now() for at in times)
    assert len({at for at in times if at < clock.now() - timedelta(seconds=310)}) > 5


def test_speed_brings_the_past_nearer() -> None:
    def oldest(speed: float) -> timedelta:
        clock.stop()
        ages = [
            datetime.strptime(at, "%Y%m%d%H%M%S.%f%z") for m in sent(1, speed=speed) for _, at in numbers(m).values()
        ]
        return clock.now() - min(ages)

    assert oldest(1) > timedelta(minutes=9)
    assert oldest(60) < timedelta(seconds=31)


def test_a_restarted_run_uses_the_alert_ids_again_and_no_control_id() -> None:
    once = sent(60)
    clock.turn(timedelta(seconds=5))
    again = sent(60)
    ids = [[message[-8][3] for message in told if "R40" in message[0][8]] for told in (once, again)]
    assert ids[0] == ids[1] and ids[0][0].startswith("1-A1^")
    assert not {message[0][9] for message in once} & {message[0][9] for message in again}


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
    assert account.sets + account.alarms <= account.messages
    assert listening.connections == 1


def test_twenty_beds_at_a_set_a_second_cost_little() -> None:
    gateway = Gateway(lambda message: None, 1, speed=1, period_s=1)
    ward = looks(1, WARD)
    for look in islice(ward, 20):
        gateway.tell(look, clock.now())
    began = time.process_time()
    for look in islice(ward, 20 * 20):
        gateway.tell(look, clock.now())
    assert (time.process_time() - began) / 20 < 0.1  # of a core


def test_the_account_is_one_line() -> None:
    line = str(Account(1, alarms=2, messages=5, sets=3, repeats=1, answers={"CA": 5}))
    assert line == (
        "simulator: seed 1, 3 sets of readings and 2 alarms in 5 messages; answers AA 0 CA 5 AE 0 AR 0; 1 repeats"
    )


def test_only_known_numbers_are_sent() -> None:
    known = {str(metric.code.number) for metric in METRICS}
    assert {code for message in sent(5) for code in numbers(message)} <= known
