"""A time on a page."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hospital import clock


@dataclass(frozen=True)
class Moment:
    """A time for a page: `iso` for scripts, `text` in the hospital's zone for eyes, with its date when `old`."""

    iso: str
    text: str
    old: bool = False


def moment(at: datetime, zone: ZoneInfo, *, old: bool = False, seconds: bool = False) -> Moment:
    form = ("%Y-%m-%d " if old else "") + ("%H:%M:%S" if seconds else "%H:%M")
    return Moment(clock.iso(at), at.astimezone(zone).strftime(form), old)


def moment_or_none(at: datetime | None, zone: ZoneInfo) -> Moment | None:
    return moment(at, zone) if at else None
