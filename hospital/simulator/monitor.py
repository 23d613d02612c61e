"""A bedside monitor: from readings to alarms, by limits with delay and hysteresis. Pure: it knows no clock."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hospital.simulator.codes import Metric
from hospital.simulator.limits import FAULTS, LIMITS, RANGES, Fault, Limit, Range
from hospital.simulator.sensors import Readings
from hospital.vocabulary import Priority

GRAVER_AFTER_S = 4.0  # a value must stay this long in a graver grade
UPDATE_AFTER_S = 20.0  # a changed value alone is told no sooner
FAULT_DELAY_S = 3.0


class Phase(StrEnum):
    """The phases of IHE PCD-04 that this hospital sends (facet 3)."""

    START = "start"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True)
class Alarm:
    """One thing that a monitor says. `value` None: it has none, as of a loose lead; so has the end of an alarm whose
    sensor came off. `limits`: the range in force; None for a technical one."""

    at_s: float
    phase: Phase
    cause: Limit | Fault
    priority: Priority
    text: str
    value: float | None = None
    limits: Range | None = None


@dataclass
class _Course:
    """One limit that is, or may soon be, an alarm. `told` None: still within the delay."""

    beyond_since_s: float
    told: Alarm | None = None
    grade: int = 0
    graver_since_s: float | None = None
    back_since_s: float | None = None


class Monitor:
    """Of one bed; `ranges` overrides its limits. Call `look` with ever later moments."""

    def __init__(self, ranges: Mapping[Metric, Range] | None = None) -> None:
        in_force = RANGES | dict(ranges or {})
        self._limits = [(limit, in_force[limit.metric]) for limit in LIMITS]
        self._courses: dict[Limit, _Course] = {}
        self._faults: dict[Fault, tuple[float, Alarm | None]] = {}

    def look(self, at_s: float, readings: Readings, faults: Collection[str]) -> list[Alarm]:
        """What it says now. `readings`: the latest of each number; `faults`: those there are (`episodes.FAULTS`)."""
        said = list(self._technical(at_s, faults)) if faults or self._faults else []
        for limit, limits in self._limits:
            reading = readings.get(limit.metric)
            value = reading.value if reading is not None else None
            if limit in self._courses or (value is not None and limit.is_beyond(value, limits)):
                alarm = self._judge(at_s, limit, limits, value)
                said += [alarm] if alarm else []
        return said

    def standing(self) -> list[Alarm]:
        """What was last said of each alarm that has not ended."""
        physiological = [course.told for course in self._courses.values()]
        return [alarm for alarm in [*physiological, *(told for _, told in self._faults.values())] if alarm]

    def _judge(self, at_s: float, limit: Limit, limits: Range, value: float | None) -> Alarm | None:
        course = self._courses.setdefault(limit, _Course(beyond_since_s=at_s))
        if course.told is None:
            return self._begin(at_s, limit, limits, value, course)
        if value is None or self._is_over(at_s, limit, limits, value, course):
            del self._courses[limit]
            return Alarm(at_s, Phase.END, limit, course.told.priority, course.told.text, value, limits)
        return self._go_on(at_s, limit, limits, value, course, course.told)

    def _begin(self, at_s: float, limit: Limit, limits: Range, value: float | None, course: _Course) -> Alarm | None:
        if value is None or not limit.is_beyond(value, limits):
            del self._courses[limit]
        elif at_s - course.beyond_since_s >= limit.delay_s:
            course.grade = limit.grade(value)
            course.told = _told(at_s, Phase.START, limit, limits, value, course.grade)
            return course.told
        return None

    def _is_over(self, at_s: float, limit: Limit, limits: Range, value: float, course: _Course) -> bool:
        if not limit.is_back(value, limits):
            course.back_since_s = None
            return False
        if course.back_since_s is None:
            course.back_since_s = at_s
        return at_s - course.back_since_s >= limit.ends_after_s

    def _go_on(
        self, at_s: float, limit: Limit, limits: Range, value: float, course: _Course, told: Alarm
    ) -> Alarm | None:
        """A priority once raised stays raised to the end."""
        assert told.value is not None
        graver = self._is_graver(at_s, limit, value, course)
        changed = abs(value - told.value) >= limit.step and at_s - told.at_s >= UPDATE_AFTER_S
        if graver:
            course.grade, course.graver_since_s = limit.grade(value), None
        if graver or (changed and limit.is_beyond(value, limits)):
            course.told = _told(at_s, Phase.UPDATE, limit, limits, value, course.grade)
            return course.told
        return None

    def _is_graver(self, at_s: float, limit: Limit, value: float, course: _Course) -> bool:
        if limit.grade(value) <= course.grade:
            course.graver_since_s = None
            return False
        if course.graver_since_s is None:
            course.graver_since_s = at_s
        return at_s - course.graver_since_s >= min(GRAVER_AFTER_S, limit.delay_s)

    def _technical(self, at_s: float, names: Collection[str]) -> Iterator[Alarm]:
        for fault in FAULTS:
            since_s, told = self._faults.get(fault, (at_s, None))
            if fault.name in names:
                if told is None and at_s - since_s >= FAULT_DELAY_S:
                    told = Alarm(at_s, Phase.START, fault, fault.priority, fault.text)
                    yield told
                self._faults[fault] = (since_s, told)
            elif self._faults.pop(fault, None) and told is not None:
                yield Alarm(at_s, Phase.END, fault, fault.priority, fault.text)


def _told(at_s: float, phase: Phase, limit: Limit, limits: Range, value: float, grade: int) -> Alarm:
    """Its name follows the value; `grade` is the gravest so far, whose priority stays."""
    text = limit.grades[limit.grade(value)].text
    return Alarm(at_s, phase, limit, limit.grades[grade].priority, text, value, limits)
