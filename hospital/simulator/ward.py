"""The demo hospital in the order of time: its beds, what their devices read and what their monitors say of it.

Pure, endless, and the same for the same seed, scenario and beds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random

from hospital.simulator.episodes import Fate
from hospital.simulator.limits import Fault
from hospital.simulator.monitor import Alarm, Monitor, Phase
from hospital.simulator.patients import DEMO_BEDS, Bed, admit
from hospital.simulator.physiology import Body
from hospital.simulator.scenario import Lying, Scenario
from hospital.simulator.sensors import CUFF_EVERY_S, TEMPERATURE_EVERY_S, Equipment, Readings, Sensors

LOOK_EVERY_S = 1.0
BEFORE_S = 60  # the monitors have looked for so long when the ward's time begins: an alarm may stand already


@dataclass(frozen=True)
class AlarmEvent:
    """What a monitor says, in which bed. `number` is the alarm's from start to end, counting the ward's from 1."""

    number: int
    bed: Bed
    alarm: Alarm


@dataclass(frozen=True)
class Look:
    """A monitor looks at its patient: the latest reading of each number, and the alarms that follow from them."""

    at_s: float
    bed: Bed
    readings: Readings
    alarms: tuple[AlarmEvent, ...]


def looks(seed: int, scenario: Scenario, beds: int = len(DEMO_BEDS), every_s: float = LOOK_EVERY_S) -> Iterator[Look]:
    """Everything that is ever seen, earliest first: each bed every `every_s`, one after the other. Never ends.

    A run that is begun again numbers its alarms as before, so that those still open are repeated and not doubled.
    """
    numbers = count(1)
    watched = [_Watched(seed, scenario, bed, numbers) for bed in admit(seed, beds)]
    for n in count():
        for place, one in enumerate(watched):
            yield one.look((n + place / len(watched)) * every_s)


class _Watched:
    def __init__(self, seed: int, scenario: Scenario, bed: Bed, numbers: Iterator[int]) -> None:
        name, lying = f"{seed}/{bed.name}", scenario.beds.get(bed.name, Lying())
        self._bed = replace(bed, patient=lying.patient) if "patient" in lying.said else bed
        unruliness = bed.unruliness if lying.unruliness is None else lying.unruliness
        fate = Fate(name, unruliness * scenario.unruliness, lying.episodes)
        rounds_s = Random(f"{name}/rounds").randrange(CUFF_EVERY_S)
        self._sensors = Sensors(Body(name, lying.usual, scenario.hour), fate, _equipment(name, bed, lying), rounds_s)
        self._monitor = Monitor(lying.limits)
        self._numbers, self._numbered = numbers, dict[object, int]()
        self._began = False

    def look(self, at_s: float) -> Look:
        said = [] if self._began else self._before(at_s)
        readings, faults = self._sensors.at(at_s)
        said += self._monitor.look(at_s, readings, faults)
        return Look(at_s, self._bed, readings, tuple(event for alarm in said if (event := self._event(alarm))))

    def _before(self, at_s: float) -> list[Alarm]:
        """What the monitor said before the ward's time began, and still stands, is said as it stands now."""
        self._began = True
        for before_s in range(BEFORE_S, 0, -1):
            self._monitor.look(at_s - before_s, *self._sensors.at(at_s - before_s))
        readings, _ = self._sensors.at(at_s)
        return [alarm for told in self._monitor.standing() if (alarm := _as_it_stands(told, at_s, readings))]

    def _event(self, alarm: Alarm) -> AlarmEvent | None:
        """None: the end of what was never told."""
        number = self._numbered.get(alarm.cause)
        if alarm.phase is Phase.END:
            return AlarmEvent(self._numbered.pop(alarm.cause), self._bed, alarm) if number else None
        if number is None:
            number = self._numbered[alarm.cause] = next(self._numbers)
            alarm = replace(alarm, phase=Phase.START)
        return AlarmEvent(number, self._bed, alarm)


def _as_it_stands(told: Alarm, at_s: float, readings: Readings) -> Alarm | None:
    if isinstance(told.cause, Fault):
        return replace(told, at_s=at_s)
    reading = readings.get(told.cause.metric)
    if reading is None or told.limits is None or not told.cause.is_beyond(reading.value, told.limits):
        return None
    return replace(told, at_s=at_s, value=reading.value)


def _equipment(name: str, bed: Bed, lying: Lying) -> Equipment:
    """In intensive care the probe stays in, and every other patient has an arterial line."""
    intensive = bed.unit == "ICU"
    arterial = intensive and Random(f"{name}/line").random() < 0.5
    usual = Equipment(None if arterial else CUFF_EVERY_S, None if intensive else TEMPERATURE_EVERY_S)
    said = {key: getattr(lying, key) for key in ("cuff_every_s", "temperature_every_s") if key in lying.said}
    return replace(usual, **said)
