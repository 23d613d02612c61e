"""Which time alerts are counted in: up to now, or from one moment to another; and the bars that it is drawn in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from hospital import clock
from hospital.fragments import language

HOURS = (1, 24, 168, 720)  # up to now; the second is what is shown unasked
LONGEST = timedelta(days=92)

_MINUTE, _HOUR, _DAY = 1, 60, 1_440
# Up to how long a time is drawn in bars of how many minutes, and at which of them a word stands, in minutes of a day.
_BARS = (
    (timedelta(hours=3), 5 * _MINUTE, 15 * _MINUTE),
    (timedelta(hours=30), _HOUR, 3 * _HOUR),
    (timedelta(days=3), _HOUR, 12 * _HOUR),
    (timedelta(days=10), 6 * _HOUR, _DAY),
    (LONGEST, _DAY, _DAY),
)
_WORDS_MOST = 8  # under the bars of many days


@dataclass(frozen=True)
class Range:
    """`hours` up to now; 0: somebody's own, which does not go on."""

    since: datetime
    until: datetime
    hours: int = 0

    @classmethod
    def up_to_now(cls, hours: int) -> "Range":
        return cls((now := clock.now()) - timedelta(hours=hours), now, hours)

    @property
    def bar_minutes(self) -> int:
        return self._drawn()[0]

    def bars(self, zone: ZoneInfo) -> list[datetime]:
        """When each begins: at a whole one of the hospital's clocks, but for the first. An hour that the clocks repeat
        in autumn is one bar."""
        minutes = self.bar_minutes
        local = self.since.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        first = (local.hour * 60 + local.minute) // minutes
        many = (self.until - self.since) // timedelta(minutes=minutes) + 3
        whole = {(midnight + timedelta(minutes=minutes * (first + n))).astimezone(UTC) for n in range(many)}
        return [self.since, *sorted(edge for edge in whole if self.since < edge < self.until)]

    def words(self, zone: ZoneInfo) -> list[str]:
        """Of each bar what stands under it: a time, at midnight the day; '' for most."""
        bars = [bar.astimezone(zone) for bar in self.bars(zone)]
        if self.bar_minutes == _DAY:
            every = -(-len(bars) // _WORDS_MOST)
            return [_day(bar) if (len(bars) - 1 - n) % every == 0 else "" for n, bar in enumerate(bars)]
        every = self._drawn()[1]
        return [_time(bar) if n and (bar.hour * 60 + bar.minute) % every == 0 else "" for n, bar in enumerate(bars)]

    def _drawn(self) -> tuple[int, int]:
        return next((bar, word) for longest, bar, word in _BARS if self.until - self.since <= longest)


def _time(bar: datetime) -> str:
    return bar.strftime("%H:%M") if bar.hour or bar.minute else _day(bar)


def _day(bar: datetime) -> str:
    """'4 Mar', in the reader's language."""
    return format_datetime(bar, "d MMM", locale=language.current())
