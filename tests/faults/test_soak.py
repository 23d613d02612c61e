"""What takes longer than a test may: a kill -9 under thousands of screens, ten minutes of even load, many storms.

SOAK_FLAT_S (600) and SOAK_STORMS_S (1200) say for how long, in seconds; a storm that fails tells its FAULTS_SEED.
"""

import os
import random
import re
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count, cycle, islice

import psutil
import pytest

from tests.faults.checker import told
from tests.faults.conftest import NewFloor
from tests.faults.floor import Floor, Going
from tests.faults.storm import TWISTS, Storm
from tests.support.screen import Screen

PEOPLE = ("nurse", "nurse2", "charge", "physician")
FLAT_FOR_S = float(os.environ.get("SOAK_FLAT_S", "600"))
STORMS_FOR_S = float(os.environ.get("SOAK_STORMS_S", "1200"))
STORM_S = 75.0
FRAMES_PER_S = 10.0
WARM_UP_S = 120.0


def a_crowd(floor: Floor, how_many: int, **how: object) -> list[Screen]:
    """So many screens, whose people's pages are fetched once for each."""
    pages = {name: floor.page_of(floor.seat(name)) for name in PEOPLE}
    names = list(islice(cycle(PEOPLE), how_many))
    made: list[Screen] = []
    for name in PEOPLE:
        how_many_of = names.count(name)
        made += floor.crowd.open(floor.seat(name), how_many_of, page=pages[name], every_s=0.05, **how)  # type: ignore[arg-type]
    floor.crowd.wait(lambda: all(screen.state == "live" for screen in made), 240, "not all live")
    return made


# ---- kill -9 ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_killed_under_hundreds_of_screens_all_are_live_again_in_time(new_floor: NewFloor) -> None:
    comes_back(new_floor(quick=False), how_many=400, outage_s=0, within_s=30)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("outage_s", "within_s"), [(5, 30), (60, 40)])
def test_killed_under_five_thousand_screens_all_are_live_again_in_time(
    new_floor: NewFloor, outage_s: float, within_s: float
) -> None:
    floor = new_floor(quick=False, on_processor=0)
    floor.crowd.stay_on(1)
    comes_back(floor, how_many=5_000, outage_s=outage_s, within_s=within_s)


def comes_back(floor: Floor, *, how_many: int, outage_s: float, within_s: float) -> None:
    screens = a_crowd(floor, how_many)
    first = floor.alarm()
    floor.settle(30)
    floor.fault(f"kill -9 for {outage_s} s", for_s=outage_s + within_s)
    floor.server.kill()
    down_at = time.monotonic()
    floor.crowd.wait(lambda: time.monotonic() - down_at >= outage_s, outage_s + 5)
    floor.server.start()
    ready_at = time.monotonic()
    floor.alarm()
    floor.presser("nurse").press(floor.alert_id(first))
    back = live_after(screens, ready_at, within_s * 3)
    print(f"\n{how_many} screens, down for {ready_at - down_at:.1f} s: LIVE again after {_spread(back)} s")
    floor.settle(30)
    verdicts = floor.verdicts()
    assert verdicts == [], told(verdicts)
    assert max(back) <= within_s


def live_after(screens: list[Screen], since: float, within_s: float) -> list[float]:
    """For each screen how many seconds it took to be LIVE."""
    back: dict[str, float] = {}
    while len(back) < len(screens) and time.monotonic() - since < within_s:
        for screen in screens:
            if screen.state == "live" and screen.name not in back:
                back[screen.name] = time.monotonic() - since
        time.sleep(0.05)
    return sorted(back.values()) + [within_s] * (len(screens) - len(back))


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} (half), {times[int(len(times) * 0.99)]:.1f} (99 %), {max(times):.1f} (all)"


