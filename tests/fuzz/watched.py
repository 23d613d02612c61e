"""Starts the real server, which also tells how it fares: `python -m tests.fuzz.watched`, the file `watch` beside it.

The file holds three numbers: the longest turn of the loop since the file was last wiped, in seconds of the clock and of
the processor, and the greenlets alive (counted when asked by SIGUSR1). A turn is all that runs between two waits of the
loop for something to happen: whoever knocks meanwhile waits so long. The processor's seconds are those of all threads,
since the writer can hold the loop up, too; on a machine that has much else to do only they mean anything.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import gc
import mmap
import os
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import gevent
from greenlet import greenlet

import app

LAYOUT = struct.Struct("ddd")


@dataclass(frozen=True)
class Watch:
    """`longest_s`, `longest_cpu_s`: of one turn of the loop; `greenlets`: negative until they have been counted."""

    longest_s: float
    longest_cpu_s: float
    greenlets: float


class WatchFile:
    """One file, looked at by two processes. `wipe()` before what is to be watched, `read()` after it."""

    def __init__(self, folder: Path) -> None:
        with os.fdopen(os.open(folder / "watch", os.O_RDWR | os.O_CREAT), "r+b") as file:
            file.truncate(LAYOUT.size)
            self._shared = mmap.mmap(file.fileno(), LAYOUT.size)

    def wipe(self) -> None:
        self.write(Watch(0.0, 0.0, -1.0))

    def read(self) -> Watch:
        return Watch(*LAYOUT.unpack_from(self._shared))

    def write(self, watch: Watch) -> None:
        LAYOUT.pack_into(self._shared, 0, watch.longest_s, watch.longest_cpu_s, watch.greenlets)


def watch_the_loop(file: WatchFile) -> None:
    """The first thing after each wait and the last before the next one look at the clocks."""
    began, began_cpu = time.perf_counter(), time.process_time()

    def begin() -> None:
        nonlocal began, began_cpu
        began, began_cpu = time.perf_counter(), time.process_time()

    def end() -> None:
        took, took_cpu, told = time.perf_counter() - began, time.process_time() - began_cpu, file.read()
        if took > told.longest_s or took_cpu > told.longest_cpu_s:
            file.write(Watch(max(took, told.longest_s), max(took_cpu, told.longest_cpu_s), told.greenlets))

    loop = gevent.get_hub().loop
    after_waiting, before_waiting = loop.check(), loop.prepare()
    after_waiting.priority, before_waiting.priority = 2, -2
    after_waiting.start(begin)
    before_waiting.start(end)


def count_greenlets(file: WatchFile) -> None:
    gc.collect()
    alive = sum(isinstance(one, greenlet) and not one.dead for one in gc.get_objects())
    told = file.read()
    file.write(Watch(told.longest_s, told.longest_cpu_s, alive))


if __name__ == "__main__":
    told_in = WatchFile(Path(os.environ["HOSPITAL_INSTANCE"]))
    watch_the_loop(told_in)
    gevent.signal_handler(signal.SIGUSR1, count_greenlets, told_in)
    app.serve()
