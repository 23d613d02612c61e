"""When a score has stood for long enough to be an alert, and how long it must be lower before it is none.

NEWS2 was made for a nurse's rounds, and a monitor tells it every second: a hand that moves would be an alert, and a
score that dances on a band would be fifty. Only the times of observation count. Both times are ours, for clinical
review; that half of the alarms nobody needs are over within 14 s, and two thirds within 19 s, is Görges, Markewitz and
Westenskow, Anesth Analg 2009;108:1546–52.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hospital.triage.news2 import Score
from hospital.vocabulary import Priority

STANDS_S = 15  # of a monitor that speaks more often; what comes more rarely, or from a person, stands at once
HOLD = timedelta(minutes=5)


class Step(StrEnum):
    STARTED = "started"
    STILL = "still"
    ENDED = "ended"


@dataclass(frozen=True)
class Standing:
    """How the score stands with one patient; new: never scored.

    `held`: the priority that it has raised. `stood_s`: for how long it has been as urgent as each priority; a lower
    score takes away as much as a higher one gives, so that it counts what it mostly is. `carried`: the points of its
    parts when it last was as urgent as `held`. `below_since`: since when it has not stood there; `lower_since`: since
    when it is lower even if parts that are missing now were as they were then; `least`: the most urgent since then.
    """

    at: datetime | None = None
    held: Priority | None = None
    stood_s: Mapping[Priority, float] = field(default_factory=dict)
    carried: Mapping[str, int] = field(default_factory=dict)
    below_since: datetime | None = None
    lower_since: datetime | None = None
    least: Priority | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "at": _written(self.at),
            "held": self.held,
            "stood_s": dict(self.stood_s),
            "carried": dict(self.carried),
            "below_since": _written(self.below_since),
            "lower_since": _written(self.lower_since),
            "least": self.least,
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Standing":
        """What to_json gave; an empty mapping was never scored."""
        return Standing(
            _read(stored.get("at")),
            _priority(stored.get("held")),
            {Priority(priority): stood_s for priority, stood_s in stored.get("stood_s", {}).items()},
            stored.get("carried", {}),
            _read(stored.get("below_since")),
            _read(stored.get("lower_since")),
            _priority(stored.get("least")),
        )


def step(
    standing: Standing, scored: Score, at: datetime, *, rises_at_once: bool, falls_at_once: bool
) -> tuple[Standing, Step | None]:
    """What one more score means; None: there is no alert of it, and none begins. `at` is never before `standing.at`.

    `rises_at_once`: nothing new in it comes from a stream; `falls_at_once`: a person has seen the whole of it. It
    starts again if it was lower for HOLD, whatever was known meanwhile: else what someone has resolved could never
    come back.
    """
    stood_s = _stood(standing, scored, at, rises_at_once)
    reached = next((p for p in Priority if stood_s[p] >= STANDS_S and not is_above(p, scored.priority)), None)
    again = standing.below_since is not None and at - standing.below_since >= HOLD
    if reached is not None and (is_above(reached, standing.held) or (again and reached is standing.held)):
        return Standing(at, reached, stood_s, _points(scored)), Step.STARTED
    if standing.held is None:
        return Standing(at, None, stood_s), None
    if not is_above(standing.held, scored.priority):
        below_since = standing.below_since if is_above(standing.held, reached) else None
        return Standing(at, standing.held, stood_s, _points(scored), below_since), Step.STILL
    return _lower(replace(standing, at=at, stood_s=stood_s), scored, at, falls_at_once)


def is_above(one: Priority | None, other: Priority | None) -> bool:
    """None is below all priorities."""
    return one is not None and (other is None or one.is_above(other))


def _lower(standing: Standing, scored: Score, at: datetime, at_once: bool) -> tuple[Standing, Step]:
    """It falls only by what is seen: a score that is lower because a part of it is missing proves nothing."""
    after = replace(standing, below_since=standing.below_since or at)
    at_most = Score({part: standing.carried.get(part) if now is None else now for part, now in scored.points.items()})
    if not is_above(standing.held, at_most.priority):
        return after, Step.STILL
    least = at_most.priority if is_above(at_most.priority, standing.least) else standing.least
    lower_since = standing.lower_since or at
    if at - lower_since < HOLD and not at_once:
        return replace(after, lower_since=lower_since, least=least), Step.STILL
    held = at_most.priority if at_once else least
    return Standing(at, held, standing.stood_s, _points(at_most)), Step.STILL if held else Step.ENDED


def _stood(standing: Standing, scored: Score, at: datetime, at_once: bool) -> dict[Priority, float]:
    since_s = (at - standing.at).total_seconds() if standing.at else 0.0
    stood_s = {}
    for priority in Priority:
        before_s = standing.stood_s.get(priority, 0.0)
        if is_above(priority, scored.priority):
            stood_s[priority] = max(0.0, before_s - since_s)
        else:
            stood_s[priority] = float(STANDS_S) if at_once else min(STANDS_S, before_s + since_s)
    return stood_s


def _points(scored: Score) -> dict[str, int]:
    return {part: points for part, points in scored.points.items() if points}


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def _priority(stored: str | None) -> Priority | None:
    return Priority(stored) if stored else None
