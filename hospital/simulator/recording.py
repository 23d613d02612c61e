"""What is played again: messages in their order, that can be written with their dates moved."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Render = Callable[[timedelta, str], bytes]


@dataclass(frozen=True)
class Item:
    """One message of a recording. `at_s`: since its recording's first; `render` writes it with its dates moved by so
    much, under a control id (which messages that have one of their own do not take)."""

    at_s: float
    render: Render


@dataclass
class Recording:
    """`last`: the time of its last message, from which dates are moved; None: it tells no time, and none is moved."""

    items: list[Item]
    last: datetime | None
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def lasts_s(self) -> float:
        return self.items[-1].at_s if self.items else 0.0
