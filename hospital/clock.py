"""The one clock. Everything that asks for the time asks here, so that tests can turn it."""

from datetime import UTC, datetime, timedelta

_turned_by = timedelta(0)
_stopped_at: datetime | None = None


def now() -> datetime:
    """The time in UTC, with its zone."""
    return (_stopped_at or datetime.now(UTC)) + _turned_by


def turn(by: timedelta) -> None:
    """Tests only: let time jump."""
    global _turned_by
    _turned_by += by


def stop(at: datetime | None = None) -> None:
    """Tests only: let time stand still; turn() then moves it."""
    global _stopped_at, _turned_by
    _stopped_at, _turned_by = at or datetime.now(UTC), timedelta(0)


def reset() -> None:
    """Tests only: back to the real time."""
    global _stopped_at, _turned_by
    _stopped_at, _turned_by = None, timedelta(0)


def iso(moment: datetime) -> str:
    """2026-11-22T14:02:31.123456Z: one spelling for hashes, frames and pages."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