# ---- Flat ------------------------------------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.timeout(FLAT_FOR_S + 600)
def test_under_an_even_load_memory_descriptors_and_greenlets_stay_flat(new_floor: NewFloor) -> None:
    """10 frames a second to 1,000 screens, of which 5 % come and go each minute; 20 of them are judged."""
    floor = new_floor("count_by_signal", quick=False, on_processor=0)
    floor.crowd.stay_on(1)
    server = psutil.Process(floor.server.pid)
    floor.open("nurse", each=1)
    before = (server.num_fds(), server.num_threads(), greenlets(floor))
    floor.open("nurse", "charge", each=10)
    others = a_crowd(floor, 980, history=None)
    names = [floor.alarm() for _ in range(12)]
    values = count(60)
    beds = cycle(names)

    def update() -> None:
        name, value = next(beds), next(values)
        floor.hand_in(name, floor.message(name, control_id=f"{name}-{value}", value=str(60 + value % 30)))

    def come_and_go() -> None:
        gone, others[:] = others[:10], others[10:]
        floor.crowd.leave(gone)
        others.extend(floor.crowd.open(floor.seat("nurse"), 10, page=floor.page_of(floor.seat("nurse")), history=None))

    going = [Going(update, at_a_pace(FRAMES_PER_S)), Going(come_and_go, lambda: 12.0)]
    memory = list(watch_memory(server, FLAT_FOR_S))
    for one in going:
        one.stop()
    slope = slope_a_minute([(at, size) for at, size in memory if at > min(WARM_UP_S, FLAT_FOR_S / 3)])
    print(f"\n{next(values) - 60} frames; {memory[0][1]:.1f} → {memory[-1][1]:.1f} MB, {slope:+.2f} MB a minute")
    floor.settle(30)
    floor.crowd.leave(list(floor.crowd.screens)[1:])
    floor.crowd.wait(lambda: server.num_fds() <= before[0] + 2, 30, f"{server.num_fds()} descriptors, {before} before")
    after = (server.num_fds(), server.num_threads(), greenlets(floor))
    print(f"descriptors, threads, greenlets: {before} before, {after} after")
    assert slope <= 1.0
    assert after[1] <= before[1] + 2 and after[2] <= before[2] + 5
    verdicts = floor.verdicts()
    assert verdicts == [], told(verdicts)


def at_a_pace(per_s: float) -> Callable[[], float]:
    """How long to wait before each turn, so that they come as often as that however long each takes."""
    began, turns = time.monotonic(), count(1)
    return lambda: max(0.0, began + next(turns) / per_s - time.monotonic())


def watch_memory(server: psutil.Process, for_s: float) -> Iterator[tuple[float, float]]:
    """Seconds since the start, MB."""
    began = time.monotonic()
    while (at := time.monotonic() - began) < for_s:
        yield at, server.memory_info().rss / 1e6
        time.sleep(min(5.0, for_s / 20))


def slope_a_minute(points: list[tuple[float, float]]) -> float:
    slope, _ = statistics.linear_regression(*zip(*points, strict=True))
    return slope * 60


def greenlets(floor: Floor) -> int:
    told_in = floor.server.folder / "greenlets"
    told_in.unlink(missing_ok=True)
    floor.server.signal(signal.SIGUSR1)
    floor.crowd.wait(lambda: told_in.exists() and re.fullmatch(r"\d+", told_in.read_text()))
    return int(told_in.read_text())


# ---- Storms ----------------------------------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.timeout(STORMS_FOR_S + 600)
def test_storm_after_storm_nothing_is_lost_and_no_screen_lies(new_floor: NewFloor) -> None:
    until = time.monotonic() + STORMS_FOR_S
    while time.monotonic() < until:
        seed = random.randrange(1_000_000)
        floor = new_floor(*TWISTS, quick=False, HOSPITAL_BEAT_S="2")
        storm = Storm(floor, seed, screens=120)
        storm.blow(STORM_S)
        print(f"\nFAULTS_SEED={seed} {storm.counts}")
        verdicts = floor.verdicts()
        assert verdicts == [], f"FAULTS_SEED={seed}\n{told(verdicts)}"
        floor.close()
        floor.server.stop()
