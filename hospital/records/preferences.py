"""How somebody wants to see things: theme, density, language. One JSON object beside each person."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator


class Theme(StrEnum):
    AUTO = "auto"  # what the device asks for
    LIGHT = "light"
    DARK = "dark"
    NIGHT = "night"


class Density(StrEnum):
    ROOMY = "roomy"
    COMPACT = "compact"


@dataclass(frozen=True)
class Preferences:
    """`language` '': what the browser asks for."""

    theme: Theme = Theme.AUTO
    density: Density = Density.ROOMY
    language: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Preferences":
        """What this version does not know, because another one wrote it, is as if nobody had chosen."""
        theme, density, language = (kept.get(name) for name in ("theme", "density", "language"))
        return cls(
            Theme(theme) if theme in list(Theme) else Theme.AUTO,
            Density(density) if density in list(Density) else Density.ROOMY,
            language if isinstance(language, str) else "",
        )

    def but(self, chosen: Mapping[str, str]) -> "Preferences":
        """With these choices in the place of the former ones."""
        return Preferences.of({**asdict(self), **chosen})


class Kept(TypeDecorator[Preferences]):
    """A column of preferences. It is replaced as a whole, never changed within."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Preferences | None, dialect: Dialect) -> dict[str, str]:
        return asdict(value or Preferences())

    def process_result_value(self, value: Any, dialect: Dialect) -> Preferences:
        return Preferences.of(value if isinstance(value, dict) else {})
