"""What a score is compared with, so that a card can say whether it rises: the round before the last.

A round is what a person enters, or, where only a monitor speaks, the score once an hour. Both times are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

EVERY = timedelta(hours=1)
ONE_ROUND = timedelta(minutes=10)  # what a person adds or corrects so soon belongs to the same


@dataclass(frozen=True)
class Round:
    """The points of each part then; None: missing."""

    at: datetime
    points: Mapping[str, int | None]

    def to_json(self) -> dict[str, Any]:
        """For a column of the database."""
        return {"at": self.at.isoformat(), "points": dict(self.points)}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Round":
        return Round(datetime.fromisoformat(stored["at"]), stored["points"])


@dataclass(frozen=True)
class Trend:
    """By how many points it has risen since then; of each part, too, but only where it was known both times."""

    by: int
    parts: Mapping[str, int]
    since: datetime


def rounds_after(rounds: Sequence[Round], now: Round, *, by_hand: bool) -> Sequence[Round]:
    """The last two."""
    last = rounds[-1] if rounds else None
    if last is None or (by_hand and now.at - last.at >= ONE_ROUND) or now.at - last.at >= EVERY:
        return [*rounds[-1:], now]
    return [*rounds[:-1], now] if by_hand else rounds


def trend(rounds: Sequence[Round], points: Mapping[str, int | None]) -> Trend | None:
    """What is missing now has not fallen, nor was what was missing then nothing. None: there is nothing to compare."""
    if len(rounds) < 2:
        return None
    before = rounds[0].points
    parts = {
        part: now - then for part, now in points.items() if now is not None and (then := before.get(part)) is not None
    }
    return Trend(sum(parts.values()), parts, rounds[0].at) if parts else None
