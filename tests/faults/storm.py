"""A random hour in a bad ward, in a minute: alarms, people, screens that come and go, and several faults at once.

The same seed gives the same plan; what the machine makes of it differs each time.
"""

import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from tests.faults.floor import Floor, Going, twisted
from tests.faults.tabs import Tabs
from tests.support.proxy import Proxy
from tests.support.screen import Screen, Seat

POINTS = ("before-commit", "after-commit", "mid-replay", "mid-frame")
TWISTS = ("points", "clock_by_signal")
_PLACES = (("MED", "demo"), ("MED", "demo"), ("ICU", "demo"), ("MED", "demo-b"))
_WATCHERS = ("nurse", "nurse2", "nurse-icu", "charge", "physician", "nurse-b")
_NURSES_OF = {("MED", "demo"): ("nurse", "nurse2"), ("ICU", "demo"): ("nurse-icu",), ("MED", "demo-b"): ("nurse-b",)}


class Storm:
    """One storm over a floor whose server was started with TWISTS. `tabs`: in the caller's thread, if any."""

    def __init__(self, floor: Floor, seed: int, *, screens: int = 40, tabs: Tabs | None = None) -> None:
        self.floor, self.tabs = floor, tabs
        self._chance = random.Random(seed)
        self._screens = screens
        self._wires = [floor.proxy() for _ in range(4)]
        self._raised: list[tuple[str, tuple[str, str]]] = []
        self.counts: dict[str, int] = {}
        for nurses in _NURSES_OF.values():
            for name in nurses:
                floor.presser(name)  # loads the page while the server is there

    def blow(self, for_s: float) -> None:
        """Everything at once; then peace, in which all must come right."""
        self._come(self._screens)
        going = [
            Going(self._alarm, lambda: self._chance.uniform(0.1, 0.8)),
            Going(lambda: self._act("nurse", "nurse-icu", "nurse-b"), lambda: self._chance.uniform(0.2, 1.0)),
            Going(lambda: self._act("nurse2"), lambda: self._chance.uniform(0.2, 1.0)),
            Going(self._come_and_go, lambda: self._chance.uniform(1, 3)),
        ]
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            self._pause(self._chance.uniform(1, 4))
            self._one_fault()
        for wire in self._wires:
            self._heal(wire)
        for one in going:
            one.stop()
        self.floor.settle(60)
        if self.tabs is not None:
            self.tabs.wait("live")
            self.tabs.pump(1)

    # ---- What people and monitors do ---------------------------------------------------------------------------------

    def _alarm(self) -> None:
        unit, hospital = self._chance.choice(_PLACES)
        name = self.floor.alarm(unit, hospital, priority=self._chance.choice(("high", "medium")))
        self._raised.append((name, (unit, hospital)))
        self._count("alarms")

    def _act(self, *people: str) -> None:
        """Someone takes an alarm of theirs; now and then one is resolved, so that the list does not only grow."""
        mine = [(name, place) for name, place in self._raised[-12:] if set(_NURSES_OF[place]) & set(people)]
        if not mine:
            return
        name, place = self._chance.choice(mine)
        person = self._chance.choice([one for one in people if one in _NURSES_OF[place]])
        wire = self._chance.choice([None, *self._wires])
        presser = self.floor.presser(person, wire.port if wire else 0)
        act = self._chance.choice(("acknowledgement", "acknowledgement", "resolution"))
        self._count(f"{act} {presser.press(self.floor.alert_id(name), act)}")

    def _come_and_go(self) -> None:
        screens = list(self.floor.crowd.screens)
        leaving: list[Screen] = self._chance.sample(screens, min(3, len(screens)))
        self.floor.crowd.leave(leaving)
        self._come(len(leaving))
        if self._chance.random() < 0.2:
            self._end_a_session()

    def _come(self, how_many: int) -> None:
        for _ in range(how_many):
            wire = self._chance.choice([None, *self._wires])
            name = self._chance.choice(_WATCHERS)
            way = self._chance.choice(("stream", "stream", "socket"))
            self.floor.crowd.open(self.floor.seat(name), port=wire.port if wire else 0, transport=way)

    def _end_a_session(self) -> None:
        """A person signs in, looks for a moment, and signs out under their open screen."""
        try:
            seat: Seat = self.floor.sign_in("nurse")
            self.floor.crowd.open(seat)
            self.floor.sign_out(seat)
        except (OSError, IndexError, AssertionError):  # the server was away: then nobody signed in or out
            return
        self._count("sign-outs")

    # ---- What goes wrong ---------------------------------------------------------------------------------------------

    def _one_fault(self) -> None:
        faults: list[Callable[[], None]] = [
            *(self._reset, self._hold, self._swallow, self._cut, self._drip, self._delay, self._refuse),
            *(self._kill, self._stop, self._lock, self._turn_the_clock, self._switch),
        ]
        if self.tabs is not None:
            faults.append(self._freeze)
        fault = self._chance.choice(faults)
        self.floor.fault(fault.__name__.strip("_").replace("_", " "), for_s=8)
        self._count(fault.__name__.strip("_"))
        fault()

    def _reset(self) -> None:
        self._wire().reset()

    def _switch(self) -> None:
        """Some screens go on by the other transport."""
        way = self._chance.choice(("stream", "socket"))
        some = self._chance.sample(screens := list(self.floor.crowd.screens), len(screens) // 3)
        for screen in some:
            self.floor.crowd.do(lambda screen=screen: screen.switch(way))  # type: ignore[misc]

    def _swallow(self) -> None:
        self._wire().swallow()

    def _cut(self) -> None:
        self._wire().cut_after(self._chance.choice((1, 17, 300, 1_200)))

    def _hold(self) -> None:
        wire = self._wire()
        wire.hold()
        self._pause(self._chance.uniform(0.5, 5))
        wire.release()

    def _drip(self) -> None:
        self._wire().piece_bytes = 1

    def _delay(self) -> None:
        self._wire().delay_s = self._chance.uniform(0.05, 1)

    def _refuse(self) -> None:
        wire = self._wire()
        wire.refuse()
        self._pause(self._chance.uniform(0.5, 4))
        wire.accept()

    def _kill(self) -> None:
        """At a named point, if one is reached soon; else anywhere."""
        self.floor.arm(self._chance.choice(POINTS))
        until = time.monotonic() + 2
        while self.floor.server.is_running and time.monotonic() < until:
            self._pause(0.05)
        if self.floor.server.is_running:
            self.floor.server.kill()
        for file in self.floor.server.folder.glob("armed-*"):
            file.unlink()
        self._pause(self._chance.uniform(0, 3))
        self.floor.server.start(*twisted(*TWISTS))

    def _stop(self) -> None:
        self.floor.server.signal(signal.SIGSTOP)
        self._pause(self._chance.uniform(0.5, 5))
        self.floor.server.signal(signal.SIGCONT)

    def _lock(self) -> None:
        with closing(sqlite3.connect(self.floor.server.folder / "hospital.db", isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout = 2000")
            other.execute("BEGIN IMMEDIATE")
            self._pause(self._chance.uniform(0.5, 6))
            other.execute("ROLLBACK")

    def _turn_the_clock(self) -> None:
        for number in self._chance.sample((signal.SIGUSR1, signal.SIGUSR2), 2):
            self.floor.server.signal(number)
            self._pause(self._chance.uniform(0.5, 2))

    def _freeze(self) -> None:
        assert self.tabs is not None
        self.tabs.freeze(self._chance.uniform(1, 4))

    def _wire(self) -> Proxy:
        """One of the networks; what was wrong with it is over."""
        wire = self._chance.choice(self._wires)
        self._heal(wire)
        return wire

    def _heal(self, wire: Proxy) -> None:
        wire.release()
        wire.accept()
        wire.piece_bytes, wire.delay_s = 0, 0.0

    def _pause(self, for_s: float) -> None:
        if self.tabs is not None:
            self.tabs.pump(for_s)
        else:
            time.sleep(for_s)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
