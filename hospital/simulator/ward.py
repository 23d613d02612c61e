"""What happens in the demo hospital, in the order of time: pure, endless, and the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from random import Random

from hospital.simulator.patients import Bed, admit
from hospital.simulator.troubles import TROUBLES, Measure, Trouble
from hospital.vocabulary import AlertKind, Priority

BETWEEN_ALARMS_S = (20.0, 40.0)
OPENING_S = 5.0  # so that the first page is not empty
LASTS_S = {Priority.HIGH: (20.0, 90.0), Priority.MEDIUM: (20.0, 360.0), Priority.LOW: (20.0, 360.0)}
UPDATES_AT_MOST = 5


class Phase(StrEnum):
    """The phases of IHE PCD-04 that this hospital sends (facet 3)."""

    START = "start"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True)
class AlarmEvent:
    """One thing a device says. `after_s` counts from the ward's beginning; `alarm` is 1 for its first alarm.

    `value` is in `trouble.measure.unit`; None: the device tells no number.
    """

    after_s: float
    alarm: int
    phase: Phase
    bed: Bed
    trouble: Trouble
    priority: Priority
    value: int | None


def events(seed: int) -> Iterator[AlarmEvent]:
    """Everything that ever happens, earliest first; never ends."""
    rng = Random(seed)
    beds = admit(rng)
    to_come: list[tuple[float, int, AlarmEvent]] = []
    ends_s: dict[tuple[str, str], float] = {}
    order, numbers = count(), count(1)
    for start_s, trouble in _beginnings(rng):
        while to_come and to_come[0][0] <= start_s:
            yield heappop(to_come)[2]
        free = [bed for bed in beds if ends_s.get((bed.name, trouble.organ), -1.0) < start_s]
        if not free:
            continue
        bed = rng.choices(free, [bed.unruliness for bed in free])[0]
        course = _course(rng, AlarmEvent(start_s, next(numbers), Phase.START, bed, trouble, trouble.priority, None))
        ends_s[bed.name, trouble.organ] = course[-1].after_s
        for event in course:
            heappush(to_come, (event.after_s, next(order), event))


def _beginnings(rng: Random) -> Iterator[tuple[float, Trouble]]:
    at_s = 0.0
    for at_s, trouble in zip(sorted(rng.uniform(0.2, OPENING_S) for _ in range(4)), _opening(rng), strict=True):
        yield at_s, trouble
    while True:
        at_s += rng.uniform(*BETWEEN_ALARMS_S)
        yield at_s, rng.choices(TROUBLES, [trouble.share for trouble in TROUBLES])[0]


def _opening(rng: Random) -> list[Trouble]:
    """One high, two medium and one low technical alarm, in any order."""

    def of(priority: Priority, kind: AlertKind) -> list[Trouble]:
        return [trouble for trouble in TROUBLES if (trouble.priority, trouble.kind) == (priority, kind)]

    chosen = [
        rng.choice(of(Priority.HIGH, AlertKind.PHYSIOLOGICAL)),
        *rng.sample(of(Priority.MEDIUM, AlertKind.PHYSIOLOGICAL), 2),
        rng.choice(of(Priority.LOW, AlertKind.TECHNICAL)),
    ]
    rng.shuffle(chosen)
    return chosen


def _course(rng: Random, start: AlarmEvent) -> list[AlarmEvent]:
    """Start, updates and end of one alarm. A priority once raised stays raised to the end."""
    lasts_s = rng.uniform(*LASTS_S[start.priority])
    end = replace(start, after_s=start.after_s + lasts_s, phase=Phase.END)
    measure = start.trouble.measure
    if measure is None:
        return [start, end]
    told = [replace(start, value=_first_value(rng, measure))]
    for later_s in _update_times(rng, measure, lasts_s):
        told.append(_worse_or_better(rng, measure, told[-1], start.after_s + later_s))
    return [*told, replace(end, priority=told[-1].priority, value=measure.recovered)]


def _first_value(rng: Random, measure: Measure) -> int:
    return measure.mildest + round((measure.worst - measure.mildest) * rng.uniform(0, 0.4))


def _update_times(rng: Random, measure: Measure, lasts_s: float) -> list[float]:
    if measure.mildest == measure.worst:
        return []
    return sorted(rng.uniform(3.0, lasts_s - 2.0) for _ in range(rng.randint(0, UPDATES_AT_MOST)))


def _worse_or_better(rng: Random, measure: Measure, before: AlarmEvent, at_s: float) -> AlarmEvent:
    lowest, highest = sorted((measure.mildest, measure.worst))
    assert before.value is not None
    stride = abs(measure.worst - measure.mildest) // 3
    near = range(max(lowest, before.value - stride), min(highest, before.value + stride) + 1)
    value = rng.choice([value for value in near if value != before.value])
    priority = Priority.HIGH if measure.is_grave(value) else before.priority
    return replace(before, after_s=at_s, phase=Phase.UPDATE, value=value, priority=priority)
