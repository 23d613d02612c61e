"""Who watches what. An audience is everyone who gets the same bytes."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from hospital.fragments.ranges import HOURS
from hospital.live.frame import Frame
from hospital.roles import Role

Key = TypeVar("Key")

# `metrics:` and up to how many hours ago it counts: none of a range that does not go on.
METRICS = {hours: f"metrics:{hours}" for hours in (0, *HOURS)}
VIEWS = frozenset({"alerts", "patients", "metrics", "board", *METRICS.values()})
PATIENT = "patient:"  # and the patient's number: one patient's page

# How a line ends, in WebSocket's numbers; an event stream just ends.
RESTART = 1012  # come back
SIGNED_OUT = 4401  # sign in again; `auth` has said why


@dataclass(frozen=True)
class Audience:
    """Hospital, units (None: the unassigned), with identity or not, language and views: nothing of one person."""

    hospital_id: int
    units: frozenset[int | None]
    identity: bool
    language: str
    views: frozenset[str]

    def sees(self, unit_id: int | None) -> bool:
        return unit_id in self.units

    def wants_alert(self, patient_id: int | None) -> bool:
        """Alerts stand in the list, and on the page of the patient whom they are about."""
        return "alerts" in self.views or (patient_id is not None and f"{PATIENT}{patient_id}" in self.views)

    def wants_tile(self, patient_id: int) -> bool:
        return "patients" in self.views or f"{PATIENT}{patient_id}" in self.views

    @property
    def wants_alerts(self) -> bool:
        return "board" in self.views or "alerts" in self.views or any(view.startswith(PATIENT) for view in self.views)

    @property
    def wants_vitals(self) -> bool:
        return "patients" in self.views or any(view.startswith(PATIENT) for view in self.views)


class Line(Protocol):
    """One open stream: a socket in the outlet, or a queue of a test client."""

    watch: "Watch"
    number: int
    transport: str  # sse, websocket
    beat_at: datetime  # when it last took a beat
    resyncs: int  # how often it has lost frames
    ended: bool

    @property
    def waiting_bytes(self) -> int:
        """Of the frame begun, what its socket has not taken yet."""

    def send(self, frame: Frame) -> None:
        """Take this frame now or later, or put a resync in its place. Never blocks, never raises."""

    def close(self, last: Frame | None = None, code: int = RESTART) -> None:
        """Say `last`, and end."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is behind a line, so that it can be ended when they may no longer look.

    `changed_at`: of the person as they were when it was opened; another one means other rights.
    `narrows_at`: their emergency access ends then. `build`: of the page, if it told.
    """

    audience: Audience
    session_id: int
    person_id: int
    role: Role
    changed_at: datetime
    since: datetime
    expires_at: datetime
    build: str = ""
    narrows_at: datetime | None = None


class Hub:
    """All lines of this process, by audience, session and person."""

    def __init__(self) -> None:
        self._by_audience: dict[Audience, dict[int, Line]] = defaultdict(dict)
        self._by_person: dict[int, dict[int, Line]] = defaultdict(dict)

    def join(self, line: Line) -> None:
        self._by_audience[line.watch.audience][id(line)] = line
        self._by_person[line.watch.person_id][id(line)] = line

    def leave(self, line: Line) -> None:
        _take_out(self._by_audience, line.watch.audience, line)
        _take_out(self._by_person, line.watch.person_id, line)

    def audiences(self, hospital_id: int) -> list[Audience]:
        return [audience for audience in self._by_audience if audience.hospital_id == hospital_id]

    def hospitals(self) -> set[int]:
        return {audience.hospital_id for audience in self._by_audience}

    def lines(self, audience: Audience) -> list[Line]:
        return list(self._by_audience.get(audience, {}).values())

    def everyone(self) -> list[Line]:
        return [line for lines in list(self._by_audience.values()) for line in lines.values()]

    def of_person(self, person_id: int) -> list[Line]:
        return list(self._by_person.get(person_id, {}).values())

    def __len__(self) -> int:
        return sum(len(lines) for lines in self._by_audience.values())


def _take_out(table: dict[Key, dict[int, Line]], key: Key, line: Line) -> None:
    lines = table.get(key, {})
    lines.pop(id(line), None)
    if not lines:
        table.pop(key, None)
