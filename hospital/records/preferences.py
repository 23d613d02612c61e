"""How somebody wants to see and hear things: one JSON object beside each person, a wall board's among them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

from hospital import settings


class Theme(StrEnum):
    AUTO = "auto"  # what the device asks for
    LIGHT = "light"
    DARK = "dark"
    NIGHT = "night"


class Density(StrEnum):
    ROOMY = "roomy"
    COMPACT = "compact"


class Sound(StrEnum):
    ON = "on"
    OFF = "off"


class Letters(StrEnum):
    """Of a wall: read at four metres, or at five."""

    USUAL = "usual"
    LARGE = "large"


VOLUMES = range(10, 101, 10)  # percent; nobody turns it to nothing without saying that it is off


@dataclass(frozen=True)
class Preferences:
    """`language` '': what the browser asks for. `unit` (a code), `priority`, `who`: what the list of alerts begins with
    where its address says nothing; '' for all. `letters`, `night` ('21:00–07:00'; '': the server's) are a wall's.
    """

    theme: Theme = Theme.AUTO
    density: Density = Density.ROOMY
    language: str = ""
    sound: Sound = Sound.ON
    volume: int = 60
    unit: str = ""
    priority: str = ""
    who: str = ""
    letters: Letters = Letters.USUAL
    night: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Preferences":
        """What this version does not know, because another one wrote it, is as if nobody had chosen."""
        known: dict[str, Any] = {}
        for name, read in _READ.items():
            with suppress(KeyError, TypeError, ValueError):
                known[name] = read(kept[name])
        return cls(**known)

    def but(self, chosen: Mapping[str, str]) -> "Preferences":
        """With these choices in the place of the former ones."""
        return Preferences.of({**asdict(self), **chosen})

    @property
    def night_hours(self) -> tuple[str, str]:
        """From when to when a wall is dark, as 'HH:MM' on the hospital's clocks; twice the same: never."""
        if self.night:
            begins, _, ends = self.night.partition("–")
            return begins, ends
        return _time(settings.current.board_night_from_h), _time(settings.current.board_night_to_h)


class Kept(TypeDecorator[Preferences]):
    """A column of preferences. It is replaced as a whole, never changed within."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Preferences | None, dialect: Dialect) -> dict[str, Any]:
        return asdict(value or Preferences())

    def process_result_value(self, value: Any, dialect: Dialect) -> Preferences:
        return Preferences.of(value if isinstance(value, dict) else {})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _volume(value: Any) -> int:
    if (volume := int(value)) not in VOLUMES:
        raise ValueError(value)
    return volume


_READ: dict[str, Callable[[Any], Any]] = {
    "theme": Theme,
    "density": Density,
    "language": _text,
    "sound": Sound,
    "volume": _volume,
    "unit": _text,
    "priority": _text,
    "who": _text,
    "letters": Letters,
    "night": _text,
}


def _time(hour: float) -> str:
    """'21:30' of 21.5."""
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
