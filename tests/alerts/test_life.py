"""Whatever monitors and people do in whatever order: the alerts, the journal and the refusals are as they should be.

A model (life.py) is asked before each step. LIFE_PROFILE=long looks longer, for a night or after a change of the rules.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from hospital import background, clock, records
from hospital import settings as knobs
from hospital.alerts.acknowledging import acknowledge
from hospital.alerts.escalating import escalate
from hospital.alerts.noting import note
from hospital.alerts.raising import clear_reported, raise_alert
from hospital.alerts.refusals import Refusal
from hospital.alerts.resolving import resolve
from hospital.alerts.rights import Seen
from hospital.records import Acknowledgement, Alert, Base, Hospital, JournalLine, Note, Person, Sender
from hospital.records.sealed import use_secret
from hospital.roles import Actor, Role
from hospital.triage.alarm import Subject
from hospital.vocabulary import Priority, State
from tests.alerts.life import BEDS, PEOPLE, Expected, Life, Told
from tests.alerts.ward import NOON, OTTO, TILDA, report
from tests.records.chain import first_break
from tests.support.postgres import Postgres

ACTS: dict[str, Callable[..., Alert]] = {"acknowledge": acknowledge, "escalate": escalate, "resolve": resolve}
PATIENTS: dict[str | None, Subject | None] = {"Tilda": TILDA, "Otto": OTTO, None: None}
GATEWAYS = ("demo", "demo/second", "demo-b")
# Kept from one example to the next.
STANDING = {"hospital", "unit", "bed", "person", "person_unit"}

_COMMON: dict[str, Any] = {
    "deadline": None,
    "derandomize": False,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}
settings.register_profile("short", max_examples=25, stateful_step_count=30, **_COMMON)
settings.register_profile("long", max_examples=500, stateful_step_count=60, **_COMMON)
PROFILE = settings.get_profile(os.environ.get("LIFE_PROFILE", "short"))

priorities = st.sampled_from(["low", "medium", "high"])
values = st.sampled_from(["84", "83", None])
sometimes = st.sampled_from([False, False, False, True])
alarms = st.builds(
    Told,
    gateway=st.sampled_from(["demo", "demo", *GATEWAYS]),
    bed=st.sampled_from(list(BEDS)),
    number=st.sampled_from("12"),
    event=st.sampled_from([196670, 196652]),
    priority=st.none() | priorities,
    value=values,
    patient=st.sampled_from(list(PATIENTS)),
    latched=sometimes,
    starts=sometimes,
)
newest_first = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])  # which alert somebody is looking at
hands = st.integers(0, 8)
looks = st.sampled_from(["at nothing", "as it is", "as it is", "open", "acknowledged", "resolved", "low", "medium"])
moments = st.sampled_from([1, 60, 119.999999, 120, 120.000001, 180, 299.999999, 300, 600, 899.999999, 900, 3600])
notes = st.sampled_from(["", " \n", "x", " Sensor re-sited. ", "ä" * 2_000, "ä" * 2_001])


class AlertLife(RuleBasedStateMachine):
    """`move_in` gives it a house in which nothing has happened."""

    def __init__(self, move_in: Callable[[], None]) -> None:
        super().__init__()
        move_in()
        clock.stop(NOON)
        self.life = Life()
        self.over: dict[int, dict[str, Any]] = {}  # resolved alerts as they were then
        with records.read() as session:
            self.hospitals = {row.code: row.id for row in session.execute(select(Hospital.code, Hospital.id))}
            self.people = {person.name: _actor(person) for person in session.scalars(select(Person))}
        self.people["display"] = replace(self.people["nurse"], role=Role.DISPLAY)
        self.names = {actor.person_id: name for name, actor in self.people.items() if name != "display"}

    @initialize(told=st.lists(alarms, min_size=1, max_size=3))
    def the_first_alarms(self, told: list[Told]) -> None:
        senders = [_sender(name, self.hospitals[name.partition("/")[0]]) for name in GATEWAYS]
        records.write(None, lambda session: session.add_all(senders))
        self.senders = {sender.name: sender.id for sender in senders}
        for alarm in told:
            self._alarm(alarm)

    def teardown(self) -> None:
        records.disconnect()
        clock.reset()

    # ---- Monitors

    @rule(told=alarms)
    def a_monitor_alarms(self, told: Told) -> None:
        self._alarm(told)

    @rule(n=newest_first, value=values, patient=st.sampled_from(["the same", *PATIENTS]), latched=st.booleans())
    def it_alarms_again(self, n: int, value: str | None, patient: str | None, latched: bool) -> None:
        alert = self._pick(n)
        told = replace(alert.opened_by, value=value, latched=latched, starts=False, priority=alert.priority)
        self._alarm(told if patient == "the same" else replace(told, patient=patient))

    @rule(n=newest_first, priority=st.none() | priorities)
    def it_tells_another_priority(self, n: int, priority: str | None) -> None:
        self._alarm(replace(self._pick(n).opened_by, priority=priority))

    @rule(n=newest_first, named=st.booleans())
    def it_ends(self, n: int, named: bool) -> None:
        told = self._pick(n).opened_by
        self._end(told if named else replace(told, patient=None))

    @rule(told=alarms)
    def something_ends(self, told: Told) -> None:
        self._end(told)

    # ---- People

    @rule(n=newest_first, hand=hands, look=looks)
    def someone_acknowledges(self, n: int, hand: int, look: str) -> None:
        self._act("acknowledge", self._one_of_the_unit(n, hand), self._pick(n), look)

    @rule(n=newest_first, hand=hands, look=looks)
    def someone_escalates(self, n: int, hand: int, look: str) -> None:
        self._act("escalate", self._one_of_the_unit(n, hand), self._pick(n), look)

    @rule(n=newest_first, hand=hands, look=looks)
    def someone_resolves(self, n: int, hand: int, look: str) -> None:
        self._act("resolve", self._one_of_the_unit(n, hand), self._pick(n), look)

    @rule(n=newest_first, hand=hands, words=notes)
    def someone_notes(self, n: int, hand: int, words: str) -> None:
        self._note(self._one_of_the_unit(n, hand), self._pick(n), words)

    @rule(n=newest_first, act=st.sampled_from([*ACTS, "note"]), who=st.sampled_from(list(PEOPLE)))
    def anybody_tries(self, n: int, act: str, who: str) -> None:
        if act == "note":
            self._note(who, self._pick(n), "x")
        else:
            self._act(act, who, self._pick(n), "as it is")

    # ---- Time

    @rule(seconds=moments)
    def time_passes(self, seconds: float) -> None:
        clock.turn(timedelta(seconds=seconds))
        self.the_timers_look()

    @rule()
    def the_next_timer_is_due(self) -> None:
        due = [at for alert in self.life.alerts for at in (alert.climbs_at, alert.expires_at) if at]
        clock.turn(max(timedelta(0), min(due, default=clock.now()) - clock.now()))
        self.the_timers_look()

    def the_timers_look(self) -> None:
        background.escalate()
        background.expire()
        self.life.run_timers(clock.now())

    # ---- What is always true

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        with records.read() as session:
            rows = list(session.scalars(select(Alert).order_by(Alert.id)))
            patients = {row.id: row.patient.identifier if row.patient else None for row in rows}
            units = {row.id: row.unit.code if row.unit else None for row in rows}
            heads = {hospital.code: hospital for hospital in session.scalars(select(Hospital))}
            taken = list(session.scalars(select(Acknowledgement).order_by(Acknowledgement.id)))
            written = list(session.scalars(select(Note).order_by(Note.id)))
            lines = list(session.scalars(select(JournalLine).order_by(JournalLine.hospital_id, JournalLine.number)))
        by_hospital = {code: [line for line in lines if line.hospital_id == head.id] for code, head in heads.items()}

        assert [row.id for row in rows] == [alert.id for alert in self.life.alerts]
        for row, alert in zip(rows, self.life.alerts, strict=True):
            subject = PATIENTS[alert.patient]
            assert patients[row.id] == (subject.identifier if subject else None)
            assert units[row.id] == alert.unit
            self._stands(row, alert)
            self._is_in_one_pair_of_hands(row, alert, [one for one in taken if one.alert_id == row.id])
            self._stays_over(row)
            assert [one.text for one in written if one.alert_id == row.id] == alert.notes
        for code, head in heads.items():
            self._journal_is_whole(code, head, by_hospital[code], rows)

    def _stands(self, row: Alert, alert: Expected) -> None:
        owner = self.names[row.owner_id] if row.owner_id is not None else None
        assert (row.state, row.priority, row.condition) == (alert.state, alert.priority, alert.condition)
        assert (row.step, owner, row.version, row.repeats) == (alert.step, alert.owner, alert.version, alert.repeats)
        assert (row.value, row.event_code, row.priority_sent) == (alert.value, alert.event, alert.sent)
        assert (row.escalate_at, row.expires_at) == (alert.climbs_at, alert.expires_at)
        assert (row.cleared_at, row.register_conflict) == (alert.ended_at, alert.conflict)

    def _is_in_one_pair_of_hands(self, row: Alert, alert: Expected, taken: list[Acknowledgement]) -> None:
        assert [(self.names[one.person_id], one.since, one.until) for one in taken] == alert.taken
        still = [one for one in taken if one.until is None]
        assert len(still) == (1 if row.state is State.ACKNOWLEDGED else 0)
        if still:
            assert (still[0].person_id, still[0].since) == (row.owner_id, row.owned_at)

    def _stays_over(self, row: Alert) -> None:
        """A note writes a line on a resolved alert; nothing else happens to it any more."""
        by_notes = {"version", "happening", "changed_at", "changed_by_id"}
        columns = {c.key: getattr(row, c.key) for c in Alert.__table__.columns if c.key not in by_notes}
        if row.id in self.over:
            assert columns == self.over[row.id]
        elif row.state is State.RESOLVED:
            self.over[row.id] = columns

    def _journal_is_whole(self, code: str, head: Hospital, lines: list[JournalLine], rows: list[Alert]) -> None:
        expected = self.life.journal[code]
        assert [line.number for line in lines] == list(range(1, head.head + 1))
        assert first_break(lines, head.last_hash) is None
        told = [(line.at, line.happening, line.alert_id, self.names.get(line.person_id or 0)) for line in lines]
        assert told == [(line.at, line.happening, line.alert_id, line.person) for line in expected]
        assert [self._by_name(line.facts) for line in lines] == [line.facts for line in expected]
        replayed = {line.alert_id: line for line in lines}
        for row in rows:
            if row.hospital_id == head.id:
                last = replayed[row.id]
                assert (last.number, last.happening, last.at) == (row.version, row.happening, row.changed_at)
                assert last.person_id == row.changed_by_id
                assert last.facts == {
                    "state": row.state,
                    "priority": row.priority,
                    "condition": row.condition,
                    "step": row.step,
                    "owner": row.owner_id,
                    "value": row.value,
                }

    def _by_name(self, facts: dict[str, Any]) -> dict[str, Any]:
        return facts | {"owner": self.names.get(facts["owner"])}

    # ---- Doing it

    def _pick(self, n: int) -> Expected:
        return self.life.alerts[-1 - n % len(self.life.alerts)]

    def _alarm(self, told: Told) -> None:
        expected = self.life.alarm(told, clock.now())
        assert self._report(told, raise_alert) == expected.id

    def _end(self, told: Told) -> None:
        expected = self.life.end(told, clock.now())
        assert self._report(told, clear_reported) == (expected.id if expected else None)

    def _report(self, told: Told, act: Callable[..., Alert | None]) -> int | None:
        what = report(
            bed=told.bed,
            unit_code=told.bed.partition("-")[0],
            alert_id=told.number,
            priority=Priority(told.priority) if told.priority else None,
            latched=told.latched,
            starts=told.starts,
            patient=PATIENTS[told.patient],
            event_code=told.event,
            value=told.value,
        )

        def write(session: Any) -> int | None:
            alert = act(session, session.get_one(Sender, self.senders[told.gateway]), what)
            return alert.id if alert else None

        return records.write(self.hospitals[told.hospital], write)

    def _one_of_the_unit(self, n: int, hand: int) -> str:
        """Somebody who may at least note something about the alert."""
        mine = [who for who in PEOPLE if self.life.refusal("note", who, self._pick(n), None, None, "x") is None]
        return mine[hand % len(mine)] if mine else "charge"

    def _act(self, act: str, who: str, alert: Expected, look: str) -> None:
        """`look`: what the person saw; a word of state or priority stands for one that may be old."""
        state = alert.state if look == "as it is" else look if look in list(State) else None
        priority = alert.priority if look == "as it is" else look if look in list(Priority) else None
        actor, now = self.people[who], clock.now()
        seen = Seen(State(state) if state else None, Priority(priority) if priority else None)
        refusal = self.life.refusal(act, who, alert, state, priority)
        self._attempt(refusal, actor, lambda session: ACTS[act](session, actor, alert.id, seen, now))
        if refusal is None:
            getattr(self.life, act)(who, alert, now)

    def _note(self, who: str, alert: Expected, words: str) -> None:
        actor, now = self.people[who], clock.now()
        refusal = self.life.refusal("note", who, alert, None, None, words)
        self._attempt(refusal, actor, lambda session: note(session, actor, alert.id, words, now))
        if refusal is None:
            self.life.note(who, alert, now, words)

    def _attempt(self, refusal: str | None, actor: Actor, act: Callable[..., Alert]) -> None:
        """Do it, and be refused as the model says; a refused act uses no number."""
        before = self._heads()
        try:
            records.write(actor.hospital_id, act)
        except Refusal as refused:
            assert refused.reason == refusal
            assert self._heads() == before
        else:
            assert refusal is None
            assert sum(self._heads().values()) == sum(before.values()) + 1

    def _heads(self) -> dict[str, int]:
        with records.read() as session:
            return {row.code: row.head for row in session.execute(select(Hospital.code, Hospital.head))}


@pytest.mark.timeout(420)  # a failure is made small first
def test_the_life_of_alerts_on_sqlite(furnished: Path, tmp_path: Path) -> None:
    file = tmp_path / "hospital.db"

    def move_in() -> None:
        for old in tmp_path.glob("hospital.db*"):
            old.unlink()
        file.write_bytes(furnished.read_bytes())
        _open(f"sqlite:///{file}")

    _live(move_in, PROFILE)


@pytest.mark.timeout(420)  # a failure is made small first
def test_the_life_of_alerts_on_postgresql(postgres: Postgres, furnished_postgres: str) -> None:
    url = postgres.create_database(like=furnished_postgres)
    names = ", ".join(sorted(set(Base.metadata.tables) - STANDING))

    def move_in() -> None:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())
            connection.execute("UPDATE hospital SET head = 0, last_hash = ''")
        _open(url)

    _live(move_in, settings(PROFILE, max_examples=max(1, PROFILE.max_examples * 2 // 5)))
    postgres.drop_database(url)


def test_the_model_knows_everybody_who_works_here(furnished: Path, tmp_path: Path) -> None:
    (tmp_path / "hospital.db").write_bytes(furnished.read_bytes())
    _open(f"sqlite:///{tmp_path / 'hospital.db'}")
    with records.read() as session:
        names = set(session.scalars(select(Person.name)))
    records.disconnect()

    assert set(PEOPLE) == names | {"display"}


def _live(move_in: Callable[[], None], profile: settings) -> None:
    before = knobs.current
    knobs.use(knobs.Settings())
    try:
        run_state_machine_as_test(lambda: AlertLife(move_in), settings=profile)
    finally:
        knobs.use(before)


def _open(url: str) -> None:
    use_secret("for tests")
    records.connect(url)


def _actor(person: Person) -> Actor:
    units = frozenset(unit.id for unit in person.units)
    return Actor(person.id, person.hospital_id, person.display_name, person.role, units)


def _sender(name: str, hospital_id: int) -> Sender:
    return Sender(
        hospital_id=hospital_id,
        name=name,
        application=name,
        facility="",
        authority=name,
        training=False,
        created_at=NOON,
    )
