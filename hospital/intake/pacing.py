"""A sender that sends more than its limit over MLLP is read more slowly. Nothing of it is refused, and no other waits.

Not reading fills the sender's own line: it waits for its answers, and so sends no faster than is taken. That it is so
is written down, and a timer makes an alert of it (alerts/overruns.py).
"""

import time

from sqlalchemy import update

from hospital import clock, records, settings
from hospital.records import Sender

_BURST_S = 5.0  # what its limit gives in this time goes through at once
_TELL_EVERY_S = 2.0
_MOST = 10_000  # senders and addresses, about 100 bytes each

Who = int | str


class Pace:
    """When the next message of each sender is due; of those who are no senders, of each address."""

    def __init__(self) -> None:
        self._due: dict[Who, float] = {}

    def wait_s(self, who: Who) -> float:
        """One more message of this sender has been taken: how long to read nothing more of it."""
        now, each_s = time.monotonic(), 60 / settings.current.mllp_per_minute
        due = max(self._due.get(who, 0.0), now - _BURST_S) + each_s
        if who not in self._due and len(self._due) >= _MOST:
            self._due.clear()
        self._due[who] = due
        return max(0.0, round(due - now, 6))


_told: dict[tuple[int, int], float] = {}  # when this process last wrote it down, by sender


def tell_over(sender_id: int) -> None:
    """Write down that this sender is over its limit now, every other second at most. Raises NotStored."""
    now, which = time.monotonic(), (records.generation(), sender_id)
    if now < _told.get(which, 0.0) + _TELL_EVERY_S:
        return
    _told[which] = now
    noted = update(Sender).where(Sender.id == sender_id).values(over_at=clock.now())
    records.write(None, lambda session: session.execute(noted))
