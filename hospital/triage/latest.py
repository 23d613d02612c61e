"""What is known of a patient now, from observations that come late and out of order."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital

# Ours, for clinical review: the heart's own signal before a pulse, an arterial line before a cuff.
_ORDER = (Source.ECG, Source.OXIMETER, Source.ARTERIAL, Source.CUFF, Source.OTHER)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Seen(Generic[Value]):
    """What a person saw, and when."""

    value: Value
    at: datetime


@dataclass(frozen=True)
class Latest:
    """The newest of everything, however old: whoever asks says how old is too old. None: never observed.

    Every time in it has its zone.
    """

    measured: Mapping[tuple[Vital, Source], Measured] = field(default_factory=lambda: MappingProxyType({}))
    consciousness: Seen[Consciousness] | None = None
    on_oxygen: Seen[bool] | None = None

    def to_json(self) -> dict[str, Any]:
        """For a column of the database."""
        return {
            "measured": [_measured_to_json(measured) for measured in self.measured.values()],
            "consciousness": _seen_to_json(self.consciousness),
            "on_oxygen": _seen_to_json(self.on_oxygen),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Latest":
        """What to_json gave; an empty mapping is a patient of whom nothing is known."""
        consciousness, on_oxygen = stored.get("consciousness"), stored.get("on_oxygen")
        return Latest(
            _by_source(_measured_from_json(measured) for measured in stored.get("measured", ())),
            Seen(Consciousness(consciousness["value"]), _time(consciousness)) if consciousness else None,
            Seen(on_oxygen["value"], _time(on_oxygen)) if on_oxygen else None,
        )


def take(latest: Latest, observations: ObservationSet) -> Latest:
    """`latest` and what is newer in `observations`; an older value never replaces one, nor an equally old one that does
    not correct it.

    A value keeps its own time, which may be earlier than its set's. What is no number (NaN, infinity) is left out.
    """
    finite = (measured for measured in observations.measured if math.isfinite(measured.value))
    return Latest(
        _by_source([*latest.measured.values(), *finite]),
        _newer(latest.consciousness, observations.consciousness, observations),
        _newer(latest.on_oxygen, observations.on_oxygen, observations),
    )


def current(latest: Latest, vital: Vital, now: datetime, not_older_than: timedelta) -> Measured | None:
    """The value to show and to score: from the first source in order that is fresh enough, even if another is newer.

    Exactly as old as `not_older_than` is fresh. So is a value from the future: a sender's clock may be a little ahead.
    """
    return next(iter(_fresh(latest, vital, now, not_older_than)), None)


def newest(latest: Latest, vital: Vital, now: datetime, not_older_than: timedelta) -> Measured | None:
    """The newest value from any source, if it is fresh enough; of equally new ones the first source in order."""
    return max(_fresh(latest, vital, now, not_older_than), key=lambda measured: measured.at, default=None)


def still(seen: Seen[Value] | None, now: datetime, not_older_than: timedelta) -> Value | None:
    """What was seen, if that was not too long ago."""
    return seen.value if seen is not None and now - seen.at <= not_older_than else None


def _fresh(latest: Latest, vital: Vital, now: datetime, not_older_than: timedelta) -> list[Measured]:
    """In the order of sources."""
    known = (latest.measured.get((vital, source)) for source in _ORDER)
    return [measured for measured in known if measured is not None and now - measured.at <= not_older_than]


def _by_source(every: Iterable[Measured]) -> Mapping[tuple[Vital, Source], Measured]:
    newest_of: dict[tuple[Vital, Source], Measured] = {}
    for measured in every:
        key = measured.vital, measured.source
        known = newest_of.get(key)
        if known is None or measured.at > known.at or (measured.corrects and measured.at == known.at):
            newest_of[key] = measured
    return MappingProxyType(newest_of)


def _newer(seen: Seen[Value] | None, value: Value | None, observations: ObservationSet) -> Seen[Value] | None:
    at = observations.at
    if value is None or (seen is not None and (at < seen.at or (at == seen.at and not observations.corrects))):
        return seen
    return Seen(value, at)


def _measured_to_json(measured: Measured) -> dict[str, Any]:
    return {
        "vital": measured.vital.value,
        "source": measured.source.value,
        "value": measured.value,
        "at": measured.at.isoformat(),
        "verified": measured.verified,
    }


def _measured_from_json(stored: Mapping[str, Any]) -> Measured:
    return Measured(
        Vital(stored["vital"]), Source(stored["source"]), stored["value"], _time(stored), stored["verified"]
    )


def _seen_to_json(seen: Seen[Any] | None) -> dict[str, Any] | None:
    return {"value": seen.value, "at": seen.at.isoformat()} if seen is not None else None


def _time(stored: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(stored["at"])
