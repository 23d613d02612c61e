"""Does someone have to look at these vital signs? What starts, goes on and ends with each observation set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hospital.triage.latest import Latest, current, take
from hospital.triage.limits import Crossing, Limit, Watch, step
from hospital.triage.news2 import Ages, Score, parts, score
from hospital.triage.observation import Measured, ObservationSet, Vital
from hospital.triage.standing import STANDS_S, Standing, Step, is_above
from hospital.triage.standing import step as step_score
from hospital.vocabulary import Priority

NEWS2 = "news2"
LINK = "link"

WORDS = {
    Vital.HR: "Heart rate",
    Vital.RR: "Breathing rate",
    Vital.SPO2: "SpO₂",
    Vital.SBP: "Systolic pressure",
    Vital.DBP: "Diastolic pressure",
    Vital.MAP: "Mean pressure",
    Vital.TEMP: "Temperature",
}
UNITS = {
    Vital.HR: "/min",
    Vital.RR: "/min",
    Vital.SPO2: "%",
    Vital.SBP: "mmHg",
    Vital.DBP: "mmHg",
    Vital.MAP: "mmHg",
    Vital.TEMP: "°C",
}
PART_WORDS = {
    "respiration": "breathing",
    "spo2": "SpO₂",
    "on_oxygen": "air or oxygen",
    "systolic": "systolic pressure",
    "pulse": "pulse",
    "consciousness": "consciousness",
    "temperature": "temperature",
}


class Turn(StrEnum):
    STARTED = "started"
    STILL = "still"
    ENDED = "ended"


@dataclass(frozen=True)
class Condition:
    """What is, or is no longer, wrong with a patient. `key`: one open alert for each key of a patient.

    `value` and limits are in `unit`; None where there are none. `shown`: the value as people read it ('84', '≥ 5').
    `advice`: what the source of the rule says to do.
    """

    key: str
    turn: Turn
    text: str
    priority: Priority
    at: datetime
    value: float | None = None
    shown: str | None = None
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    advice: str = ""

    def is_worse_than(self, shown: str | None) -> bool:
        """Whether this value is further off than the one that is `shown`: an alert tells the worst."""
        if self.value is None or shown is None:
            return self.value is not None
        before = float(shown.removeprefix("≥ "))
        return self.value < before if self.low is not None else self.value > before


@dataclass(frozen=True)
class Course:
    """What is known of a patient, and how each limit and the score stand with it."""

    latest: Latest = field(default_factory=Latest)
    watches: Mapping[str, Watch] = field(default_factory=dict)
    news2: Standing = field(default_factory=Standing)


def follow(
    course: Course,
    observations: ObservationSet,
    limits: Sequence[Limit],
    *,
    scale: int,
    ages: Ages,
    by_hand: bool = False,
) -> tuple[Course, list[Condition]]:
    """Take one observation set that is no history, and say what it starts, keeps up or ends.

    Only the times of observation count. The limits see the value that is shown: not the cuff's while an arterial line
    is fresh. What a person enters waits for no delay.
    """
    latest = take(course.latest, observations)
    shown = [value for vital in Vital if (value := _shown(latest, vital, observations, ages)) is not None]
    watches, conditions = _limits(course.watches, shown, limits, by_hand)
    streams = not by_hand and any(_streams(course.latest, measured) for measured in observations.measured)
    after = Course(latest, watches, course.news2)
    after, of_score = rescore(after, observations.at, scale, ages, rises_at_once=not streams, by_hand=by_hand)
    return after, conditions + of_score


def rescore(
    course: Course, at: datetime, scale: int, ages: Ages, *, rises_at_once: bool = True, by_hand: bool = True
) -> tuple[Course, list[Condition]]:
    """What the score of all that is known means now; what comes late counts as of the last score."""
    at = max(at, course.news2.at or at)
    scored = score(parts(course.latest, at, ages), scale)
    falls_at_once = by_hand and scored.complete
    standing, turn = step_score(course.news2, scored, at, rises_at_once=rises_at_once, falls_at_once=falls_at_once)
    conditions = [_of_score(turn, standing.held or course.news2.held, scored, at)] if turn else []
    return replace(course, news2=standing), conditions


def silence_began(since: datetime) -> Condition:
    """The readings have stopped: nobody knows how the patient is."""
    return Condition(LINK, Turn.STARTED, "No data from the monitor", Priority.MEDIUM, since)


def silence_ended(at: datetime) -> Condition:
    return Condition(LINK, Turn.ENDED, "No data from the monitor", Priority.MEDIUM, at)


def _shown(latest: Latest, vital: Vital, observations: ObservationSet, ages: Ages) -> Measured | None:
    """The value of this set that stands on the card; None if the set has none, or a better source is fresh."""
    best = current(latest, vital, observations.at, timedelta(seconds=ages.fast_s))
    return best if best in observations.measured else None


def _limits(
    watches: Mapping[str, Watch], shown: Iterable[Measured], limits: Sequence[Limit], by_hand: bool
) -> tuple[dict[str, Watch], list[Condition]]:
    after, conditions = dict(watches), []
    for measured in shown:
        of_it = [limit for limit in limits if limit.vital is measured.vital]
        for key in dict.fromkeys(limit.condition for limit in of_it):
            group = [limit for limit in of_it if limit.condition == key]
            if (condition := _step_group(after, group, measured, by_hand)) is not None:
                conditions.append(condition)
    return after, conditions


def _step_group(
    watches: dict[str, Watch], group: Sequence[Limit], measured: Measured, by_hand: bool
) -> Condition | None:
    """The limits of one condition together: it is as urgent as the most urgent of them that is crossed."""
    crossings = {}
    for limit in group:
        watch = watches.get(limit.name, Watch())
        watches[limit.name], crossings[limit] = step(watch, _at_once(limit) if by_hand else limit, measured)
    crossed = [limit for limit in group if watches[limit.name].crossed]
    if crossed:
        worst = min(crossed, key=lambda limit: limit.priority.rank)
        turn = Turn.STARTED if Crossing.STARTED in crossings.values() else Turn.STILL
        return _of_limit(worst, turn, measured)
    ended = [limit for limit, crossing in crossings.items() if crossing is Crossing.ENDED]
    return _of_limit(ended[0], Turn.ENDED, measured) if ended else None


def _of_limit(limit: Limit, turn: Turn, measured: Measured) -> Condition:
    side = "low" if limit.low is not None else "high"
    return Condition(
        key=limit.condition,
        turn=turn,
        text=f"{WORDS[limit.vital]} {side}",
        priority=limit.priority,
        at=measured.at,
        value=measured.value,
        shown=f"{measured.value:g}",
        unit=UNITS[limit.vital],
        low=limit.low,
        high=limit.high,
    )


def _at_once(limit: Limit) -> Limit:
    return Limit(limit.vital, limit.low, limit.high, limit.priority, 0, limit.hysteresis)


def _streams(before: Latest, measured: Measured) -> bool:
    """Whether its source has said the same thing a moment ago, and so will soon say it again."""
    last = before.measured.get((measured.vital, measured.source))
    return last is not None and timedelta(0) < measured.at - last.at < timedelta(seconds=STANDS_S)


def _of_score(turn: Step, priority: Priority | None, scored: Score, at: datetime) -> Condition:
    """A score that has not stood yet is not the worst of its alert."""
    assert priority is not None
    made_of = _made_of(scored)
    if turn is Step.ENDED or is_above(scored.priority, priority):
        return Condition(NEWS2, Turn(turn), made_of, priority, at)
    return Condition(NEWS2, Turn(turn), made_of, priority, at, scored.total, scored.text, advice=scored.response)


def _made_of(scored: Score) -> str:
    """'NEWS2: breathing 3, temperature 2'."""
    raising = ((PART_WORDS[part], points) for part, points in scored.points.items() if points)
    return f"NEWS2: {', '.join(f'{word} {points}' for word, points in raising)}"
