"""Sockets of all kinds of readers: quick, slow, stuck, gone."""

import os
import re
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import gevent
import pytest

from hospital import clock, meters, settings
from hospital.live import frame, outlet
from hospital.live.hub import VIEWS, Audience, Hub, Watch
from hospital.live.line import SocketLine
from hospital.live.outlet import Outlet
from hospital.roles import Role
from hospital.settings import Settings
from tests.support.sse import Ear, events_of, until

_AUDIENCE = Audience(7, frozenset({1}), True, "en", VIEWS)
_RESYNC = frame.resync("e-99", "slow")
_LARGE = 3_000_000  # bytes: more than any buffer of these sockets holds


class Lines:
    """An outlet with its hub, and both ends of its lines."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.resync = _RESYNC
        self.asked: list[int] = []
        self.outlet = Outlet(self.hub, self._resync)
        self._kept: list[socket.socket] = []

    def open(self, kind: str = "tcp") -> tuple[SocketLine, Ear]:
        ours, theirs = tcp_pair() if kind == "tcp" else socket.socketpair()
        now = clock.now()
        line = self.outlet.adopt(ours, Watch(_AUDIENCE, 1, 1, Role.NURSE, now, now, now + timedelta(hours=1)))
        ours.close()
        self.hub.join(line)
        self._kept.append(theirs)
        return line, Ear(theirs)

    def stuck(self, kind: str = "tcp") -> tuple[SocketLine, Ear, bytes]:
        """A line whose reader has not read, and the frame that it has begun."""
        line, ear = self.open(kind)
        begun = numbered(0, _LARGE)
        line.send(begun)
        assert line.fd in self.outlet._blocked
        return line, ear, begun

    def watched(self) -> set[int]:
        """The descriptors in the epoll set, as the kernel knows them."""
        known = Path(f"/proc/self/fdinfo/{self.outlet._epoll.fileno()}").read_text()
        return {int(number) for number in re.findall(r"^tfd:\s*(\d+)", known, re.M)}

    def close(self) -> None:
        if not self.outlet._epoll.closed:
            self.outlet.close()
        for theirs in self._kept:
            theirs.close()

    def _resync(self, hospital_id: int) -> bytes:
        self.asked.append(hospital_id)
        return self.resync


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    monkeypatch.setattr(settings, "current", Settings())
    meters.forget()
    lines = Lines()
    yield lines
    lines.close()


@pytest.fixture(params=["tcp", "unix"])
def kind(request: pytest.FixtureRequest) -> str:
    """A browser, or nginx on the same machine."""
    chosen: str = request.param
    return chosen


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return ours, theirs


def numbered(number: int, size: int = 600) -> bytes:
    return frame.frame(f"{number} {'x' * size}", f"e-{number}")


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


# ---- Who keeps up ----------------------------------------------------------------------------------------------------


def test_every_line_gets_every_frame_whole_and_in_order(lines: Lines, kind: str) -> None:
    pairs = [lines.open(kind) for _ in range(20)]
    frames = [numbered(number) for number in range(50)]
    for data in frames:
        lines.outlet.write_all(lines.hub.lines(_AUDIENCE), data)
    ears = [ear for _, ear in pairs]
    until(lambda: all(len(ear.events) == 50 for ear in ears), *ears)
    assert all(bytes(ear.raw) == b"".join(frames) for ear in ears)
    assert meters.counted("resyncs_total") == 0


def test_a_line_is_written_to_before_anything_waits(lines: Lines) -> None:
    line, ear = lines.open()
    line.send(numbered(1))
    ear.read()
    assert len(ear.events) == 1


def test_the_socket_is_made_ready_for_a_stream(lines: Lines) -> None:
    line, _ = lines.open()
    with socket.socket(fileno=os.dup(line.fd)) as ours:
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 65_536  # Linux doubles it
    assert not os.get_blocking(line.fd)
    assert lines.watched() == {line.fd}
    assert len(lines.outlet) == 1


def test_beats_that_are_further_apart_than_patience_do_not_break_streams(
    lines: Lines, set_to: Callable[..., None]
) -> None:
    set_to(beat_s=20.0, dead_peer_s=15.0)
    line, _ = lines.open()
    with socket.socket(fileno=os.dup(line.fd)) as ours:
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1_000


def test_what_a_reader_says_is_not_listened_to(lines: Lines, kind: str) -> None:
    line, ear = lines.open(kind)
    ear.socket.send(b"GET /another HTTP/1.1\r\n\r\n")
    line.send(numbered(1))
    until(lambda: ear.events, ear)
    assert lines.hub.everyone() == [line]


# ---- Who is slow -----------------------------------------------------------------------------------------------------


def test_a_slow_reader_gets_the_frame_begun_then_one_resync_then_what_is_new(lines: Lines, kind: str) -> None:
    line, ear, begun = lines.stuck(kind)
    for number in range(1, 100):
        line.send(numbered(number))
    until(lambda: ear.named("resync"), ear)
    assert bytes(ear.raw) == begun + _RESYNC
    live = [numbered(number) for number in (100, 101)]
    for data in live:
        line.send(data)
    until(lambda: len(ear.events) == 4, ear)
    assert bytes(ear.raw) == begun + _RESYNC + b"".join(live)
    assert lines.asked == [7], "the hospital of this line, and once"
    assert meters.counted("resyncs_total", reason="slow") == 1


def test_who_is_slow_but_misses_nothing_needs_no_resync(lines: Lines, kind: str) -> None:
    line, ear, begun = lines.stuck(kind)
    until(lambda: not lines.outlet._blocked, ear)
    line.send(numbered(1))
    until(lambda: len(ear.events) == 2, ear)
    assert bytes(ear.raw) == begun + numbered(1)
    assert meters.counted("resyncs_total") == 0


def test_a_frame_of_which_nothing_was_taken_is_missed_and_not_begun(lines: Lines) -> None:
    line, ear = lines.open("unix")  # takes a small frame whole or not at all
    sent = 0
    while not lines.outlet._blocked:
        line.send(numbered(sent))
        sent += 1
    until(lambda: ear.named("resync"), ear)
    assert bytes(ear.raw) == b"".join(numbered(number) for number in range(sent - 1)) + _RESYNC


def test_a_reader_that_is_slow_twice_is_told_twice(lines: Lines, kind: str) -> None:
    line, ear, first = lines.stuck(kind)
    line.send(numbered(1))
    until(lambda: ear.named("resync"), ear)
    second = numbered(2, _LARGE)
    line.send(second)
    line.send(numbered(3))
    until(lambda: len(ear.named("resync")) == 2, ear)
    assert bytes(ear.raw) == first + _RESYNC + second + _RESYNC
    assert not lines.outlet._blocked


def test_what_is_missed_while_the_resync_itself_goes_out_makes_another(lines: Lines) -> None:
    line, ear, begun = lines.stuck()
    lines.resync = large = frame.resync("e-99", "x" * _LARGE)
    line.send(numbered(1))
    until(lambda: lines.asked, ear)  # it has begun the resync
    assert not ear.named("resync")
    lines.resync = _RESYNC
    line.send(numbered(2))
    until(lambda: len(ear.named("resync")) == 2, ear)
    assert bytes(ear.raw) == begun + large + _RESYNC


def test_a_slow_reader_holds_up_nobody(lines: Lines) -> None:
    lines.stuck()
    _, quick = lines.open()
    lines.outlet.write_all(lines.hub.lines(_AUDIENCE), numbered(1))
    until(lambda: quick.events, quick)
    assert bytes(quick.raw) == numbered(1)


def test_the_backlog_of_a_stuck_reader_does_not_grow(lines: Lines, kind: str) -> None:
    line, _, _ = lines.stuck(kind)
    line.send(numbered(1))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(2_000):
            line.send(numbered(number, 10_000))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


# ---- Who is stuck ----------------------------------------------------------------------------------------------------


def test_who_takes_no_byte_for_too_long_is_cut_off(lines: Lines, set_to: Callable[..., None]) -> None:
    line, ear, begun = lines.stuck()
    lines.outlet.drop_stuck()
    assert lines.hub.everyone() == [line], "15 s are not over"
    set_to(dead_peer_s=0.05)
    until(lambda: lines.outlet.drop_stuck() or not len(lines.outlet))
    assert lines.hub.everyone() == []
    assert not is_open(line.fd)
    until(lambda: ear.over, ear)
    assert ear.over == "reset", "nothing that it has not taken is kept in the kernel"
    assert len(ear.raw) < len(begun)
    assert meters.counted("streams_dropped_total", reason="stuck") == 1


def test_who_takes_a_little_is_not_stuck(lines: Lines) -> None:
    line, ear, _ = lines.stuck()
    since = line.stuck_since

    def has_taken() -> bool:
        ear.read(50_000)
        return line.stuck_since > since

    until(has_taken)
    assert lines.outlet._blocked == {line.fd: line}


def test_who_keeps_up_is_never_stuck(lines: Lines, set_to: Callable[..., None]) -> None:
    line, _ = lines.open()
    set_to(dead_peer_s=0.0)
    lines.outlet.drop_stuck()
    assert lines.hub.everyone() == [line]


# ---- Who is gone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [Ear.close, Ear.reset, Ear.half_close])
def test_who_goes_is_gone_at_once_without_a_byte_written(lines: Lines, kind: str, leave: Callable[[Ear], None]) -> None:
    line, ear = lines.open(kind)
    stays, _ = lines.open(kind)
    leave(ear)
    until(lambda: len(lines.outlet) == 1)
    assert lines.hub.everyone() == [stays]
    assert lines.watched() == {stays.fd}
    assert not is_open(line.fd)
    assert meters.counted("streams_dropped_total", reason="gone") == 1


def test_who_goes_while_stuck_is_gone_at_once(lines: Lines, kind: str) -> None:
    line, ear, _ = lines.stuck(kind)
    ear.close()
    until(lambda: not len(lines.outlet))
    assert lines.outlet._blocked == {}
    assert lines.hub.everyone() == []
    assert not is_open(line.fd)


def test_many_who_go_together_are_all_gone(lines: Lines) -> None:
    pairs = [lines.open() for _ in range(40)]
    for _, ear in pairs[:30]:
        ear.reset()
    until(lambda: len(lines.outlet) == 10)
    assert lines.hub.everyone() == [line for line, _ in pairs[30:]]


def test_writing_to_who_is_gone_finds_it_out_and_raises_nothing(lines: Lines) -> None:
    line, ear = lines.open()
    other, still_there = lines.open()
    ear.reset()
    for number in (1, 2):  # before the loop has told that it is gone
        lines.outlet.write_all([line, other], numbered(number))
    assert lines.hub.everyone() == [other]
    assert not is_open(line.fd)
    until(lambda: len(still_there.events) == 2, still_there)
    assert meters.counted("streams_dropped_total", reason="gone") == 1


# ---- Numbers of descriptors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [SocketLine.close, SocketLine.give_up])
def test_a_number_is_not_given_out_again_during_a_broadcast(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, end: Callable[[SocketLine], None]
) -> None:
    monkeypatch.setattr(outlet, "_SLICE", 1)
    pairs = [lines.open() for _ in range(6)]
    broadcast = gevent.spawn(lines.outlet.write_all, [line for line, _ in pairs], numbered(1))
    until(lambda: pairs[0][1].events, pairs[0][1])
    doomed, its_ear = pairs[5]
    end(doomed)
    strangers = [one for _ in range(10) for one in socket.socketpair()]
    assert not broadcast.ready()
    assert is_open(doomed.fd)
    assert doomed.fd not in {stranger.fileno() for stranger in strangers}
    broadcast.get(timeout=5)
    assert not is_open(doomed.fd), "closed as soon as the broadcast is over"
    for stranger in strangers:
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)
    for stranger in strangers:
        stranger.close()
    until(lambda: its_ear.over, its_ear)
    assert its_ear.events == []
    for _, ear in pairs[:5]:
        until(lambda ear=ear: len(ear.events) == 1, ear)


def test_a_number_waits_for_the_last_of_two_broadcasts(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "_SLICE", 1)
    pairs = [lines.open() for _ in range(8)]
    everyone = [line for line, _ in pairs]
    long = gevent.spawn(lines.outlet.write_all, everyone, numbered(1))
    until(lambda: pairs[0][1].events, pairs[0][1])
    short = gevent.spawn(lines.outlet.write_all, everyone[:2], numbered(2))
    everyone[7].close()
    short.get(timeout=5)
    assert not long.ready()
    assert is_open(everyone[7].fd)
    long.get(timeout=5)
    assert not is_open(everyone[7].fd)


def test_a_broadcast_lets_others_work_in_between(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "_SLICE", 10)
    pairs = [lines.open() for _ in range(30)]
    breaths: list[float] = []
    monkeypatch.setattr(gevent, "sleep", breaths.append)
    lines.outlet.write_all([line for line, _ in pairs], numbered(1))
    assert breaths == [outlet._BREATH_S] * 3
    assert outlet._BREATH_S > 0, "sleep(0) would starve timers"


def test_a_new_line_with_an_old_number_starts_with_nothing_of_the_old(lines: Lines) -> None:
    old, _, _ = lines.stuck()
    old.give_up()
    new, ear = lines.open()
    new.send(numbered(1))
    until(lambda: ear.events, ear)
    assert bytes(ear.raw) == numbered(1)


# ---- The end ---------------------------------------------------------------------------------------------------------


def test_last_words_are_delivered_and_nothing_after_them(lines: Lines, kind: str) -> None:
    line, ear = lines.open(kind)
    line.send(numbered(1))
    line.close(frame.auth("session ended"))
    line.send(numbered(2))
    line.close(frame.auth("again"))
    until(lambda: ear.over, ear)
    assert (ear.over, bytes(ear.raw)) == ("closed", numbered(1) + frame.auth("session ended"))
    assert lines.hub.everyone() == []
    assert lines.watched() == set()
    assert not is_open(line.fd)


def test_a_line_can_end_without_a_word(lines: Lines) -> None:
    line, ear = lines.open()
    line.close()
    until(lambda: ear.over, ear)
    assert (ear.over, bytes(ear.raw)) == ("closed", b"")


def test_who_is_stuck_hears_no_last_word_but_is_ended(lines: Lines) -> None:
    line, ear, begun = lines.stuck()
    line.close(frame.auth("session ended"))
    assert not is_open(line.fd)
    assert lines.hub.everyone() == []
    until(lambda: ear.over, ear)
    assert begun.startswith(bytes(ear.raw))


def test_a_last_word_to_who_is_gone_ends_it_once(lines: Lines) -> None:
    line, ear = lines.open()
    ear.reset()
    line.close(frame.auth("session ended"))
    assert line.ended
    assert not is_open(line.fd)


def test_when_the_process_goes_everything_ends(lines: Lines) -> None:
    pairs = [lines.open() for _ in range(5)]
    lines.outlet.close()
    ears = [ear for _, ear in pairs]
    until(lambda: all(ear.over == "closed" for ear in ears), *ears)
    assert len(lines.outlet) == len(lines.hub) == 0
    assert lines.outlet._epoll.closed


def test_the_reader_of_these_tests_would_see_half_a_frame(lines: Lines) -> None:
    _, ear, begun = lines.stuck()
    until(lambda: ear.raw, ear)
    with pytest.raises(AssertionError):
        events_of(begun[:-1])
