"""kill -9 under thousands of raw clients that keep the protocol: how soon all are LIVE again, and is anything lost?"""

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.load import Load, Lost
from bench.servers import Ours

_OPENED_PER_S = 200
_ALARMS_BEFORE, _ALARMS_AFTER = 20, 20
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Storm:
    """`live_s`: from the first 200 of /health/ready until the last client was LIVE. `lost`: (client, alert) pairs."""

    clients: int
    down_s: float  # from the kill until it was ready: the outage, and what starting takes
    live_s: float
    lost: int
    resyncs: int
    refused: int  # tries that met a closed door or a 503
    load_average: float


def measure(program: Path, folder: Path, clients: int, outage_s: float) -> Storm:
    ours = Ours(folder)
    load = Load(program, ours.port, ours.requests, keeps_protocol=True)
    try:
        load.open(clients, _OPENED_PER_S)
        sent = _raise(ours, _ALARMS_BEFORE, 0.1)
        ours.server.kill()  # the last frames may be on some screens and not on others
        killed = time.monotonic_ns()
        time.sleep(outage_s)
        ours.restart()
        ready = time.monotonic_ns()
        sent += _raise(ours, _ALARMS_AFTER, 0.2)  # while they come back
        while (count := load.count())["open"] < clients:
            if time.monotonic_ns() - ready > _PATIENCE_S * 1e9:
                raise Lost(f"only {count['open']} of {clients} clients came back")
            time.sleep(0.1)
        sent += _raise(ours, 1, 0)
        load.full(sent[-1])
        lost = _lost(load, sent, clients)
        down_s, live_s = (ready - killed) / 1e9, (count["last_open"] - ready) / 1e9
        return Storm(clients, down_s, live_s, lost, count["resyncs"], count["refused"], machine.load_average())
    finally:
        load.close()
        ours.stop()


def _raise(ours: Ours, alarms: int, every_s: float) -> list[int]:
    """So many alerts, each new: a client that has come back must have been told of every one."""
    numbers = []
    for _ in range(alarms):
        numbers.append(ours.raise_alarm())
        time.sleep(every_s)
    return numbers


def _lost(load: Load, sent: list[int], clients: int) -> int:
    seen: dict[int, set[int]] = defaultdict(set)
    for number, screen, _ in load.delivered():
        seen[number].add(screen)
    return sum(clients - len(seen[number]) for number in sent)
