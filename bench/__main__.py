"""`make bench`: measures, prints the tables and, unless it is to be quick, writes them to docs/benchmarks.md.

python -m bench [--quick] [--rounds N] [crowd] [browser] [gzip] [slow] [storm]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bench import browser, gzip, load, machine, report, servers, slow, storm
from bench.crowd import Figures, measure

Told = TypeVar("Told")

_BROADCASTS = {100: 100, 1_000: 60, 10_000: 30}  # screens → how many
_QUICK_BROADCASTS = {1_000: 20}


class Bench:
    """Each part measures its rounds and gives its table."""

    def __init__(self, folder: Path, *, quick: bool, rounds: int) -> None:
        self.quick, self.rounds = quick, rounds
        self._root = folder
        self._program = load.compiled(folder)

    def crowd(self) -> str:
        """Ours and its peers, one after the other, in each round."""
        crowds: report.Crowds = {}
        everyone = servers.everyone(servers.card(self._folder()))
        for _ in range(self.rounds):
            for screens, broadcasts in (_QUICK_BROADCASTS if self.quick else _BROADCASTS).items():
                for name, start in everyone.items():
                    crowds.setdefault((screens, name), []).append(self._figures(start, screens, broadcasts))
                    _say(f"{screens:,} screens, {name}: {crowds[screens, name][-1]}")
        return report.of_crowds(crowds)

    def browser(self) -> str:
        acts = 30 if self.quick else 300
        return report.of_acts([self._told(browser.measure, acts) for _ in range(self.rounds)])

    def gzip(self) -> str:
        frames = 20 if self.quick else 100
        return report.of_gzip([self._told(gzip.measure, frames) for _ in range(self.rounds)])

    def slow(self) -> str:
        lasts_s = (3.0, 12.0) if self.quick else (30.0, 60.0)
        return report.of_slow([self._told(slow.measure, *lasts_s) for _ in range(self.rounds)])

    def storm(self) -> str:
        storms = [(500, 5.0)] if self.quick else [(5_000, 5.0), (5_000, 60.0)] * self.rounds
        return report.of_storms([self._told(storm.measure, *how) for how in storms])

    def _figures(self, start: Callable[[Path], servers.Measured], screens: int, broadcasts: int) -> Figures | str:
        """A server that cannot do it says why in its place in the table."""
        try:
            server = start(self._folder())
        except servers.NotHere as why:
            return str(why)
        try:
            return measure(server, self._program, screens, broadcasts)
        except load.Lost as why:
            return str(why)
        finally:
            server.stop()

    def _told(self, part: Callable[..., Told], *how: float) -> Told:
        told = part(self._program, self._folder(), *how)
        _say(str(told))
        return told

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._root))


PARTS: dict[str, Callable[[Bench], str]] = {
    "crowd": Bench.crowd,
    "browser": Bench.browser,
    "gzip": Bench.gzip,
    "slow": Bench.slow,
    "storm": Bench.storm,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What it costs, beside its peers.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all, if none is named")
    parser.add_argument(
        "--quick", action="store_true", help="one round, 1,000 screens, under 3 minutes; writes nothing"
    )
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if missing := machine.missing():
        sys.exit(f"These measurements need: {', '.join(missing)}.")
    machine.stay_on_load_core()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), quick=given.quick, rounds=1 if given.quick else given.rounds)
        for part in given.parts or PARTS:
            _report(bench, part)


def _report(bench: Bench, part: str) -> None:
    text = "\n\n".join((PARTS[part](bench), _circumstances(bench, part)))
    print(f"\n{text}\n", flush=True)
    if not bench.quick:
        report.put(part, text)


def _circumstances(bench: Bench, part: str) -> str:
    what = f"`python -m bench --rounds {bench.rounds} {part}`, {datetime.now(UTC):%d %B %Y}"
    return f"{what}; load average at the end {os.getloadavg()[0]:.1f}. {'; '.join(machine.described())}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
