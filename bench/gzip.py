"""What shared gzip saves and costs: the bytes of a card's frame, and the server's CPU, beside plain streams."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.crowd import OPENED_PER_S
from bench.load import Load
from bench.servers import Ours

_SCREENS = 1_000
_EVERY_S = 0.2
_NO_BEAT_S = "3600"  # only frames are counted
_ASKS = (
    "Accept-Encoding: gzip\r\nUser-Agent: curl/8.0\r\n"  # one of those of whom it is known that they show it at once
)


@dataclass(frozen=True)
class Gzip:
    plain_bytes: float  # of one card's frame
    gzip_bytes: float
    plain_cpu_ms: float  # for each 1,000 deliveries
    gzip_cpu_ms: float
    load_average: float


def measure(program: Path, folder: Path, frames: int) -> Gzip:
    ours = Ours(folder, HOSPITAL_BEAT_S=_NO_BEAT_S)
    try:
        plain = _of_frames(ours, program, frames, "", ready="event: hello")
        small = _of_frames(ours, program, frames, _ASKS, ready="Content-Encoding: gzip\r\n")
        return Gzip(plain[0], small[0], plain[1], small[1], machine.load_average())
    finally:
        ours.stop()


def _of_frames(ours: Ours, program: Path, frames: int, asks: str, ready: str) -> tuple[float, float]:
    """Bytes of a delivery, and CPU ms for a thousand."""
    load = Load(program, ours.port, [request + asks for request in ours.requests], ready=ready)
    try:
        load.open(_SCREENS, OPENED_PER_S)
        before, cpu_s = _bytes_when_quiet(load), machine.cpu_s(ours.pid)
        for _ in range(frames):
            ours.publish()
            time.sleep(_EVERY_S)
        after, cpu_s = _bytes_when_quiet(load), machine.cpu_s(ours.pid) - cpu_s
        deliveries = _SCREENS * frames
        return (after - before) / deliveries, cpu_s * 1000 / (deliveries / 1000)
    finally:
        load.close()


def _bytes_when_quiet(load: Load) -> int:
    """All that has been sent has been read."""
    last = -1
    while (now := load.count()["bytes"]) != last:
        last = now
        time.sleep(0.5)
    return last
