"""So many a minute from one person, counted in this process: for what is cheap to refuse and no harm to lose."""

import time
from collections import Counter

_MINUTE_S = 60


class PerMinute:
    """How often each person has come since the minute began."""

    def __init__(self) -> None:
        self._minute = 0
        self._taken: Counter[int] = Counter()

    def takes(self, person_id: int, most: int) -> bool:
        minute = int(time.monotonic() // _MINUTE_S)
        if minute != self._minute:
            self._minute, self._taken = minute, Counter()
        self._taken[person_id] += 1
        return self._taken[person_id] <= most


def next_minute_s() -> int:
    """How long until everybody may come again."""
    return _MINUTE_S - int(time.monotonic() % _MINUTE_S)
