"""Who has opened a line a moment ago and opens another: after an outage everybody is back at once, with every tab.

For the doors of lines alone, where it saves most of what opening costs. Whether a sign-in has ended meanwhile is looked
up at the next beat, as for every line (live/relay.py looks further back than anything is kept here).
"""

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from hospital import clock

LINES = ("/live/stream", "/live/socket")
_KEPT_S = 5.0
_MOST = 20_000  # about 1 kB each


class _Session(Protocol):
    @property
    def session_id(self) -> int: ...

    @property
    def holds_until(self) -> datetime: ...


Who = TypeVar("Who", bound=_Session)


class Lately(Generic[Who]):
    def __init__(self, find: Callable[[str], Who | None]) -> None:
        self._find = find
        self._known: dict[str, tuple[float, Who]] = {}

    def find(self, token: str) -> Who | None:
        """The living session of this token, as it was at most a few seconds ago; None if there is none."""
        now = time.monotonic()
        kept = self._known.get(token)
        if kept is not None and now - kept[0] < _KEPT_S and clock.now() < kept[1].holds_until:
            return kept[1]
        who = self._find(token)
        if who is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[token] = now, who
        return who

    def forget(self, session_ids: Collection[int]) -> None:
        """These have ended, or may do other things now."""
        if session_ids:
            self._known = {token: kept for token, kept in self._known.items() if kept[1].session_id not in session_ids}
