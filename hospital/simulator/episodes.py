"""What befalls a bed, and when: slow sepsis, a lack of oxygen, a loose lead. Pure: an episode is a place in time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from random import Random


class Sign(StrEnum):
    """What the body does, whether or not a device sees it."""

    HEART = "heart"  # beats a minute
    BREATH = "breath"  # breaths a minute
    OXYGEN = "oxygen"  # % saturation
    PRESSURE = "pressure"  # systolic, mmHg
    HEAT = "heat"  # °C


# Where each sign is at full strength; what is not named stays as it is.
ILLNESSES: Mapping[str, Mapping[Sign, float]] = {
    "sepsis": {Sign.HEART: 130, Sign.BREATH: 29, Sign.OXYGEN: 91, Sign.PRESSURE: 82, Sign.HEAT: 39.4},
    "hypoxia": {Sign.OXYGEN: 77, Sign.HEART: 114, Sign.BREATH: 28},
    "arrest": {Sign.HEART: 0, Sign.BREATH: 0, Sign.OXYGEN: 55, Sign.PRESSURE: 24},
    "desaturation": {Sign.OXYGEN: 86},
    "tachycardia": {Sign.HEART: 138, Sign.PRESSURE: 112},
    "bradycardia": {Sign.HEART: 41, Sign.PRESSURE: 104},
    "hypotension": {Sign.PRESSURE: 79},
    "hypertension": {Sign.PRESSURE: 194},
    "tachypnoea": {Sign.BREATH: 30},
    "apnoea": {Sign.BREATH: 0, Sign.OXYGEN: 87},
    "fever": {Sign.HEAT: 39.6, Sign.HEART: 106},
}
FAULTS = ("lead off", "sensor off", "occlusion")
ARTEFACT = "movement"
KINDS = frozenset({*ILLNESSES, *FAULTS, ARTEFACT})


@dataclass(frozen=True)
class Episode:
    """Seconds of ward time; `lasts_s` is from its start to its very end, with the rise and the fall inside."""

    what: str
    starts_s: float
    lasts_s: float
    rises_s: float = 0.0
    falls_s: float = 0.0
    strength: float = 1.0

    def severity(self, at_s: float) -> float:
        """0 outside, `strength` on its height; a smooth rise and fall."""
        since, left = at_s - self.starts_s, self.starts_s + self.lasts_s - at_s
        if since < 0 or left <= 0:
            return 0.0
        part = min(1.0, since / self.rises_s if self.rises_s else 1.0, left / self.falls_s if self.falls_s else 1.0)
        return self.strength * part * part * (3 - 2 * part)


@dataclass(frozen=True)
class _Chance:
    """`share`: of a hundred; the rest: seconds from … to."""

    what: str
    share: int
    lasts_s: tuple[int, int]
    change_s: tuple[int, int]


@dataclass(frozen=True)
class _Track:
    """In each slot of time a bed has at most one episode of a track, with this likelihood for a calm patient."""

    name: str
    slot_s: int
    likelihood: float
    chances: tuple[_Chance, ...]


_TRACKS = (
    _Track("illness", 900, 0.4, (
        _Chance("desaturation", 34, (60, 300), (15, 50)),
        _Chance("tachycardia", 20, (90, 400), (8, 40)),
        _Chance("tachypnoea", 16, (80, 360), (20, 50)),
        _Chance("bradycardia", 10, (60, 300), (8, 30)),
        _Chance("hypotension", 8, (500, 890), (100, 200)),
        _Chance("hypertension", 4, (500, 890), (100, 200)),
        _Chance("hypoxia", 5, (120, 420), (20, 60)),
        _Chance("apnoea", 3, (40, 75), (4, 8)),
    )),
    _Track("device", 1200, 0.29, (
        _Chance("lead off", 42, (25, 300), (0, 0)),
        _Chance("sensor off", 38, (25, 300), (0, 0)),
        _Chance("occlusion", 20, (30, 240), (0, 0)),
    )),
    _Track("artefact", 240, 0.3, (_Chance(ARTEFACT, 100, (3, 9), (0, 0)),)),
)  # fmt: skip


class Fate:
    """Every episode of one bed: those that its scenario tells, and small ones by chance.

    The same `name` (seed and bed) has the same fate. `unruliness` multiplies the chances; 0: only the scenario's.
    """

    def __init__(self, name: str, unruliness: float, told: Iterable[Episode] = ()) -> None:
        self._name, self._unruliness, self._told = name, unruliness, tuple(told)
        self._in_slot = lru_cache(maxsize=8)(self._drawn)

    def at(self, at_s: float) -> Iterator[tuple[str, float]]:
        """What is going on at a moment, and how strongly."""
        for episode in (*self._told, *self._by_chance(at_s)):
            if (severity := episode.severity(at_s)) > 0:
                yield episode.what, severity

    def _by_chance(self, at_s: float) -> Iterator[Episode]:
        if self._unruliness > 0:
            for number, track in enumerate(_TRACKS):
                if (episode := self._in_slot(number, at_s // track.slot_s)) is not None:
                    yield episode

    def _drawn(self, number: int, slot: float) -> Episode | None:
        track = _TRACKS[number]
        rng = Random(f"{self._name}/{track.name}/{slot:.0f}")
        if slot < 0 or rng.random() >= min(0.9, track.likelihood * self._unruliness):
            return None
        chance = rng.choices(track.chances, [chance.share for chance in track.chances])[0]
        lasts_s = rng.randint(*chance.lasts_s)
        starts_s = slot * track.slot_s + rng.uniform(0, track.slot_s - lasts_s)
        rises_s, falls_s = rng.randint(*chance.change_s), rng.randint(*chance.change_s)
        return Episode(chance.what, starts_s, lasts_s, rises_s, falls_s, rng.uniform(0.85, 1.15))
