"""Lines that remember what they were given, and people who sit behind them."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hospital import clock, records
from hospital.access.sessions import COOKIE
from hospital.access.tokens import new_token, token_hash
from hospital.live.frame import Frame
from hospital.live.hub import RESTART, Audience, Hub, Watch
from hospital.live.relay import Relay
from hospital.records import Alert, Hospital, Person, PersonSession, Unit, journal
from hospital.roles import Right
from hospital.vocabulary import Happening
from tests.support.house import House, Visitor
from tests.support.sse import Event, events_of


class FakeLine:
    """Takes everything at once, as a socket whose reader keeps up."""

    transport = "sse"
    waiting_bytes = 0

    def __init__(self, hub: Hub, watch: Watch) -> None:
        self.watch = watch
        self.number = 0
        self.beat_at = watch.since
        self.resyncs = 0
        self.code = 0
        self.ended = False
        self.sent: list[bytes] = []
        self._hub = hub

    def send(self, data: bytes) -> None:
        assert not self.ended
        self.sent.append(data)

    def close(self, last: Frame | None = None, code: int = RESTART) -> None:
        self.code = code
        if last:
            self.send(last)
        self.ended = True
        self._hub.leave(self)

    @property
    def events(self) -> list[Event]:
        return events_of(b"".join(self.sent))

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def forget(self) -> None:
        self.sent.clear()


@dataclass(frozen=True)
class Shown:
    """One article of a frame."""

    alert_id: int
    version: int
    state: str
    html: str

    @property
    def is_hidden(self) -> bool:
        return " hidden>" in self.html


def shown(event: Event) -> list[Shown]:
    """What a frame holds, in its order."""
    found = []
    for html in re.findall(r"<article .*?</article>", event.data, re.S):
        numbers = re.match(r'<article id="alert-(\d+)".*? data-version="(\d+)"', html)
        state = re.search(r' data-state="(\w+)"', html)
        assert numbers and state, html
        found.append(Shown(int(numbers[1]), int(numbers[2]), state[1], html))
    return found


def audience_of(house: House, name: str) -> Audience:
    actor = house.actor(name)
    return Audience(actor.hospital_id, actor.scope, actor.may(Right.SEE_IDENTITY), "en", frozenset({"alerts"}))


def seat(house: House, name: str) -> tuple[str, PersonSession]:
    """A new session of this person, without the slow check of a password: its cookie and its row."""
    token, now = new_token(), clock.now()
    row = PersonSession(
        person_id=house.actor(name).person_id,
        token_hash=token_hash(token),
        csrf_token="for tests",
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=1),
    )
    records.write(None, lambda session: session.add(row))
    return token, row


def visitor_of(house: House, name: str) -> Visitor:
    """A browser of its own with such a session."""
    visitor = house.visitor()
    visitor.client.set_cookie(COOKIE, seat(house, name)[0])
    visitor.csrf_token = "for tests"
    return visitor


def watch_of(house: House, name: str, **changed: Any) -> Watch:
    """A new session of this person; `changed` are other fields of the audience."""
    _, row = seat(house, name)
    audience = replace(audience_of(house, name), **changed)
    with records.read() as session:
        person = session.get_one(Person, row.person_id)
    return Watch(audience, row.id, person.id, person.role, person.changed_at, row.created_at, row.expires_at)


def line_of(house: House, name: str, **changed: Any) -> FakeLine:
    """A line of this person that has not joined."""
    return FakeLine(house.relay.hub, watch_of(house, name, **changed))


def joined(house: House, name: str, after: str | None = None, **changed: Any) -> FakeLine:
    """A line of this person that has joined and forgotten its first words if it asked for no replay."""
    line = line_of(house, name, **changed)
    house.relay.join(line, after)
    if after is None:
        line.forget()
    return line


def cursor_of(relay: Relay, hospital_id: int) -> str:
    return relay._tails[hospital_id].cursor


def move(house: House, alert_id: int, unit_code: str) -> int:
    """Take an alert to another unit, as a transfer of its patient will one day; its new version."""
    hospital_id = house.alert(alert_id).hospital_id

    def act(session: Any) -> int:
        alert = session.get_one(Alert, alert_id)
        before = alert.unit_id
        alert.unit_id = session.query(Unit.id).filter_by(hospital_id=hospital_id, code=unit_code).scalar()
        line = journal.append(session, alert, Happening.UPDATED, at=clock.now())
        line.unit_before = before
        return line.number

    return records.write(hospital_id, act)


def put_back(house: House, code: str = "demo", **changed: Any) -> None:
    """Change the hospital's row as a restored backup does: another epoch, another head."""

    def act(session: Any) -> None:
        session.query(Hospital).filter_by(code=code).update(changed)

    records.write(None, act)
