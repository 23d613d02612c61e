"""What happened, as everybody noted it: intake, people, screens, faults. Moments are seconds of time.monotonic()."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from tests.support.pieces import Cursor

Kind = TypeVar("Kind", bound="Noted")


@dataclass(frozen=True, kw_only=True)
class Noted:
    at: float = field(default_factory=monotonic)


@dataclass(frozen=True)
class Accepted(Noted):
    """Intake has answered that it has this alarm. `alert_id`: the sender's own name for it."""

    hospital: str
    control_id: str
    alert_id: str


@dataclass(frozen=True)
class Sent(Noted):
    """A person's act leaves their screen, for the first time or again."""

    person: str
    act: str
    alert: int
    key: str
    pressed_at: float


@dataclass(frozen=True)
class Answered(Noted):
    """What the server said to it. `version`: of the alert after the act; 0 where it was refused."""

    person: str
    act: str
    alert: int
    key: str
    status: int
    version: int


@dataclass(frozen=True)
class Opened(Noted):
    """A screen begins. `units` None: the unassigned are among them (charge nurses)."""

    screen: str
    hospital: str
    units: frozenset[str | None]
    session: str


@dataclass(frozen=True)
class Closed(Noted):
    screen: str


@dataclass(frozen=True)
class Shown(Noted):
    """A screen shows this version of an alert from now on. `epoch` '': not known to whoever looked (a browser)."""

    screen: str
    epoch: str
    alert: int
    version: int
    state: str


@dataclass(frozen=True)
class Removed(Noted):
    """An alert has gone from a screen."""

    screen: str
    alert: int


@dataclass(frozen=True)
class Told(Noted):
    """A screen has been told a number. `by`: hello, frame, beat, resync, page; the last four move its cursor."""

    screen: str
    cursor: Cursor
    by: str


@dataclass(frozen=True)
class Says(Noted):
    """A screen says from now on that it is live, delayed, stale or signed-out."""

    screen: str
    state: str


@dataclass(frozen=True)
class Marked(Noted):
    """A screen was sent these words, whatever it then did with them."""

    screen: str
    marks: frozenset[str]


@dataclass(frozen=True)
class Doubled(Noted):
    """Two elements of one alert stand on a screen."""

    screen: str
    alert: int


@dataclass(frozen=True)
class Frozen(Noted):
    """A screen cannot change until then, whatever it says: its browser was stopped."""

    screen: str
    until: float


@dataclass(frozen=True)
class Revoked(Noted):
    """A session may see nothing from now on."""

    session: str


@dataclass(frozen=True)
class Restored(Noted):
    """A backup was put back: this epoch is true up to `head` only, and what intake took after `since` is lost."""

    hospital: str
    epoch: str
    head: int
    since: float


@dataclass(frozen=True)
class Fault(Noted):
    """Something was done to them, until then. Screens may say that they are not current; told with a verdict."""

    what: str
    until: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "until", max(self.until, self.at))


class History:
    """Appended to by many threads, read when all is over."""

    def __init__(self) -> None:
        self._entries: list[Noted] = []
        self.began = monotonic()
        self.ended = 0.0

    def end(self) -> None:
        """What is so now is what was so in the end."""
        self.ended = monotonic()

    def note(self, entry: Noted) -> None:
        self._entries.append(entry)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return sorted((entry for entry in self._entries if isinstance(entry, kind)), key=lambda entry: entry.at)

    def everything(self) -> Iterator[Noted]:
        """In the order of time; at the same instant as it was noted."""
        yield from sorted(self._entries, key=lambda entry: entry.at)

    def faults_at(self, at: float) -> str:
        """What had been done in the ten seconds before, for a verdict's sentence."""
        return ", ".join(fault.what for fault in self.of(Fault) if at - 10 < fault.at <= at)
