"""Ten minutes of ten frames a second to 1,000 screens that come and go: is memory flat, do descriptors come back?

python -m bench.soak --minutes 10
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from bench import machine
from bench.crowd import OPENED_PER_S
from bench.load import Load, compiled
from bench.servers import Ours

_SCREENS = 1_000
_CHURN_PER_S = 0.05 * _SCREENS / 60  # five per cent a minute
_EVERY_S = 0.1
_FRAMES_A_LOOK = 10
_WARM_UP = 0.2  # of the whole: caches and the ring fill
_GOAL_MB_PER_MIN = 1.0
_DESCRIPTORS_BACK_WITHIN_S = 20.0


@dataclass(frozen=True)
class Soak:
    slope_mb_per_min: float
    descriptors_before: int
    descriptors_after: int
    open_at_the_end: int

    @property
    def is_flat(self) -> bool:
        flat = self.slope_mb_per_min <= _GOAL_MB_PER_MIN
        return flat and self.descriptors_after <= self.descriptors_before and self.open_at_the_end == _SCREENS


def measure(program: Path, folder: Path, minutes: float) -> Soak:
    ours = Ours(folder)
    load = Load(program, ours.port, ours.requests)
    try:
        ours.publish()
        before = machine.descriptors(ours.pid)
        load.open(_SCREENS, OPENED_PER_S)
        load.order(f"churn {_CHURN_PER_S}")
        memory = _run(ours, minutes * 60)
        load.order("churn 0")
        time.sleep(1.0)
        still_open = load.count()["open"]
        load.close()
        after = _descriptors_when_back(ours.pid, before)
    finally:
        load.close()
        ours.stop()
    warm = memory[int(len(memory) * _WARM_UP) :]
    slope = linear_regression([at for at, _ in warm], [mb for _, mb in warm]).slope * 60
    return Soak(slope, before, after, still_open)


def _run(ours: Ours, lasts_s: float) -> list[tuple[float, float]]:
    """(s, MB), once a second."""
    due = time.monotonic()
    memory = []
    for frame in range(int(lasts_s / _EVERY_S)):
        ours.publish()
        if frame % _FRAMES_A_LOOK == 0:
            memory.append((time.monotonic(), machine.memory_kb(ours.pid) / 1024))
        due += _EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))
    return memory


def _descriptors_when_back(pid: int, before: int) -> int:
    until = time.monotonic() + _DESCRIPTORS_BACK_WITHIN_S
    while (now := machine.descriptors(pid)) > before and time.monotonic() < until:
        time.sleep(0.2)
    return now


def main() -> None:
    parser = argparse.ArgumentParser(description="Is memory flat?")
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    machine.stay_on_load_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = measure(compiled(folder), folder, minutes)
    print(told)
    sys.exit(0 if told.is_flat else "Not flat: memory grows, descriptors stay, or screens were lost.")


if __name__ == "__main__":
    main()
