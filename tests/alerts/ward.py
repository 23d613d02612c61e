"""A ward at the level of the acts: monitors that alarm, people who act, and what was written down about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import background, clock, records
from hospital.alerts.acknowledging import acknowledge
from hospital.alerts.escalating import escalate
from hospital.alerts.noting import note
from hospital.alerts.raising import Report, clear_reported, raise_alert
from hospital.alerts.refusals import Refusal
from hospital.alerts.resolving import resolve
from hospital.alerts.rights import Seen
from hospital.records import Acknowledgement, Alert, Hospital, JournalLine, Note, Sender, Stay, Unit
from hospital.roles import Actor
from hospital.triage.alarm import Alarm, Place, Subject
from hospital.triage.assess import Assessment, Outcome
from hospital.vocabulary import AlertKind, Priority, State
from tests.support.house import House

T = TypeVar("T")

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TILDA = Subject("4711", "Ward", "Testmann, Tilda", date(1961, 3, 1), "F")
OTTO = Subject("4712", "Ward", "Probst, Otto", date(1950, 12, 24), "M")
SPO2_LOW = Alarm(
    alert_id="A1",
    event_code=196670,
    source_code=150456,
    text="SpO2 low",
    kind=AlertKind.PHYSIOLOGICAL,
    priority=Priority.MEDIUM,
    phase=None,
    state=None,
    value="84",
    unit="%",
    low=90.0,
    high=100.0,
    observed_at=None,
)


def report(
    *,
    bed: str = "MED-07",
    unit_code: str = "MED",
    alert_id: str = "A1",
    priority: Priority | None = Priority.MEDIUM,
    latched: bool = False,
    starts: bool = False,
    patient: Subject | None = TILDA,
    **alarm: Any,
) -> Report:
    """SpO2 84 < 90 % of Tilda in MED-07, as triage hands it on.

    `bed` and `unit_code` are the place, `priority` None is not sent, `alarm` are other fields of the alarm.
    """
    assessment = Assessment(
        Outcome.RAISE, priority or Priority.MEDIUM, priority is not None, latched=latched, starts=starts
    )
    told = replace(SPO2_LOW, alert_id=alert_id, priority=priority, **alarm)
    return Report(told, assessment, patient, Place(unit_code, "", bed), clock.now())


class Ward:
    """Its clock stands still at noon; `pass_time` moves it."""

    def __init__(self, house: House) -> None:
        self.house = house
        clock.stop(NOON)

    # ---- Monitors

    def alarm(self, *, gateway: str = "demo", **how: Any) -> int:
        """An alarm (see report) reaches us; the id of its alert. `gateway`: which sender, '<hospital>[/<name>]'."""
        told, sender_id = report(**how), self.sender(gateway)
        return self._write(gateway, lambda session: raise_alert(session, session.get_one(Sender, sender_id), told).id)

    def end(self, *, gateway: str = "demo", **how: Any) -> int | None:
        """The monitor says that the alarm has ended; the id of its alert, None: there was none."""
        told, sender_id = report(**how), self.sender(gateway)

        def act(session: Session) -> int | None:
            alert = clear_reported(session, session.get_one(Sender, sender_id), told)
            return alert.id if alert else None

        return self._write(gateway, act)

    def sender(self, gateway: str, *, training: bool = False) -> int:
        """The gateway's id; made at its first word."""
        hospital_id = self.house.hospital(gateway.partition("/")[0]).id
        with records.read() as session:
            known = session.scalar(select(Sender.id).where(Sender.name == gateway))
        if known is not None:
            return known
        fresh = Sender(
            hospital_id=hospital_id,
            name=gateway,
            application=gateway,
            facility="",
            authority=f"{gateway} numbers",
            training=training,
            created_at=clock.now(),
        )
        records.write(None, lambda session: session.add(fresh))
        return fresh.id

    # ---- People

    def acknowledge(self, who: str | Actor, alert_id: int, **seen: Any) -> Alert:
        return self._act(acknowledge, who, alert_id, Seen(**seen))

    def escalate(self, who: str | Actor, alert_id: int, **seen: Any) -> Alert:
        return self._act(escalate, who, alert_id, Seen(**seen))

    def resolve(self, who: str | Actor, alert_id: int, **seen: Any) -> Alert:
        return self._act(resolve, who, alert_id, Seen(**seen))

    def note(self, who: str | Actor, alert_id: int, words: str) -> Alert:
        return self._act(note, who, alert_id, words)

    def person(self, name: str) -> int:
        return self.house.actor(name).person_id

    # ---- Time

    def pass_time(self, seconds: float) -> None:
        """Nothing runs by itself until run_timers()."""
        clock.turn(timedelta(seconds=seconds))

    def run_timers(self) -> None:
        """What the background does each second."""
        background.escalate()
        background.expire()

    # ---- What can be seen afterwards

    def alert(self, alert_id: int) -> Alert:
        return self.house.alert(alert_id)

    def alerts(self) -> list[Alert]:
        return _all(Alert)

    def acknowledgements(self, alert_id: int) -> list[Acknowledgement]:
        return [row for row in _all(Acknowledgement) if row.alert_id == alert_id]

    def notes(self, alert_id: int) -> list[Note]:
        return [row for row in _all(Note) if row.alert_id == alert_id]

    def stays(self) -> list[Stay]:
        return _all(Stay)

    def unit(self, code: str, hospital: str = "demo") -> int:
        with records.read() as session:
            query = select(Unit.id).join(Hospital, Hospital.id == Unit.hospital_id)
            return session.scalars(query.where(Unit.code == code, Hospital.code == hospital)).one()

    def lines(self, hospital: str = "demo") -> list[JournalLine]:
        return self.house.journal(hospital)

    def last_line(self, hospital: str = "demo") -> JournalLine:
        return self.lines(hospital)[-1]

    def happenings(self, hospital: str = "demo") -> list[str]:
        return [line.happening.value for line in self.lines(hospital)]

    @contextmanager
    def refused(self, refusal: type[Refusal]) -> Iterator[None]:
        """What is done within is refused with exactly this: nothing is written, and no number is used."""
        before = _everything()
        with pytest.raises(Refusal) as caught:
            yield
        assert caught.type is refusal
        assert _everything() == before

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """Whatever is done within writes no journal line and leaves every version as it is."""
        before = _heads()
        yield
        assert _heads() == before

    def _act(self, act: Callable[..., Alert], who: str | Actor, alert_id: int, *what: Any) -> Alert:
        actor = self.house.actor(who) if isinstance(who, str) else who
        return records.write(actor.hospital_id, lambda session: act(session, actor, alert_id, *what, clock.now()))

    def _write(self, gateway: str, act: Callable[[Session], T]) -> T:
        return records.write(self.house.hospital(gateway.partition("/")[0]).id, act)


def seen_by(alert: Alert) -> dict[str, Any]:
    """What the act is told that the person saw."""
    return {"state": State(alert.state), "priority": Priority(alert.priority)}


def _all(thing: type[T]) -> list[T]:
    with records.read() as session:
        return list(session.scalars(select(thing).order_by(thing.id)))


def _heads() -> list[tuple[Any, ...]]:
    with records.read() as session:
        heads = session.execute(select(Hospital.code, Hospital.head, Hospital.last_hash).order_by(Hospital.id))
        lines = session.execute(
            select(JournalLine.hospital_id, JournalLine.number).order_by(*JournalLine.__table__.primary_key)
        )
        versions = session.execute(select(Alert.id, Alert.version).order_by(Alert.id))
        return [tuple(row) for rows in (heads, lines, versions) for row in rows]


def _everything() -> list[tuple[Any, ...]]:
    """Every stored fact about alerts, for "nothing has changed"."""
    with records.read() as session:
        tables = [thing.__table__ for thing in (Alert, Acknowledgement, Note, JournalLine, Hospital, Stay)]
        return [
            tuple(row) for table in tables for row in session.execute(select(table).order_by(*table.primary_key)).all()
        ]
