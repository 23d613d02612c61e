"""One fault at a time, to the product as it is: nothing is lost, nothing twice, and no screen is stale in silence."""

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.checker import told
from tests.faults.conftest import NewFloor
from tests.faults.floor import Floor, twisted
from tests.support.needs import need
from tests.support.network import Firewall, in_own_network

pytestmark = pytest.mark.slow


def is_content(floor: Floor) -> None:
    floor.settle(20)
    verdicts = floor.verdicts()
    assert verdicts == [], told(verdicts)


# ---- The process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["before-commit", "after-commit", "mid-frame"])
def test_killed_at_this_point_nothing_accepted_is_lost_and_nothing_is_there_twice(
    new_floor: NewFloor, point: str
) -> None:
    floor = new_floor("points")
    floor.open("nurse", "charge", "nurse-icu", each=3)
    floor.alarm()
    floor.arm(point)
    with beside(lambda: floor.alarm()):
        floor.server.ended()
        floor.fault("restart")
        floor.server.start(*twisted("points"))
    is_content(floor)


def test_killed_in_mid_replay_the_next_server_replays_it_whole(new_floor: NewFloor) -> None:
    floor = new_floor("points")
    wire = floor.proxy()
    floor.open("nurse", "charge", each=3, port=wire.port)
    floor.alarm()
    floor.fault("lines cut")
    wire.refuse()
    missed = [floor.alarm() for _ in range(3)]
    floor.presser("nurse").press(floor.alert_id(missed[0]))
    floor.arm("mid-replay")
    wire.accept()
    floor.server.ended()
    floor.fault("restart")
    floor.server.start(*twisted("points"))
    is_content(floor)


def test_a_server_that_stands_still_makes_every_screen_stale_and_loses_nothing(new_floor: NewFloor) -> None:
    floor = new_floor()
    screens = floor.open("nurse", "charge", each=3)
    floor.fault("SIGSTOP of the server")
    floor.server.signal(signal.SIGSTOP)
    try:
        with beside(lambda: floor.alarm()):
            floor.crowd.wait(lambda: {screen.state for screen in screens} == {"stale"})
            floor.fault("SIGCONT")
            floor.server.signal(signal.SIGCONT)
    finally:
        floor.server.signal(signal.SIGCONT)
    is_content(floor)


def test_a_clock_that_jumps_an_hour_either_way_changes_nothing_of_what_is_promised(new_floor: NewFloor) -> None:
    floor = new_floor("clock_by_signal")
    floor.open("nurse", "charge", each=2)
    ends = [floor.sign_in("nurse") for _ in range(2)]
    for seat, turn in zip(ends, (signal.SIGUSR1, signal.SIGUSR2), strict=True):
        (screen,) = floor.crowd.open(seat)
        floor.crowd.wait(lambda screen=screen: screen.state == "live")  # type: ignore[misc]
        alert = floor.alert_id(floor.alarm())
        floor.fault("the clock turned")
        floor.server.signal(turn)
        floor.presser("nurse").press(alert)
        floor.sign_out(seat)
        floor.alarm()
        floor.crowd.wait(lambda screen=screen: screen.state == "signed-out")  # type: ignore[misc]
    is_content(floor)


# ---- The network -----------------------------------------------------------------------------------------------------


def test_whatever_the_network_does_nothing_is_lost_and_no_screen_lies(new_floor: NewFloor) -> None:
    """Seven screens, each behind a network that is bad in a way of its own, all at once."""
    floor = new_floor()
    reset, swallowed, dripping, cut, held, far, fine = (floor.proxy() for _ in range(7))
    for wire in (reset, swallowed, dripping, cut, held, far, fine):
        floor.open("nurse", port=wire.port)
    floor.fault("reset, half-open, one byte at a time, cut in mid-frame, held back, far", for_s=8)
    dripping.piece_bytes, far.delay_s = 1, 0.4
    swallowed.swallow()
    names = []
    for offset in (1, 30, 400, 1_500):
        reset.reset()
        cut.cut_after(offset)
        held.hold()
        names.append(floor.alarm())
        floor.presser("nurse").press(floor.alert_id(names[-1]))
        held.release()
    floor.settle(10)
    dripping.piece_bytes, far.delay_s = 0, 0.0
    is_content(floor)
    assert floor.crowd.screens[1].connects > 1, "the half-open line was given up"


def test_who_switches_between_stream_and_socket_loses_nothing_and_gets_nothing_twice(new_floor: NewFloor) -> None:
    floor = new_floor()
    screens = floor.open("nurse", "charge", each=3) + floor.open("nurse", "nurse-icu", each=3, transport="socket")
    floor.fault("every screen switches, again and again", for_s=8)
    for way in ("socket", "stream", "socket"):
        for screen in screens:
            floor.crowd.do(lambda screen=screen, way=way: screen.switch(way))  # type: ignore[misc]
            floor.alarm()
        floor.presser("nurse").press(floor.alert_id(floor.alarm()))
    is_content(floor)
    assert all(screen.connects > 2 for screen in screens)


def test_packets_that_vanish_make_screens_stale_and_lose_nothing(new_floor: NewFloor) -> None:
    def run(firewall: Firewall) -> None:
        floor = new_floor()
        screens = floor.open("nurse", "charge", each=2)
        floor.fault("packets dropped")
        firewall.drop(floor.server.port)
        floor.alarm()
        floor.crowd.wait(lambda: {screen.state for screen in screens} == {"stale"})
        firewall.heal()
        floor.fault("packets pass again")
        is_content(floor)

    in_own_network(run)


# ---- The disk --------------------------------------------------------------------------------------------------------


def test_on_a_full_disk_nothing_is_accepted_and_nothing_accepted_is_lost(new_floor: NewFloor, small_disk: Path) -> None:
    floor = new_floor(folder=small_disk)
    floor.open("nurse", "charge", each=2)
    alert = floor.alert_id(floor.alarm())
    floor.fault("disk full")
    ballast = small_disk / "ballast"
    fill(ballast)
    with beside(lambda: floor.alarm()), beside(lambda: floor.presser("nurse").press(alert)):
        floor.crowd.wait(lambda: "cannot take a message now" in floor.server.log(), why="the disk was never full")
        assert {screen.state for screen in floor.crowd.screens} == {"live"}, "what is there can still be read"
        ballast.unlink()
        floor.fault("room again")
    is_content(floor)


def test_a_locked_database_is_waited_for_or_not_answered(new_floor: NewFloor) -> None:
    floor = new_floor()
    floor.open("nurse", "charge", each=2)
    floor.fault("database locked", for_s=8)
    with closing(sqlite3.connect(floor.server.folder / "hospital.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with beside(lambda: floor.alarm()):
            floor.crowd.wait(lambda: "cannot take a message now" in floor.server.log(), why="it was never refused")
            other.execute("ROLLBACK")
    is_content(floor)


# ---- How it is done --------------------------------------------------------------------------------------------------


@contextmanager
def beside(what: "object") -> Iterator[None]:
    """Do this beside the block; both have ended after it."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            what()  # type: ignore[operator]
        except BaseException as error:  # raised after the block
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive(), "it never ended"
    if failures:
        raise failures[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 4 MB."""
    need(True if os.geteuid() == 0 else None, "root: a disk of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True)
    need(None if mounted.returncode else True, "a tmpfs can be mounted")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Until there is no byte left."""
    with file.open("wb", buffering=0) as out:
        for size in (65_536, 512):
            try:
                while out.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
