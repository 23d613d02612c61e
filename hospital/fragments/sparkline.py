"""A small line of how a vital sign went, drawn in whole steps: five hundred of them must not make a page slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from hospital.fragments.moment import moment

WIDE, HIGH = 30, 12  # a step a minute, twelve from the lowest value to the highest: more cost bytes and show nothing
_JOINED = 2  # minutes; between points that lie farther apart nobody knows how it went: no line
_LEAST = 0.1  # of the limit, or of the value: what varies by less is no mountain

Point = Sequence[float]  # seconds since 1970, value
Step = tuple[int, int]  # minutes from the left, twelfths from the top


@dataclass(frozen=True)
class Sparkline:
    """`line`, `limit` and `dots` are SVG paths in a box of WIDE by HIGH; the rest is the same in words.

    `limit` None: the sender told none. `dots`: the last value, and those that stand alone. `until`: when the last value
    was measured, which is not now.
    """

    line: str
    limit: str | None
    dots: str
    first_value: str
    last_value: str
    minutes: int
    until: str


def sparkline(points: Sequence[Point], limit: float | None, zone: ZoneInfo) -> Sparkline | None:
    """None: less than two points are no course."""
    if len(points) < 2:
        return None
    (began, first), (ended, last) = points[0], points[-1]
    values = [value for _, value in points] + ([limit] if limit is not None else [])
    lowest, highest = min(values), max(values)
    spread = max(highest - lowest, abs(highest) * _LEAST) or 1

    def height(value: float) -> int:
        return round(HIGH / 2 + ((highest + lowest) / 2 - value) / spread * HIGH)

    steps = [(WIDE - int(ended // 60) + int(at // 60), height(value)) for at, value in points]
    pieces = _pieces(steps)
    alone = [piece[0] for piece in pieces[:-1] if len(piece) == 1]
    return Sparkline(
        line="".join(_line(piece) for piece in pieces if len(piece) > 1),
        limit=None if limit is None else f"M0 {height(limit)}h{WIDE}",
        dots="".join(_dot(step) for step in [*alone, steps[-1]]),
        first_value=f"{first:g}",
        last_value=f"{last:g}",
        minutes=max(1, round((ended - began) / 60)),
        until=moment(datetime.fromtimestamp(ended, UTC), zone).text,
    )


def _pieces(steps: Sequence[Step]) -> list[list[Step]]:
    """Where nobody knows how it went between two, one piece ends and the next begins."""
    pieces = [[steps[0]]]
    for before, step in pairwise(steps):
        if step[0] - before[0] <= _JOINED:
            pieces[-1].append(step)
        else:
            pieces.append([step])
    return pieces


def _line(piece: Sequence[Step]) -> str:
    """'M1 3h4l1-2': what is level in one go."""
    moves = [(x - before_x, y - before_y) for (before_x, before_y), (x, y) in pairwise(piece)]
    drawn = f"M{piece[0][0]} {piece[0][1]}"
    for level, group in groupby(moves, lambda move: move[1] == 0):
        together = list(group)
        drawn += f"h{sum(x for x, _ in together)}" if level else "".join(f"l{x}{y: d}" for x, y in together)
    return drawn


def _dot(step: Step) -> str:
    """A line of no length, with round ends."""
    return f"M{step[0]} {step[1]}h0"
