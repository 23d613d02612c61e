"""Plays recordings again: python -m hospital.simulator.replay FILES… --factor 60.

Files hold HL7 messages (one or many) or the columns of the PhysioNet Challenge 2012. They play side by side and end
together, and their dates are moved so that the last message of each is sent at its own time: "now". Intervals stay as
they were recorded, so at `--factor 60` the first message of an hour is 59 minutes old when it is sent, and the last is
new. A message whose answer does not come is repeated, and given up after a while.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from hospital import clock
from hospital.simulator.patients import DEMO_BEDS
from hospital.simulator.recording import Recording
from hospital.simulator.recordings import Unreadable, open_recording
from hospital.simulator.run import LOOK_UP_S, above_zero, stop_on_signals
from hospital.simulator.sending import NOT_ASKED, Sender

TRIES = 5
LINES = 10  # of progress, where there is no terminal
BAR = 30  # characters
GOOD = {"AA", "CA", NOT_ASKED}

Send = Callable[[bytes], str | None]


@dataclass
class Account:
    """What a replay did. `unanswered`: given up."""

    files: int
    total: int
    messages: int = 0
    unanswered: int = 0
    repeats: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        words = ", ".join(f"{code} {count}" for code, count in sorted(self.answers.items())) or "none"
        skipped = "".join(f"; not sent: {count} {what}" for what, count in sorted(self.skipped.items()))
        return (
            f"replay: {self.messages} of {self.total} messages from {self.files} files in {self.seconds:.1f} s; "
            f"answers {words}; {self.unanswered} without; {self.repeats} repeats{skipped}"
        )

    @property
    def is_clean(self) -> bool:
        return self.messages == self.total and not self.unanswered and self.answers.keys() <= GOOD


def replay(
    recordings: Sequence[Recording],
    send: Send,
    *,
    factor: float,
    most_a_second: float | None = None,
    stop: Callable[[], bool] | None = None,
    sleep: Callable[[float], None] | None = None,
    progress: Callable[[Account], None] | None = None,
) -> Account:
    """Send every message at its time, `factor` times as fast as it was recorded; None of `send` is no answer.

    `most_a_second` holds it back further; whoever cannot keep up is not hurried, and the dates stay as they were set.
    """
    stop, sleep = stop or (lambda: False), sleep or time.sleep
    began = clock.now()
    account = Account(len(recordings), sum(len(one.items) for one in recordings))
    for one in recordings:
        account.skipped += one.skipped
    for due, by, (place, n) in _plan(recordings, began, factor):
        at_soonest = began + timedelta(seconds=account.messages / most_a_second) if most_a_second else began
        _wait(max(due, at_soonest), stop, sleep)
        if stop():
            break
        answer = send(recordings[place].items[n].render(by, f"{began:%Y%m%d%H%M%S%f}-{account.messages + 1}"))
        account.messages += 1
        account.unanswered += answer is None
        account.answers += Counter([answer] if answer else [])
        account.seconds = (clock.now() - began).total_seconds()
        if progress:
            progress(account)
    return account


def _plan(
    recordings: Sequence[Recording], began: datetime, factor: float
) -> list[tuple[datetime, timedelta, tuple[int, int]]]:
    """When each message is due, by how much its dates move, and which it is; in the order of sending."""
    ends = began + timedelta(seconds=max((one.lasts_s for one in recordings), default=0.0) / factor)
    return sorted(
        (
            ends - timedelta(seconds=(one.lasts_s - item.at_s) / factor),
            ends - one.last if one.last else timedelta(0),
            (place, n),
        )
        for place, one in enumerate(recordings)
        for n, item in enumerate(one.items)
    )


def _wait(due: datetime, stop: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    while not stop() and (left := due - clock.now()) > timedelta(0):
        sleep(min(left.total_seconds(), LOOK_UP_S))


class Progress:
    """A bar on a terminal, a few plain lines elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._bar, self._lines = out, out.isatty(), 0

    def __call__(self, account: Account) -> None:
        done, total = account.messages, account.total
        if self._bar:
            marks = BAR * done // total
            self._out.write(f"\r[{'#' * marks}{' ' * (BAR - marks)}] {done}/{total} {account.seconds:.0f} s")
            self._out.write("\n" if done == total else "")
        elif done * LINES // total > self._lines:
            self._lines = done * LINES // total
            self._out.write(f"{done} of {total} messages, {account.seconds:.0f} s\n")
        self._out.flush()


def main() -> None:
    asked = _arguments().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    beds = [name for _, name in DEMO_BEDS]
    try:
        recordings = [open_recording(path, asked.bed, beds[n % len(beds)]) for n, path in enumerate(asked.files)]
    except Unreadable as error:
        sys.exit(str(error))
    stop = stop_on_signals()
    sender = Sender(asked.host, asked.port, tries=TRIES, stop=stop)
    progress = Progress(sys.stderr)
    account = replay(
        recordings, sender.send, factor=asked.factor, most_a_second=asked.speed_limit, stop=stop, progress=progress
    )
    sender.close()
    account.repeats = sender.repeats
    print(account)
    sys.exit(0 if account.is_clean else 1)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hospital.simulator.replay", description="Recordings, once more.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="HL7 messages, or PhysioNet columns")
    parser.add_argument("--host", default="127.0.0.1", help="where the MLLP intake listens")
    parser.add_argument("--port", type=int, default=2575)
    parser.add_argument("--factor", type=above_zero, default=1.0, metavar="F", help="3600 plays an hour in a second")
    parser.add_argument("--bed", help="play everything in this bed; else HL7 where it says, columns from MED-01 on")
    parser.add_argument("--speed-limit", type=above_zero, metavar="N", help="at most so many messages a second")
    return parser


if __name__ == "__main__":
    main()
