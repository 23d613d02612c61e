"""The load client counts what comes, however it is cut, and comes back as a browser does."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import machine
from bench.load import Load, Lost, compiled
from tests.support.needs import need

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
_HELLO = b'event: hello\ndata: {"cursor": "e-1", "replay": false}\n\n'

NewLoad = Callable[..., Load]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = machine.missing()
    need(None if missing else True, ", ".join(missing))
    return compiled(tmp_path_factory.mktemp("load"))


class Door:
    """Where the load client knocks; keeps who has come in."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(10)
        self.port: int = self._listening.getsockname()[1]
        self._screens: list[socket.socket] = []

    def next(self) -> tuple[socket.socket, str]:
        """The next screen and what it asked."""
        screen, _ = self._listening.accept()
        self._screens.append(screen)
        screen.settimeout(10)
        screen.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += screen.recv(4096)
        return screen, asked.decode()

    def let_in(self, load: Load, screens: int) -> list[socket.socket]:
        load.order(f"open {screens} 1000")
        inside = [self.next()[0] for _ in range(screens)]
        for screen in inside:
            screen.sendall(_HEAD + _HELLO)
        until(lambda: load.count()["open"] == screens)
        return inside

    def close(self) -> None:
        for one in (self._listening, *self._screens):
            one.close()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


@pytest.fixture
def new_load(program: Path, door: Door, tmp_path: Path) -> Iterator[NewLoad]:
    loads: list[Load] = []

    def start(**how: bool) -> Load:
        mine = Path(shutil.copy(program, tmp_path))
        loads.append(Load(mine, door.port, ["GET /a HTTP/1.1\r\n", "GET /b HTTP/1.1\r\n"], **how))
        return loads[-1]

    yield start
    for load in loads:
        load.close()


def frame(number: int) -> bytes:
    return f'event: frame\nid: e-{number}\ndata: <article data-version="{number}">x</article>\n\n'.encode()


def until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at


def test_a_frame_is_full_when_the_last_screen_has_it(new_load: NewLoad, door: Door) -> None:
    load = new_load()
    first, last = door.let_in(load, 2)
    first.sendall(frame(7))
    with pytest.raises(Lost):
        load.full(7, within_s=0.2)
    before = time.monotonic_ns()
    last.sendall(frame(7))
    told = load.full(7)
    assert told["first"] < before <= told["last"]
    assert [number for number, _, _ in load.delivered()] == [7, 7]


def test_a_frame_that_comes_byte_by_byte_is_counted_once(new_load: NewLoad, door: Door) -> None:
    load = new_load()
    screens = door.let_in(load, 2)
    for byte in frame(12) + frame(13):
        for screen in screens:
            screen.sendall(bytes([byte]))
    load.full(13)
    assert sorted(number for number, _, _ in load.delivered()) == [12, 12, 13, 13]
    assert load.count()["repeats"] == 0


def test_screens_take_the_requests_in_turn(new_load: NewLoad, door: Door) -> None:
    new_load().order("open 3 1000")
    assert sorted(door.next()[1].split()[1] for _ in range(3)) == ["/a", "/a", "/b"]


def test_a_refused_screen_is_not_open(new_load: NewLoad, door: Door) -> None:
    load = new_load()
    load.order("open 1 1000")
    screen, _ = door.next()
    screen.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n")
    until(lambda: load.count()["refused"] == 1)
    assert load.count()["open"] == 0


def test_who_keeps_the_protocol_comes_back_with_its_cursor(new_load: NewLoad, door: Door) -> None:
    load = new_load(keeps_protocol=True)
    first, _ = door.let_in(load, 2)
    first.sendall(frame(21))
    until(lambda: load.count()["deliveries"] == 1)
    first.close()
    screen, asked = door.next()
    assert "Last-Event-ID: e-21\r\n" in asked
    screen.sendall(_HEAD + b'event: hello\ndata: {"cursor": "e-22", "replay": true}\n\n')
    assert load.count()["open"] == 1  # not before the replay
    screen.sendall(frame(22))
    until(lambda: load.count()["open"] == 2)


def test_who_keeps_the_protocol_waits_as_long_as_it_is_told(new_load: NewLoad, door: Door) -> None:
    load = new_load(keeps_protocol=True)
    load.order("open 1 1000")
    screen, _ = door.next()
    screen.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n")
    refused = time.monotonic()
    door.next()
    assert time.monotonic() - refused >= 1.0
