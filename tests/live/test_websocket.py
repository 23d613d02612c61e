"""Sockets of all kinds of readers: slow ones get every message whole, talkative ones are told, floods are ended."""

import socket
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from wsproto.events import BytesMessage, Ping, Pong, TextMessage

from hospital import clock, meters, settings
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import RESTART, SIGNED_OUT, VIEWS, Audience, Hub, Watch
from hospital.live.outlet import Outlet
from hospital.live.websocket import WebSocketLine
from hospital.roles import Role
from hospital.settings import Settings
from tests.support.sse import until
from tests.support.websocket import Reader

_AUDIENCE = Audience(7, frozenset({1}), True, "en", VIEWS)
_RESYNC = frame.resync("e-99", "slow")
_LARGE = 3_000_000  # bytes: more than any buffer of these sockets holds
_FEW_BYTES = 2_304  # the smallest receive buffer of Linux


class Lines:
    """An outlet, and both ends of its sockets. The handshake has been: only frames go over them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.outlet = Outlet(self.hub, lambda _hospital_id: _RESYNC)
        self._kept: list[Reader] = []

    def open(self, receive_buffer_bytes: int = 0) -> tuple[WebSocketLine, Reader]:
        ours, theirs = _pair(receive_buffer_bytes)
        now = clock.now()
        watch = Watch(_AUDIENCE, 1, 1, Role.NURSE, now, now, now + timedelta(hours=1))
        line = self.outlet.adopt(ours, watch, WebSocketLine)
        assert isinstance(line, WebSocketLine)
        ours.close()
        self.hub.join(line)
        self._kept.append(Reader(theirs))
        return line, self._kept[-1]

    def close(self) -> None:
        self.outlet.close()
        for reader in self._kept:
            reader.close()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    monkeypatch.setattr(settings, "current", Settings())
    meters.forget()
    lines = Lines()
    yield lines
    lines.close()


def numbered(number: int, size: int = 600) -> Frame:
    return frame.frame(f"{number} {'x' * size}", f"e-{number}")


def text(of: Frame) -> str:
    return of.decode().removesuffix("\n\n")


# ---- Who is slow -----------------------------------------------------------------------------------------------------


def test_every_message_is_whole_though_it_is_read_a_byte_at_a_time(lines: Lines) -> None:
    """simple-websocket sends once and forgets what was not taken: under gevent its reader meets half a frame here."""
    line, reader = lines.open(_FEW_BYTES)
    sent = [numbered(number, 20_000) for number in range(30)]
    for each in sent:
        line.send(each)
        reader.read(1)
        line.probe()  # a ping comes in between two frames, and never in the middle of one
    assert lines.outlet._blocked, "the sockets took everything: this shows nothing"
    until(lambda: reader.read(1) or reader.read(4_000) or "resync" in reader.names)
    line.send(numbered(99))
    until(lambda: reader.read(1) or len(reader.texts) > 1 and reader.texts[-1] == text(numbered(99)))
    whole = [text(each) for each in (*sent, _RESYNC, numbered(99))]
    assert [got for got in reader.texts if got not in whole] == []
    assert reader.texts[-2:] == whole[-2:]
    assert line.resyncs == 1


def test_a_slow_reader_gets_the_frame_begun_then_one_resync_then_what_is_new(lines: Lines) -> None:
    line, reader = lines.open()
    line.send(numbered(0, _LARGE))
    for number in range(1, 100):
        line.send(numbered(number))
    until(lambda: "resync" in reader.names, reader)
    line.send(numbered(100))
    until(lambda: len(reader.texts) == 3, reader)
    assert reader.texts == [text(each) for each in (numbered(0, _LARGE), _RESYNC, numbered(100))]


def test_what_a_slow_reader_says_is_not_answered_in_the_middle_of_a_frame(lines: Lines) -> None:
    line, reader = lines.open()
    line.send(numbered(0, _LARGE))
    reader.say(Ping(b"are you there?"))
    reader.say(TextMessage("hello?"))
    until(lambda: meters.counted("socket_messages_total") == 1)
    until(lambda: "resync" in reader.names, reader)
    assert reader.texts == [text(numbered(0, _LARGE)), text(_RESYNC)]


def test_the_backlog_of_a_stuck_reader_does_not_grow(lines: Lines) -> None:
    line, _ = lines.open()
    line.send(numbered(0, _LARGE))
    frames = [numbered(number, 10_000) for number in range(200)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for each in frames * 10:
            line.send(each)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


def test_who_takes_no_byte_for_too_long_is_cut_off(lines: Lines, set_to: Callable[..., None]) -> None:
    line, reader = lines.open()
    line.send(numbered(0, _LARGE))
    set_to(dead_peer_s=0.05)
    until(lambda: lines.outlet.drop_stuck() or not len(lines.outlet))
    until(lambda: reader.over, reader)
    assert reader.over == "reset"
    assert meters.counted("streams_dropped_total", reason="stuck") == 1


# ---- Who is there ----------------------------------------------------------------------------------------------------


def test_who_answers_pings_stays_and_who_does_not_is_dropped(lines: Lines, set_to: Callable[..., None]) -> None:
    set_to(socket_ping_s=0.0, dead_peer_s=2.0)
    (here, awake), (_, asleep) = lines.open(), lines.open()
    asleep.answers = False
    until(lambda: lines.outlet.probe() or len(lines.hub) == 1, awake, asleep)
    assert lines.hub.everyone() == [here]
    assert awake.pings > 1 and asleep.pings == 1
    assert meters.counted("streams_dropped_total", reason="silent") == 1


def test_who_has_been_heard_is_not_asked(lines: Lines, set_to: Callable[..., None]) -> None:
    set_to(socket_ping_s=30.0)
    _, reader = lines.open()
    for _ in range(3):
        lines.outlet.probe()
    reader.say(Ping(b"7"))
    until(lambda: reader.pongs, reader)
    assert (reader.pongs, reader.pings) == ([b"7"], 0)


# ---- What is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [TextMessage("acknowledge 7"), BytesMessage(b"\0\xff"), TextMessage("")], ids=["text", "bytes", "nothing"]
)
def test_whatever_is_said_gets_an_error_and_is_counted_and_nothing_else_happens(lines: Lines, said: object) -> None:
    line, reader = lines.open()
    reader.say(said)
    until(lambda: reader.texts, reader)
    assert reader.texts[0].startswith('event: error\ndata: {"why": "Nothing is taken on this line.')
    assert meters.counted("socket_messages_total") == 1
    line.send(numbered(1))
    until(lambda: len(reader.texts) == 2, reader)


def test_a_message_in_pieces_is_one_message(lines: Lines) -> None:
    _, reader = lines.open()
    reader.say(TextMessage("one ", message_finished=False))
    reader.say(TextMessage("message"))
    until(lambda: reader.texts, reader)
    assert meters.counted("socket_messages_total") == 1


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_message_that_is_too_long_ends_the_line(lines: Lines, set_to: Callable[..., None], pieces: int) -> None:
    set_to(socket_message_bytes=1_000)
    _, reader = lines.open()
    reader.say(TextMessage("x" * 1_000))
    until(lambda: reader.texts, reader)
    for _ in range(pieces):
        reader.say(TextMessage("x" * (1_001 // pieces + 1), message_finished=pieces == 1))
    until(lambda: reader.over, reader)
    assert reader.code == 1009
    assert len(lines.hub) == 0


@pytest.mark.parametrize("said", [TextMessage("a"), Ping(), Pong(), TextMessage("", message_finished=False)], ids=str)
def test_a_flood_ends_the_line(lines: Lines, said: object) -> None:
    line, reader = lines.open()
    for _ in range(20):
        reader.say(said)
    until(lambda: line._said == 20, reader)
    line.probe()
    for _ in range(21):
        reader.say(said)
    until(lambda: reader.over, reader)
    assert reader.code == 1008


@pytest.mark.parametrize(
    ("nonsense", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # a bit of an extension that was never negotiated
        (b"\x83\x80\0\0\0\0", 1002),  # a kind that there is not
        (b"\x89\xfe\x01\x00\0\0\0\0", 1002),  # a ping of 256 bytes
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # 2^64 - 1 bytes
        (b"\x81\x82\0\0\0\0\xff\xff", 1007),  # no UTF-8
        (b"\x80\x80\0\0\0\0", 1002),  # goes on with what has not begun
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
def test_nonsense_ends_the_line_and_says_why(lines: Lines, nonsense: bytes, code: int) -> None:
    _, reader = lines.open()
    reader.socket.send(nonsense)
    until(lambda: reader.over, reader)
    assert (reader.code, len(lines.hub)) == (code, 0)


def test_a_message_that_says_it_is_huge_costs_nothing_but_its_line(lines: Lines) -> None:
    _, reader = lines.open()
    reader.socket.send(b"\x81\xff" + (2**62).to_bytes(8, "big") + b"\0\0\0\0" + b"x" * 5_000)
    until(lambda: reader.over, reader)
    assert reader.code == 1009


# ---- How it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [RESTART, SIGNED_OUT])
def test_last_words_are_followed_by_the_reason(lines: Lines, code: int) -> None:
    line, reader = lines.open()
    line.close(frame.auth("session ended"), code)
    line.send(numbered(1))
    line.close(frame.auth("again"), code)
    until(lambda: reader.over, reader)
    assert (reader.texts, reader.code, reader.over) == ([text(frame.auth("session ended"))], code, "closed")
    assert len(lines.hub) == 0


def test_what_the_reader_was_saying_does_not_take_our_goodbye_back(lines: Lines) -> None:
    """A socket that is closed while something in it is unread is reset, and what the peer has not read yet is lost."""
    line, reader = lines.open()
    for _ in range(10):
        reader.say(TextMessage("x" * 2_000))
    line.close(frame.auth("session ended"), SIGNED_OUT)
    until(lambda: reader.over, reader)
    assert (reader.code, reader.over) == (SIGNED_OUT, "closed")
    reader.close()
    until(lambda: not len(lines.outlet))


def test_who_never_closes_after_our_goodbye_is_closed(lines: Lines, set_to: Callable[..., None]) -> None:
    line, reader = lines.open()
    line.close(code=RESTART)
    until(lambda: reader.over, reader)
    lines.outlet.drop_stuck()
    assert len(lines.outlet) == 1
    set_to(dead_peer_s=0.01)
    until(lambda: lines.outlet.drop_stuck() or not len(lines.outlet))


def test_a_goodbye_is_answered(lines: Lines) -> None:
    _, reader = lines.open()
    reader.say_goodbye()
    until(lambda: reader.over, reader)
    assert (reader.code, len(lines.hub)) == (1000, 0)


def test_who_is_stuck_hears_no_last_word_but_is_ended(lines: Lines) -> None:
    line, reader = lines.open()
    line.send(numbered(0, _LARGE))
    line.close(frame.auth("session ended"), SIGNED_OUT)
    assert len(lines.outlet) == len(lines.hub) == 0
    until(lambda: reader.over, reader)
    assert (reader.texts, reader.code) == ([], None)


def _pair(receive_buffer_bytes: int) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.socket()
        if receive_buffer_bytes:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        theirs.connect(listener.getsockname())
        ours, _ = listener.accept()
    return ours, theirs
