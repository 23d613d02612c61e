"""A real server whose door is knocked at with bad inputs by the thousand, and what must be true all the while.

Judged after each batch: the process lives, nothing broke in it, every answer is one, no turn of its loop was too long.
If something is wrong, the batch is said again one by one until the input is found, which is kept as a file.
"""

import hashlib
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import psutil

from tests.fuzz.chance import Chance
from tests.fuzz.doors import Door, knock
from tests.fuzz.watched import Watch, WatchFile
from tests.support.alarms import alarm
from tests.support.server import Server
from tests.support.sse import Stream, until

WATCHED = ("-m", "tests.fuzz.watched")
KEPT = Path(__file__).parent / "kept"
LONGEST_TURN_S = 0.1
TOO_LONG = "a turn of the loop was too long"
_BATCH = 250
_AT_ONCE = 4
_BROKEN = re.compile(
    r"^hospital_(?:intake_failures_total|relay_failures_total|unrenderable_total|background_failures_total"
    r'|problems_total(?=\{status="500"))\b.* (?!0\.0$)(\S+)$',
    re.MULTILINE,
)
_numbers = count(1)


@dataclass(frozen=True)
class Input:
    """`name`: how to have it again: seed and number, or the file that it was kept in."""

    name: str
    pieces: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


@dataclass(frozen=True)
class Size:
    """Of the server: what must not grow."""

    megabytes: float
    descriptors: int
    greenlets: int


class Siege:
    """One server and one of its doors. `cookie`: of a nurse who looks on."""

    def __init__(self, server: Server, door: Door, cookie: str) -> None:
        self.longest = Watch(0, 0, -1)
        self._server, self._door, self._cookie = server, door, cookie
        self._process = psutil.Process(server.pid)
        self._watch = WatchFile(server.folder)
        self._log_read = len(server.log())
        self._counted = self._broken()
        self._watch.wipe()

    def feed(self, inputs: Iterator[Input]) -> list[str]:
        """All of them; what went wrong, with the inputs that did it."""
        with ThreadPoolExecutor(_AT_ONCE) as people:
            while batch := list(islice(inputs, _BATCH)):
                complaints = list(people.map(lambda one: knock(self._door, one.pieces), batch))
                symptom = self._symptoms()
                if symptom or any(complaints):
                    if culprits := self._culprits(batch):
                        return culprits
                    if symptom != TOO_LONG:  # that one can come of a hundred inputs at once, each of them harmless
                        return [
                            f"{symptom or set(complaints)}, but once: in {batch[0].name} and the {len(batch)} after it"
                        ]
        return []

    def prove_that_alarms_get_through(self) -> None:
        """A real alarm, from the gateway to a screen that is opened for it."""
        mark = f"mark-demo-MED-{next(_numbers)}"
        stream = Stream(self._server.port, self._cookie)
        until(lambda: stream.named("hello"), stream)
        answer = self._server.send(alarm(alert_id=mark, text=mark, bed="MED^^MED-01", priority="high"))
        assert b"MSA|CA|" in answer, answer
        until(lambda: mark.encode() in stream.raw, stream)
        stream.close()

    def size(self) -> Size:
        """When those who knocked have gone."""
        self._watch.wipe()
        self._server.signal(signal.SIGUSR1)
        until(lambda: self._watch.read().greenlets >= 0)
        greenlets = int(self._watch.read().greenlets)
        self._watch.wipe()
        return Size(self._process.memory_info().rss / 1e6, self._process.num_fds(), greenlets)

    def _culprits(self, batch: list[Input]) -> list[str]:
        found = []
        for one in batch:
            wrong = self._alone(one)
            if wrong:
                found.append(f"{one.name}, kept as {keep(self._door.name, one)}: {wrong}")
        return found

    def _alone(self, one: Input) -> str:
        """What it does when nothing else is going on. A long turn counts if it is long each time."""
        turns = []
        for _ in range(4):
            self._watch.wipe()
            wrong = knock(self._door, one.pieces)
            if wrong := self._symptoms(but_turns=True) or wrong:
                return wrong
            turns.append(self._watch.read().longest_cpu_s)
            if turns[-1] <= LONGEST_TURN_S:
                return ""
        return f"a turn of the loop took {min(turns):.2f} s of the processor"

    def _symptoms(self, *, but_turns: bool = False) -> str:
        if not self._server.is_running:
            self._server.start()
            self._log_read = len(self._server.log())
            return "the server died"
        told, log, broken = self._watch.read(), self._server.log()[self._log_read :], self._broken()
        self._log_read += len(log)
        before, self._counted = self._counted, broken
        if "Traceback" in log:
            return f"the log has a traceback: …{log[-1_500:]}"
        if broken - before:
            return f"it counts {sorted(broken - before)}; the log: …{log[-300:]}"
        if but_turns:
            return ""
        self._watch.wipe()
        self.longest = Watch(
            max(self.longest.longest_s, told.longest_s), max(self.longest.longest_cpu_s, told.longest_cpu_s), -1
        )
        return TOO_LONG if told.longest_cpu_s > LONGEST_TURN_S else ""

    def _broken(self) -> set[str]:
        with urllib.request.urlopen(f"{self._server.url}/internal/metrics", timeout=30) as answer:
            return {found[0] for found in _BROKEN.finditer(answer.read().decode())}


def made(door: str, seed: int, numbers: range, make: Callable[[Chance], list[bytes]]) -> Iterator[Input]:
    for number in numbers:
        chance = Chance(seed, door, number)
        yield Input(f"FUZZ_SEED={seed} FUZZ_FIRST={number}", make(chance))


def kept(door: str) -> Iterator[Input]:
    """What has once been found stays, and comes first."""
    for file in sorted(KEPT.glob(f"{door}-*")):
        yield Input(f"the file {file.name}", [file.read_bytes()])


def keep(door: str, one: Input) -> str:
    file = KEPT / f"{door}-{hashlib.sha256(one.data).hexdigest()[:12]}"
    file.write_bytes(one.data)
    return file.name
