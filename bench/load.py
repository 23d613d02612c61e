"""Drives load.c: compiles it, opens screens, and hears when a frame is on all of them."""

import json
import os
import select
import subprocess
import time
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench import machine

_SOURCE = Path(__file__).with_name("load.c")


class Lost(Exception):
    """A frame did not reach every open screen in time, or a screen did not open."""


def compiled(folder: Path) -> Path:
    """The load client, made from its source."""
    made = folder / "load"
    subprocess.run(["gcc", "-O2", "-o", str(made), str(_SOURCE)], check=True)
    return made


class Load:
    """Screens on one server.

    `ready`: the bytes after which a screen is open; `say`: what it says when the answer's head is there.
    """

    def __init__(
        self,
        program: Path,
        port: int,
        requests: Iterable[str],
        *,
        ready: str = "event: hello",
        say: bytes = b"",
        keeps_protocol: bool = False,
    ) -> None:
        self._folder = program.parent
        asked = self._folder / f"requests-{port}"
        asked.write_bytes(b"".join(request.encode() + b"\0" for request in requests))
        how = ("127.0.0.1", str(port), str(asked), ready, say.hex(), str(int(keeps_protocol)))
        command = [*machine.on_core(machine.LOAD_CORE), str(program), *how]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._read = b""

    def give_way(self) -> None:
        """From now on whatever else runs on the load's core comes first."""
        os.setpriority(os.PRIO_PROCESS, self._process.pid, 19)

    def open(self, screens: int, per_s: float, within_s: float = 120.0) -> None:
        """Open so many more, and wait until all are. Raises Lost."""
        expected = self.count()["open"] + screens
        self.order(f"open {screens} {per_s}")
        until = time.monotonic() + screens / per_s + within_s
        while (count := self.count())["open"] < expected:
            if time.monotonic() > until:
                refused = f"{count['refused']} were refused ({count['refusal']})"
                raise Lost(f"{count['open']} of {expected} screens are open, {refused}")
            time.sleep(0.05)

    def count(self) -> dict[str, Any]:
        self.order("count")
        return self._answer("open")

    def opened_ms(self) -> list[float]:
        """How long each opening took, from when it was due, in ms."""
        self.order("opened")
        return sorted(self._answer("ms")["ms"])

    def full(self, number: int, within_s: float = 30.0) -> dict[str, int]:
        """When frame `number` was on the first and on the last screen, in ns of the monotonic clock. Raises Lost."""
        until = time.monotonic() + within_s
        while (told := self._answer("full", until))["full"] < number:
            pass
        return told

    def delivered(self) -> list[tuple[int, int, int]]:
        """(number, screen, ns) of each delivery since this was last asked."""
        file = self._folder / "deliveries"
        self.order(f"latencies {file}")
        self._answer("written")
        words = array("Q", file.read_bytes())
        return [(words[i] & 0xFFFFFFFF, words[i] >> 32, words[i + 1]) for i in range(0, len(words), 2)]

    def order(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n".encode())
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self, key: str, until: float | None = None) -> dict[str, Any]:
        """The next object that has this key; those before it are dropped."""
        until = until or time.monotonic() + 30.0
        while True:
            while b"\n" in self._read:
                line, _, self._read = self._read.partition(b"\n")
                told: dict[str, Any] = json.loads(line)
                if key in told:
                    return told
            self._more(key, until)

    def _more(self, key: str, until: float) -> None:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
            raise Lost(f"the load client did not tell {key!r} in time")
        data = self._process.stdout.raw.read(1 << 16)  # type: ignore[attr-defined]
        if not data:
            raise Lost("the load client has ended")
        self._read += data
