"""A time on a page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Moment:
    """A time for a page: `iso` for scripts, `text` in the hospital's zone for eyes, with its date when `old`.

    `iso` tells milliseconds and no more: HTML knows nothing finer.
    """

    iso: str
    text: str
    old: bool = False


def moment(at: datetime, zone: ZoneInfo, *, old: bool = False, seconds: bool = False) -> Moment:
    form = ("%Y-%m-%d " if old else "") + ("%H:%M:%S" if seconds else "%H:%M")
    iso = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Moment(iso, at.astimezone(zone).strftime(form), old)


def moment_or_none(at: datetime | None, zone: ZoneInfo) -> Moment | None:
    return moment(at, zone) if at else None
