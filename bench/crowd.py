"""One server before a crowd of screens: opening them, what they cost idle, and what each delivery costs."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import machine
from bench.load import Load
from bench.servers import Measured

OPENED_PER_S = 200
_FIRST = 20  # screens that warm the server up before its memory is taken
_SETTLE_S = 2.0
_PAUSE_S = 0.05  # between one broadcast that is complete and the next


@dataclass(frozen=True)
class Figures:
    """What one round of one server gave. Times in ms; `lost`: deliveries that never came, or came twice."""

    open_p99_ms: float
    memory_kb: float  # for each idle screen
    cpu_ms: float  # for each 1,000 deliveries
    broadcast_ms: float  # from the sender's first byte until the last screen has it, median
    broadcast_p99_ms: float
    lost: int
    load_share: float  # of its core that the load client used while broadcasts were under way
    load_average: float


def measure(server: Measured, program: Path, screens: int, broadcasts: int) -> Figures:
    """Raises bench.load.Lost if a screen does not open or a frame does not come."""
    load = Load(program, server.port, server.requests, ready=server.ready, say=server.say)
    try:
        load.open(_FIRST, OPENED_PER_S)
        _broadcast(server, load, 10)
        time.sleep(_SETTLE_S)
        memory_kb = machine.memory_kb(server.pid)
        load.opened_ms()
        load.open(screens - _FIRST, OPENED_PER_S)
        time.sleep(_SETTLE_S)
        opened_ms = load.opened_ms()
        memory_kb = machine.memory_kb(server.pid) - memory_kb
        return _of_broadcasts(server, load, screens, broadcasts, quantile(opened_ms, 0.99), memory_kb)
    finally:
        load.close()


def _of_broadcasts(
    server: Measured, load: Load, screens: int, broadcasts: int, open_p99_ms: float, memory_kb: int
) -> Figures:
    _broadcast(server, load, 2)
    before, cpu_s = load.count(), machine.cpu_s(server.pid)
    took_ms = _broadcast(server, load, broadcasts)
    cpu_s, after = machine.cpu_s(server.pid) - cpu_s, load.count()
    due = screens * broadcasts
    return Figures(
        open_p99_ms=open_p99_ms,
        memory_kb=memory_kb / (screens - _FIRST),
        cpu_ms=cpu_s * 1000 / (due / 1000),
        broadcast_ms=median(took_ms),
        broadcast_p99_ms=quantile(sorted(took_ms), 0.99),
        lost=due - (after["deliveries"] - before["deliveries"]) + after["repeats"] + after["closed"],
        load_share=(after["cpu_s"] - before["cpu_s"]) / (sum(took_ms) / 1000),
        load_average=machine.load_average(),
    )


def _broadcast(server: Measured, load: Load, times: int) -> list[float]:
    """One after the other, each when the one before is on every screen: ms from sending to the last screen."""
    took_ms = []
    for _ in range(times):
        began = time.monotonic_ns()
        number = server.publish()
        took_ms.append((load.full(number)["last"] - began) / 1e6)
        time.sleep(_PAUSE_S)
    return took_ms


def quantile(ordered: list[float], part: float) -> float:
    """The value that `part` of these do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
