"""So many lines a second and no more: who is sent away costs no query, and does not come back with all the others."""

import time
from collections.abc import Callable

import pytest

from hospital import meters
from hospital.access import sessions
from hospital.access.sessions import COOKIE
from hospital.access.signing_in import sign_out
from hospital.live import admission
from hospital.live.admission import Bucket
from tests.live.lines import seat, visitor_of
from tests.support.house import House, Visitor
from tests.support.sse import Stream, until
from tests.support.websocket import HANDSHAKE

_STREAM = "/live/stream?view=alerts"


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    made = Seconds()
    monkeypatch.setattr(admission, "time", made)
    return made


def test_a_bucket_holds_what_a_second_brings_and_fills_again_as_time_goes(seconds: Seconds) -> None:
    bucket = Bucket()
    assert [bucket.take(3.0) for _ in range(5)] == [True, True, True, False, False]
    seconds.now += 0.5
    assert [bucket.take(3.0) for _ in range(3)] == [True, False, False]
    seconds.now += 60
    assert [bucket.take(3.0) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("door", [_STREAM, "/live/socket?view=alerts"])
def test_who_is_one_too_many_is_told_to_come_back_a_little_later(
    house: House, seconds: Seconds, set_to: Callable[..., None], statements: list[str], door: str
) -> None:
    set_to(streams_per_s=2.0)
    nurse = visitor_of(house, "nurse")
    for _ in range(2):
        assert nurse.client.head(_STREAM).status_code == 200
    statements.clear()
    refused = [nurse.get(door, headers=HANDSHAKE if "socket" in door else {}) for _ in range(40)]
    assert {answer.status_code for answer in refused} == {503}
    assert statements == []
    waits = {int(answer.headers["Retry-After"]) for answer in refused}
    assert waits <= {1, 2, 3, 4, 5} and len(waits) > 1, "spread, or they all come back together"
    assert meters.counted("streams_refused_total", reason="rate") == 40
    seconds.now += 1
    assert nurse.client.head(_STREAM).status_code == 200


def test_who_is_nobody_takes_no_place(house: House, seconds: Seconds, set_to: Callable[..., None]) -> None:
    set_to(streams_per_s=1.0)
    stranger, nurse = house.visitor(), visitor_of(house, "nurse")
    assert {stranger.get(_STREAM).status_code for _ in range(10)} == {401}
    assert nurse.client.head(_STREAM).status_code == 200


def test_pages_and_acts_are_admitted_as_ever(house: House, seconds: Seconds, set_to: Callable[..., None]) -> None:
    set_to(streams_per_s=0.0)
    nurse = visitor_of(house, "nurse")
    assert nurse.get(_STREAM).status_code == 503
    assert nurse.get("/alerts").status_code == 200
    assert nurse.acknowledge(house.raise_alarm()).status_code == 200


# ---- For whom nobody waits any more ----------------------------------------------------------------------------------


def test_a_request_that_has_lain_for_too_long_is_sent_away_without_a_query(
    house: House, port: int, set_to: Callable[..., None], statements: list[str]
) -> None:
    set_to(stream_wait_s=0.5)
    cookie = seat(house, "nurse")[0]
    statements.clear()
    late = Stream(port, cookie)
    lies_until = time.monotonic() + 0.6
    while time.monotonic() < lies_until:  # in the system's hands: the server's loop does not run meanwhile
        pass
    until(lambda: late.status, late)
    assert (late.status, late.headers["retry-after"] in "12345") == (503, True)
    assert statements == []
    assert meters.counted("streams_refused_total", reason="late") == 1
    soon = Stream(port, cookie)
    until(lambda: soon.named("hello"), soon)


def test_for_a_screen_that_has_given_up_nothing_is_done(house: House, port: int, statements: list[str]) -> None:
    cookie = seat(house, "nurse")[0]
    statements.clear()
    Stream(port, cookie).close()
    until(lambda: meters.counted("streams_refused_total", reason="gone") == 1)
    assert statements == []


def test_beyond_so_many_who_wait_nobody_is_let_wait(house: House, set_to: Callable[..., None]) -> None:
    set_to(streams_waiting=0)
    nurse = visitor_of(house, "nurse")
    assert nurse.get(_STREAM).status_code == 503
    assert meters.counted("streams_refused_total", reason="waiting") == 1
    assert nurse.get("/alerts").status_code == 200


# ---- Who comes back with every tab -----------------------------------------------------------------------------------


def test_who_opens_many_lines_at_once_is_looked_up_once(house: House, statements: list[str]) -> None:
    house.relay.look()
    nurse = visitor_of(house, "nurse")
    nurse.client.head(_STREAM)
    statements.clear()
    for _ in range(50):
        assert nurse.client.head(_STREAM).status_code == 200
    assert statements == []


@pytest.fixture
def ended(house: House) -> Visitor:
    """Has just opened a line; then the session ended elsewhere, and the browser still has its cookie."""
    house.relay.look()
    cookie, row = seat(house, "nurse")
    nurse = house.visitor()
    nurse.client.set_cookie(COOKIE, cookie)
    assert nurse.client.head(_STREAM).status_code == 200
    sign_out(row.id)
    return nurse


def test_a_page_is_given_to_who_the_person_is_now(ended: Visitor) -> None:
    assert ended.get("/alerts").status_code == 302


def test_who_has_signed_out_opens_nothing_after_the_next_beat(house: House, ended: Visitor) -> None:
    house.relay.end_sessions()
    assert ended.get(_STREAM).status_code == 401


@pytest.mark.parametrize("late", [False, True], ids=["before the beat", "from a read that ended after it"])
def test_a_line_that_was_opened_with_what_had_ended_ends_at_the_next_beat(
    house: House, ended: Visitor, late: bool
) -> None:
    if late:
        kept = dict(sessions.lately._known)
        house.relay.end_sessions()
        sessions.lately._known.update(kept)
    answer = ended.get(_STREAM, buffered=False)
    parts = iter(answer.response)
    assert next(parts).startswith(b"event: hello")
    house.relay.end_sessions()
    assert next(parts).startswith(b"event: auth")
    answer.close()
