"""What the devices of a bed read of its body: rounded, some of it now and then, and nothing when a lead is off."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from hospital.simulator.codes import (
    ART_DIA,
    ART_MEAN,
    ART_SYS,
    CUFF_DIA,
    CUFF_MEAN,
    CUFF_SYS,
    HEART_RATE,
    PULSE,
    RESPIRATION,
    SPO2,
    TEMPERATURE,
    Metric,
)
from hospital.simulator.episodes import ARTEFACT, FAULTS, Fate
from hospital.simulator.physiology import Body, Signs

CUFF_EVERY_S, TEMPERATURE_EVERY_S = 900, 1800
CUFF_AGAIN_S = 180  # after a pressure out of its limits, as a nurse or the monitor would
CUFF_LIMITS = (90, 180)  # mmHg, systolic
LEAST_HEART, MOST_HEART, LEAST_BREATH = 15, 240, 3
NO_PULSE_BELOW = 30  # mmHg, systolic: an oximeter finds no pulse in the finger


@dataclass(frozen=True)
class Equipment:
    """`cuff_every_s` None: an arterial line instead. `temperature_every_s` None: a probe that stays in."""

    cuff_every_s: int | None = CUFF_EVERY_S
    temperature_every_s: int | None = TEMPERATURE_EVERY_S


class Reading(NamedTuple):
    value: float
    at_s: float


Readings = dict[Metric, Reading]


class Sensors:
    """`offset_s`: by how much its rounds lie after the ward's, so that not every cuff inflates at once."""

    def __init__(self, body: Body, fate: Fate, equipment: Equipment, offset_s: float = 0.0) -> None:
        self._body, self._fate, self._equipment, self._offset_s = body, fate, equipment, offset_s
        self._cuff: Readings = {}  # of the last round: a memory to save work, never a difference
        self._temperature: Readings = {}

    def at(self, at_s: float) -> tuple[Readings, frozenset[str]]:
        """The latest reading of each number at a moment, and the technical faults (`episodes.FAULTS`) there are."""
        going_on = list(self._fate.at(at_s))
        names = {what for what, _ in going_on}
        signs = self._body.at(at_s, going_on)
        readings = self._cuff_at(at_s) if self._equipment.cuff_every_s else _arterial(signs, at_s)
        readings = readings | _electrodes(signs, at_s, names) | _finger(signs, at_s, names) | self._heat(signs, at_s)
        return readings, frozenset(names.intersection(FAULTS))

    def _cuff_at(self, at_s: float) -> Readings:
        every_s = self._equipment.cuff_every_s
        assert every_s
        measured_s = _last_round(at_s, every_s, self._offset_s)
        if not self._cuff or not measured_s <= self._cuff[CUFF_SYS].at_s <= at_s:
            self._cuff = self._inflate(measured_s)
        while self._out_of_limits() and self._cuff[CUFF_SYS].at_s + CUFF_AGAIN_S <= at_s:
            self._cuff = self._inflate(self._cuff[CUFF_SYS].at_s + CUFF_AGAIN_S)
        return self._cuff

    def _out_of_limits(self) -> bool:
        return not CUFF_LIMITS[0] <= self._cuff[CUFF_SYS].value <= CUFF_LIMITS[1]

    def _inflate(self, at_s: float) -> Readings:
        signs = self._body.at(at_s, self._fate.at(at_s))
        return _pressures(signs.pressure, at_s, (CUFF_SYS, CUFF_DIA, CUFF_MEAN))

    def _heat(self, signs: Signs, at_s: float) -> Readings:
        every_s = self._equipment.temperature_every_s
        if every_s is None:
            return {TEMPERATURE: Reading(round(signs.heat, 1), at_s)}
        measured_s = _last_round(at_s, every_s, self._offset_s)
        if not self._temperature or self._temperature[TEMPERATURE].at_s != measured_s:
            heat = self._body.at(measured_s, self._fate.at(measured_s)).heat
            self._temperature = {TEMPERATURE: Reading(round(heat, 1), measured_s)}
        return self._temperature


def _last_round(at_s: float, every_s: float, offset_s: float) -> float:
    return (at_s - offset_s) // every_s * every_s + offset_s


def _arterial(signs: Signs, at_s: float) -> Readings:
    return _pressures(signs.pressure, at_s, (ART_SYS, ART_DIA, ART_MEAN))


def _pressures(systolic: float, at_s: float, metrics: tuple[Metric, Metric, Metric]) -> Readings:
    sys, dia = round(systolic), round(0.58 * systolic)
    return {
        metric: Reading(value, at_s)
        for metric, value in zip(metrics, (sys, dia, round((sys + 2 * dia) / 3)), strict=True)
    }


def _electrodes(signs: Signs, at_s: float, names: Collection[str]) -> Readings:
    """Heart and breath come by the same electrodes."""
    if "lead off" in names:
        return {}
    heart = min(MOST_HEART, signs.heart * (1.7 if ARTEFACT in names else 1.0))  # muscle counted as beats
    return {
        HEART_RATE: Reading(_counted(heart, LEAST_HEART), at_s),
        RESPIRATION: Reading(_counted(signs.breath, LEAST_BREATH), at_s),
    }


def _counted(rate: float, least: float) -> int:
    """A minute's count of what comes less often than `least` finds none."""
    return round(rate) if rate >= least else 0


def _finger(signs: Signs, at_s: float, names: Collection[str]) -> Readings:
    if "sensor off" in names or signs.pressure < NO_PULSE_BELOW:
        return {}
    oxygen = signs.oxygen - (9.0 if ARTEFACT in names else 0.0)
    return {SPO2: Reading(round(oxygen), at_s), PULSE: Reading(round(signs.heart), at_s)}
