"""Scenario files: who lies where, and which episode starts when. What a scenario leaves open, the seed fills.

A file is one JSON object; every key may be left out:

    {
      "title": "One septic patient",
      "hour": 14,               the time of day when the ward's time begins, 0 to 24
      "unruliness": 1,          how often small things happen by chance, over the whole ward; 0: only what stands here
      "beds": [{
        "bed": "MED-03",        a bed of the ward; what is said of beds that a run leaves out (--beds) is left out too
        "patient": {"number": "SIM1", "family": "Invented", "given": "Ann", "born": "1951-02-03", "sex": "F"},
                                null: somebody whom nobody has told the monitor; left out: an invented one
        "usual": {"heart": 88, "breath": 21, "oxygen": 91, "pressure": 130, "heat": 36.8},
        "limits": {"SPO2": [86, 100]},         by names of `codes`: HEART_RATE, SPO2, RESPIRATION, CUFF_SYS …
        "unruliness": 0,
        "cuff_every_s": 300,    null: an arterial line
        "temperature_every_s": 600,            null: all the time
        "episodes": [{
          "what": "sepsis",     of `episodes.KINDS`
          "starts_s": -600,     of ward time; before 0: it is under way when the run begins
          "lasts_s": 7200,      from its start to its very end …
          "rises_s": 1800,      … of which it needs so long to its height (0: at once)
          "falls_s": 600,       … and so long to die away
          "strength": 1
        }]
      }]
    }
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

from hospital.simulator import codes
from hospital.simulator.codes import Metric
from hospital.simulator.episodes import KINDS, Episode, Sign
from hospital.simulator.limits import RANGES, Range
from hospital.simulator.patients import Patient

SHIPPED = Path(__file__).parent / "scenarios"
DEFAULT = "ward"
_METRICS = {name: metric for name, metric in vars(codes).items() if isinstance(metric, Metric) and metric in RANGES}
_LEFT_OUT: Any = object()


class BadScenario(Exception):
    """A scenario cannot be read; the text says where and why."""


@dataclass(frozen=True)
class Lying:
    """What a scenario says of one bed. `said`: the names of its settings that it says; the others are left open."""

    patient: Patient | None = None
    usual: Mapping[Sign, float] = field(default_factory=dict)
    limits: Mapping[Metric, Range] = field(default_factory=dict)
    unruliness: float | None = None
    cuff_every_s: int | None = None
    temperature_every_s: int | None = None
    episodes: tuple[Episode, ...] = ()
    said: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scenario:
    title: str = ""
    hour: float = 14.0
    unruliness: float = 1.0
    beds: Mapping[str, Lying] = field(default_factory=dict)


def load(name: str) -> Scenario:
    """A file, or one of `scenarios/` by its name alone. Raises BadScenario."""
    path = SHIPPED / f"{name}.json" if (SHIPPED / f"{name}.json").is_file() else Path(name)
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json")))
        raise BadScenario(f"{path}: {error.strerror} (shipped are: {shipped})") from None
    except ValueError as error:  # no JSON, no UTF-8
        raise BadScenario(f"{path}: {error}") from None
    except BadScenario as error:
        raise BadScenario(f"{path}: {error}") from None


def read(told: Any) -> Scenario:
    """From parsed JSON. Raises BadScenario."""
    known = _object(told, "scenario", {"title", "hour", "unruliness", "beds"})
    beds: dict[str, Lying] = {}
    for n, one in enumerate(_list(known.get("beds", []), "beds")):
        where = f"beds[{n}]"
        name = _text(_object(one, where, {"bed", *(item.name for item in fields(Lying))} - {"said"}), "bed", where)
        if name in beds:
            raise BadScenario(f"{where}: {name} was named before")
        beds[name] = _lying(one, f"{where} ({name})")
    number = _number_of(known, "scenario")
    return Scenario(str(known.get("title", "")), number("hour", 14.0), number("unruliness", 1.0, low=0), beds)


def _lying(told: Mapping[str, Any], where: str) -> Lying:
    number = _number_of(told, where)
    return Lying(
        patient=_patient(told.get("patient"), f"{where}.patient"),
        usual=_usual(told.get("usual", {}), f"{where}.usual"),
        limits=_limits(told.get("limits", {}), f"{where}.limits"),
        unruliness=number("unruliness", 0.0, low=0) if "unruliness" in told else None,
        cuff_every_s=_every(told, "cuff_every_s", where),
        temperature_every_s=_every(told, "temperature_every_s", where),
        episodes=tuple(
            _episode(one, f"{where}.episodes[{n}]") for n, one in enumerate(_list(told.get("episodes", []), where))
        ),
        said=frozenset(told),
    )


def _patient(told: Any, where: str) -> Patient | None:
    if told is None:
        return None
    known = _object(told, where, {item.name for item in fields(Patient)})
    number, family, given, born, sex = (
        _text(known, key, where) for key in ("number", "family", "given", "born", "sex")
    )
    try:
        return Patient(number, family, given, date.fromisoformat(born), sex)
    except ValueError:
        raise BadScenario(f"{where}.born: not a date like 1951-02-03") from None


def _usual(told: Any, where: str) -> dict[Sign, float]:
    number = _number_of(_object(told, where, set(Sign)), where)
    return {Sign(sign): number(sign) for sign in told}


def _limits(told: Any, where: str) -> dict[Metric, Range]:
    known = _object(told, where, set(_METRICS))
    for name, pair in known.items():
        if not (isinstance(pair, list) and len(pair) == 2 and all(_is_number(side) for side in pair)):
            raise BadScenario(f"{where}.{name}: not a pair of numbers")
    return {_METRICS[name]: (low, high) for name, (low, high) in known.items()}


def _every(told: Mapping[str, Any], key: str, where: str) -> int | None:
    return None if told.get(key) is None else int(_number_of(told, where)(key, low=60))


def _episode(told: Any, where: str) -> Episode:
    known = _object(told, where, {item.name for item in fields(Episode)})
    what = _text(known, "what", where)
    if what not in KINDS:
        raise BadScenario(f"{where}.what: {what!r} is none of {', '.join(sorted(KINDS))}")
    number = _number_of(known, where)
    return Episode(
        what,
        number("starts_s"),
        number("lasts_s", low=0),
        number("rises_s", 0.0, low=0),
        number("falls_s", 0.0, low=0),
        number("strength", 1.0, low=0),
    )


def _object(told: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise BadScenario(f"{where}: not an object")
    if unknown := set(told) - keys:
        raise BadScenario(f"{where}: {', '.join(sorted(unknown))} unknown here; known are {', '.join(sorted(keys))}")
    return told


def _list(told: Any, where: str) -> list[Any]:
    if not isinstance(told, list):
        raise BadScenario(f"{where}: not a list")
    return told


def _text(told: Mapping[str, Any], key: str, where: str) -> str:
    if not isinstance(told.get(key), str) or not told[key]:
        raise BadScenario(f"{where}.{key}: a text is missing")
    return str(told[key])


def _number_of(told: Mapping[str, Any], where: str) -> Callable[..., float]:
    def number(key: str, otherwise: float = _LEFT_OUT, low: float | None = None) -> float:
        value = told.get(key, otherwise)
        if not _is_number(value):
            raise BadScenario(f"{where}.{key}: a number is missing")
        if low is not None and value < low:
            raise BadScenario(f"{where}.{key}: less than {low:g}")
        return float(value)

    return number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
