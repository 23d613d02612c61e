"""The body in a bed: what its signs are at any moment. Pure, and the same for the same name (seed and bed)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from hospital.simulator.episodes import ILLNESSES, Sign

DAY_S = 86_400


class Signs(NamedTuple):
    """The truth; devices see it through noise of their own."""

    heart: float
    breath: float
    oxygen: float
    pressure: float
    heat: float


@dataclass(frozen=True)
class _Habit:
    """How a sign behaves in a calm patient: its usual value from … to, its daily swing, slow drift and quick noise."""

    usual: tuple[float, float]
    swing: float
    drift: float
    noise: float
    possible: tuple[float, float]


_HABITS = {
    Sign.HEART: _Habit((64, 92), 5.0, 4.0, 1.3, (0, 240)),
    Sign.BREATH: _Habit((13.5, 18), 0.8, 1.0, 0.6, (0, 60)),
    Sign.OXYGEN: _Habit((95.5, 98), 0.2, 0.5, 0.35, (40, 100)),
    Sign.PRESSURE: _Habit((112, 140), 5.0, 5.0, 1.6, (15, 260)),
    Sign.HEAT: _Habit((36.5, 37.1), 0.3, 0.1, 0.03, (30, 43)),
}
_PACES = tuple(math.tau / period_s for period_s in (6_133, 1_709, 431))  # of the drift; they rarely fall together
_HIGHEST_AT_S = 17 * 3600.0  # the afternoon
_NOISE_LENGTHS = (997, 1009)  # two prime lengths: together it is days until they repeat


class Body:
    """`usual` overrides what is usual for it. `hour`: of the day when the ward's time is 0."""

    def __init__(self, name: str, usual: Mapping[Sign, float] | None = None, hour: float = 14.0) -> None:
        rng = Random(f"{name}/body")
        drawn = {sign: rng.uniform(*habit.usual) for sign, habit in _HABITS.items()}
        usual = drawn | dict(usual or {})
        phases = [[rng.uniform(0, math.tau) for _ in _PACES] for _ in _HABITS]
        noise = [[_smooth_noise(rng, length) for length in _NOISE_LENGTHS] for _ in _HABITS]
        self._rows: list[tuple[Sign, float, _Habit, list[float], list[list[float]]]] = [
            (sign, usual[sign], habit, own, tables)
            for (sign, habit), own, tables in zip(_HABITS.items(), phases, noise, strict=True)
        ]
        self._starts_at_s = hour * 3600

    def at(self, at_s: float, going_on: Iterable[tuple[str, float]] = ()) -> Signs:
        """The signs at a moment, with what is going on then (`Fate.at`). Before 0 is a moment too."""
        ills = [(ILLNESSES[what], severity) for what, severity in going_on if what in ILLNESSES]
        daily = math.cos(math.tau * (at_s + self._starts_at_s - _HIGHEST_AT_S) / DAY_S)
        second, signs = int(at_s), []
        slow, middling, quick = (at_s * pace for pace in _PACES)
        for sign, usual, habit, phases, (one, other) in self._rows:
            drift = math.sin(slow + phases[0]) + math.sin(middling + phases[1]) + math.sin(quick + phases[2])
            calm = usual + habit.swing * daily + habit.drift * drift / 2
            value = _drawn_to(calm, sign, ills) if ills else calm
            noise = habit.noise * (one[second % len(one)] + other[second % len(other)])
            value += noise * min(1.0, value / calm)  # a heart that stands still does not flutter
            low, high = habit.possible
            signs.append(min(high, max(low, value)))
        return Signs(*signs)


def _drawn_to(value: float, sign: Sign, ills: Iterable[tuple[Mapping[Sign, float], float]]) -> float:
    for ill, severity in ills:
        if sign in ill:
            value += severity * (ill[sign] - value)
    return max(0.0, value)


def _smooth_noise(rng: Random, length: int) -> list[float]:
    """Of about 0.7, so that two of them make 1; each second remembers the last, as averaging monitors do."""
    rough = [rng.gauss(0, 1) for _ in range(length)]
    return [(rough[n - 2] + rough[n - 1] + rough[n]) / 2.45 for n in range(length)]
