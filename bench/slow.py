"""One of 1,000 screens stops reading for a minute: what the others notice, and how it comes back."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.crowd import OPENED_PER_S, quantile
from bench.load import Load
from bench.servers import Ours
from tests.support.sse import Stream, greeted, until

_OTHERS = 999
_EVERY_S = 0.1
_SMALL_BUFFER_BYTES = 4_096  # the sooner it is the server's own business


@dataclass(frozen=True)
class Slow:
    """p99 of a delivery to the others, in ms, without and with the slow one; what it cost; what became of it."""

    without_p99_ms: float
    with_p99_ms: float
    memory_growth_kb: int
    fate: str  # "resync" in its stream, or "closed", and then it came back with its cursor
    right: bool  # at the end it knows the newest version
    load_average: float


def measure(program: Path, folder: Path, without_s: float, stalled_s: float) -> Slow:
    ours = Ours(folder)
    load = Load(program, ours.port, ours.requests)
    try:
        load.open(_OTHERS, OPENED_PER_S)
        slow = Stream(ours.port, ours.passes[0].cookie, receive_buffer_bytes=_SMALL_BUFFER_BYTES)
        greeted(slow)
        _p99_ms(ours, load, 2.0, [slow])  # warms up
        without = _p99_ms(ours, load, without_s, [slow])
        memory = machine.memory_kb(ours.pid)
        stalled = _p99_ms(ours, load, stalled_s, [])
        growth = machine.memory_kb(ours.pid) - memory
        fate, right = _comes_back(ours, slow)
        return Slow(without, stalled, growth, fate, right, machine.load_average())
    finally:
        load.close()
        ours.stop()


def _p99_ms(ours: Ours, load: Load, lasts_s: float, reading: list[Stream]) -> float:
    """Ten frames a second for so long; how long the slowest hundredth of deliveries to the crowd took."""
    load.delivered()
    began: dict[int, int] = {}
    due = time.monotonic()
    for _ in range(int(lasts_s / _EVERY_S)):
        at = time.monotonic_ns()
        number = ours.publish()
        began[number] = at
        for stream in reading:
            stream.read()
        due += _EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))
    load.full(number)
    return quantile(sorted((at - began[n]) / 1e6 for n, _, at in load.delivered() if n in began), 0.99)


def _comes_back(ours: Ours, slow: Stream) -> tuple[str, bool]:
    """It reads on as a browser would: what lay there; then, if it was closed, a new stream from its last cursor."""
    until(lambda: slow.over or slow.named("resync"), slow)
    last = [event.id for event in slow.events if event.id][-1]
    fate = "closed" if slow.over else "resync"
    if slow.over:
        slow = Stream(ours.port, ours.passes[0].cookie, after=last)
        greeted(slow)
    told = slow.named("resync") or slow.named("frame")
    number = ours.publish()
    until(lambda: any(f'data-version="{number}"' in event.data for event in slow.named("frame")), slow)
    return fate, bool(told)
