"""What has changed since a screen last looked: a ring of the last journal lines of a hospital, no query."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from zoneinfo import ZoneInfo

from hospital import settings
from hospital.live.hub import Audience
from hospital.records.journal import cursor


@dataclass(frozen=True, slots=True)
class Touch:
    """What resume must know of a journal line: which alert, and in whose sight it was before and after."""

    number: int
    alert_id: int
    unit_before: int | None
    unit_after: int | None

    def seen_by(self, audience: Audience) -> bool:
        return audience.sees(self.unit_before) or audience.sees(self.unit_after)


class Gap(Exception):
    """The cursor cannot be continued; `why` is for the client's log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Tail:
    """The end of one hospital's journal, as far as it has been sent."""

    epoch: str
    sent: int
    zone: ZoneInfo
    code: str = ""  # of the hospital
    notices: int = 0  # how often its notices have changed
    ring: deque[Touch] = field(default_factory=lambda: deque(maxlen=settings.current.ring_lines))

    @property
    def cursor(self) -> str:
        return cursor(self.epoch, self.sent)

    def take(self, touches: Iterable[Touch]) -> None:
        for touch in touches:
            self.ring.append(touch)
            self.sent = touch.number

    def is_behind(self, after: str) -> bool:
        """A page can be newer than what has been sent: another process has rendered it, or the bell has just rung."""
        try:
            return self._number(after) > self.sent
        except Gap:
            return False

    def since(self, after: str) -> list[Touch]:
        """The lines after this cursor. Raises Gap: another epoch, nonsense, the future, or too long ago."""
        number = self._number(after)
        if number > self.sent:
            raise Gap("from the future")
        oldest = self.ring[0].number if self.ring else self.sent + 1
        if number + 1 < oldest:
            raise Gap("too old")
        return list(islice(self.ring, number + 1 - oldest, None))  # there is no gap in their numbers

    def _number(self, after: str) -> int:
        epoch, _, digits = after.rpartition("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            raise Gap("not a cursor")
        if epoch != self.epoch:
            raise Gap("another epoch")
        return int(digits)
