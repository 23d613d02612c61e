"""One way to read, one way to write, on SQLite and PostgreSQL alike."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from typing import Any

import gevent
import psycopg
import pytest
from sqlalchemy import func, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError
from sqlalchemy.orm import Session

from hospital import records
from hospital.records import Hospital, Kind, Message, NotStored, Unit, Verdict
from hospital.records.database import UtcDateTime, ring_after
from tests.alerts.ward import Ward
from tests.support.house import House

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BATCH = 100

only_sqlite = pytest.mark.parametrize("either_house", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("either_house", ["postgresql"], indirect=True)


class Wrong(Exception):
    """A refusal."""


def add_unit(code: str, hospital_id: int = 1) -> Callable[[Session], int]:
    """An act."""

    def act(session: Session) -> int:
        unit = Unit(hospital_id=hospital_id, code=code, name=code)
        session.add(unit)
        session.flush()
        return unit.id

    return act


def then_raise(error: Exception, code: str) -> Callable[[Session], None]:
    """An act that writes, and then thinks better of it."""

    def act(session: Session) -> None:
        add_unit(code)(session)
        raise error

    return act


def units() -> list[str]:
    """The codes of all the units that tests have added."""
    with records.read() as session:
        codes = session.scalars(select(Unit.code).where(Unit.code.not_in(("MED", "ICU"))).order_by(Unit.id))
        return list(codes)


def together(*acts: Callable[[Session], Any], hospital_id: int | None = 1) -> list[Any]:
    """Write all at once; what each came to, or raised."""

    def attempt(act: Callable[[Session], Any]) -> Any:
        try:
            return records.write(hospital_id, act)
        except Exception as error:
            return error

    hands = [gevent.spawn(attempt, act) for act in acts]
    gevent.joinall(hands, raise_error=True)
    return [hand.value for hand in hands]


# ---- Each act by itself


def test_what_an_act_returns_is_returned_after_the_commit(either_house: House) -> None:
    unit_id = records.write(1, add_unit("A"))

    with records.read() as session:
        assert session.get_one(Unit, unit_id).code == "A"


def test_nothing_of_an_act_that_raises_stays(either_house: House) -> None:
    with pytest.raises(Wrong, match="^no$"):
        records.write(1, then_raise(Wrong("no"), "A"))

    assert units() == []


def test_of_a_batch_only_the_refused_act_is_undone(either_house: House) -> None:
    outcomes = together(add_unit("A"), then_raise(Wrong("no"), "B"), add_unit("C"), then_raise(Wrong("nor"), "D"))

    assert [str(outcome) for outcome in outcomes if isinstance(outcome, Wrong)] == ["no", "nor"]
    assert units() == ["A", "C"]


def test_what_the_database_refuses_is_told_to_who_asked_and_is_not_a_fault_of_the_database(
    either_house: House,
) -> None:
    first, second, third = together(add_unit("A"), add_unit("A"), add_unit("B"))

    assert isinstance(first, int) and isinstance(third, int)
    assert isinstance(second, IntegrityError)
    assert units() == ["A", "B"]


@only_postgresql
def test_what_does_not_fit_a_column_is_told_to_who_asked(either_house: House) -> None:
    first, second, third = together(add_unit("A"), add_unit("x" * 41), add_unit("y" * 40))

    assert isinstance(second, DBAPIError) and not isinstance(second, OperationalError)
    assert units() == ["A", "y" * 40]


def test_a_bug_in_one_act_is_told_to_its_own_caller_alone(either_house: House) -> None:
    first, second = together(lambda session: 1 / 0, add_unit("A"))

    assert isinstance(first, ZeroDivisionError)
    assert isinstance(second, int)


def test_an_error_does_not_quote_what_was_written(either_house: House) -> None:
    """It may be logged, and the value may be a patient's name."""
    records.write(1, add_unit("Testmann"))

    with pytest.raises(IntegrityError) as caught:
        records.write(1, add_unit("Testmann"))
    with pytest.raises(DBAPIError) as told, records.read() as session:
        session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Testmann"})

    statement = str(caught.value).replace(str(caught.value.orig), "")
    assert "Testmann" not in statement
    assert "Testmann" not in str(told.value)


# ---- Together


def test_what_waits_is_committed_together_a_hundred_at_most(either_house: House) -> None:
    sessions: list[Session] = []

    together(*[sessions.append] * (2 * BATCH + 1))

    assert [len(list(group)) for _, group in groupby(sessions, key=id)] == [BATCH, BATCH, 1]


def test_a_transaction_is_of_one_hospital(either_house: House) -> None:
    order = [1, 1, 2, 2, 2, None, None, 1]
    came: list[tuple[int | None, Session]] = []

    def write(hospital_id: int | None) -> None:
        records.write(hospital_id, lambda session: came.append((hospital_id, session)))

    gevent.joinall([gevent.spawn(write, hospital_id) for hospital_id in order], raise_error=True)

    assert [hospital_id for hospital_id, _ in came] == order, "first come, first served"
    together = [(key, len(list(group))) for key, group in groupby(came, key=lambda one: (one[0], id(one[1])))]
    assert [(hospital_id, size) for (hospital_id, _), size in together] == [(1, 2), (2, 3), (None, 2), (1, 1)]


def test_an_act_sees_what_those_before_it_in_its_transaction_did(either_house: House) -> None:
    count = select(func.count()).select_from(Unit)
    first, _, second = together(lambda s: s.scalar(count), add_unit("A"), lambda s: s.scalar(count))

    assert second == first + 1


def test_numbers_come_in_the_order_of_commits_whoever_writes(either_house: House) -> None:
    """When its act is answered, every line up to its own can be read, in each of two hospitals."""
    ward = Ward(either_house)
    gateways = ["demo", "demo-b"]
    hospitals = {gateway: either_house.hospital(gateway).id for gateway in gateways}
    for gateway in gateways:
        ward.sender(gateway)
    answered: dict[str, list[int]] = {gateway: [] for gateway in gateways}

    def monitor(gateway: str, n: int) -> None:
        version = ward.alert(ward.alarm(gateway=gateway, alert_id=f"{n}", patient=None)).version
        numbers = [line.number for line in ward.lines(gateway)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert version <= len(numbers)
        answered[gateway].append(version)

    hands = [gevent.spawn(monitor, gateways[n % 2], n) for n in range(40)]
    gevent.joinall(hands, raise_error=True)

    for gateway in gateways:
        assert answered[gateway] == list(range(1, 21)), "answers go out in the order of numbers"
        assert either_house.hospital(gateway).head == 20
        assert len(ward.lines(gateway)) == 20
    assert len(set(hospitals.values())) == 2


@only_postgresql
def test_whoever_writes_for_a_hospital_has_its_head_row_from_the_start(either_house: House) -> None:
    """Otherwise another process could take a number in between and commit it first."""
    locked = {}
    address = either_house.settings.database_url.replace("+psycopg", "")

    def act(session: Session) -> None:
        with psycopg.connect(address) as other:
            for hospital_id in (1, 2):
                locked[hospital_id] = _is_locked(other, hospital_id)

    records.write(1, act)
    assert locked == {1: True, 2: False}
    records.write(2, act)
    assert locked == {1: False, 2: True}
    records.write(None, act)
    assert locked == {1: False, 2: False}


@only_postgresql
def test_who_must_wait_for_the_head_row_reads_what_was_committed_meanwhile(either_house: House) -> None:
    """READ COMMITTED: the number comes from the head as it is after the wait, not before."""
    address = either_house.settings.database_url.replace("+psycopg", "")
    with psycopg.connect(address) as other:
        other.execute("UPDATE hospital SET head = 41 WHERE id = 1")
        waits = threading.Timer(0.05, other.commit)
        waits.start()
        assert records.write(1, lambda session: session.get_one(Hospital, 1).head) == 41
        waits.join()


@only_sqlite
def test_whoever_writes_has_the_file_from_the_first_look(either_house: House) -> None:
    locked = []

    def act(session: Session) -> None:
        session.scalar(select(Hospital.head))
        with closing(sqlite3.connect(_file(either_house), timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                locked.append(str(error))

    records.write(None, act)
    assert locked == ["database is locked"]


@only_sqlite
def test_the_loop_goes_on_while_sqlite_writes(either_house: House) -> None:
    """One native thread writes: were it the loop's own, nobody could set this event."""
    began, go_on = threading.Event(), threading.Event()
    threads = set()

    def act(session: Session) -> bool:
        threads.add(threading.get_ident())
        began.set()
        return go_on.wait(5)

    hand = gevent.spawn(records.write, 1, act)
    while not began.is_set():
        gevent.sleep(0.001)
    second = gevent.spawn(records.write, 1, act)
    with records.read() as session:
        assert session.scalar(select(Hospital.id).limit(1)) is not None, "nor does a reader wait"
    go_on.set()
    gevent.joinall([hand, second], raise_error=True)

    assert hand.value is True
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_bell_rings_after_the_commit_of_what_screens_wait_for(either_house: House) -> None:
    records.bell.clear()
    rung: list[bool] = []

    def act(session: Session) -> None:
        add_unit("A")(session)
        ring_after(session)
        rung.append(records.bell.is_set())

    records.write(1, act)
    assert rung == [False]
    assert records.bell.is_set()


def test_the_bell_does_not_ring_for_what_no_screen_waits_for(either_house: House) -> None:
    records.bell.clear()
    records.write(1, add_unit("A"))
    assert not records.bell.is_set()


# ---- The database's own trouble


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_trouble_of_the_database_is_not_stored_and_nothing_of_the_batch_stays(
    either_house: House, kind: type[DBAPIError]
) -> None:
    trouble = kind("SELECT 1", {}, Exception("disk full"))

    outcomes = together(add_unit("A"), then_raise(trouble, "B"), add_unit("C"))

    assert [type(outcome) for outcome in outcomes] == [NotStored] * 3
    assert [str(outcome) for outcome in outcomes] == ["disk full"] * 3
    assert units() == []
    assert isinstance(records.write(1, add_unit("A")), int), "the same may succeed later"


def test_trouble_is_told_in_the_words_of_the_database_alone(either_house: House) -> None:
    """They are logged: neither the statement nor what an act tripped over before it may be in them."""

    def act(session: Session) -> None:
        try:
            raise Wrong("Tilda")
        except Wrong:
            raise OperationalError("SELECT 'Testmann'", {}, Exception("gone away"))  # noqa: B904

    with pytest.raises(NotStored, match="^gone away$"):
        records.write(1, act)


@only_sqlite
def test_a_full_disk_is_not_stored_and_a_freed_one_takes_the_same(either_house: House) -> None:
    def limit(pages: str) -> Callable[[Session], None]:
        return lambda session: session.execute(text(f"PRAGMA max_page_count = {pages}")).close()

    with records.read() as session:
        pages = session.scalar(text("PRAGMA page_count"))
    records.write(None, limit(str(pages)))
    with pytest.raises(NotStored, match="full"):
        records.write(None, _keep_a_megabyte)
    assert _messages() == 0
    records.write(None, limit("1073741823"))
    records.write(None, _keep_a_megabyte)
    assert _messages() == 1


@only_sqlite
def test_a_locked_file_is_not_stored_and_a_free_one_takes_the_same(either_house: House) -> None:
    records.write(None, lambda session: session.execute(text("PRAGMA busy_timeout = 1")).close())
    with closing(sqlite3.connect(_file(either_house), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotStored, match="locked"):
            records.write(1, add_unit("A"))
        other.execute("COMMIT")

    records.write(1, add_unit("A"))
    assert units() == ["A"]


@only_postgresql
def test_a_lost_connection_is_not_stored_and_the_next_one_takes_the_same(either_house: House) -> None:
    def act(session: Session) -> None:
        add_unit("A")(session)
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(NotStored):
        records.write(1, act)
    assert units() == []
    records.write(1, add_unit("A"))
    assert units() == ["A"]


# ---- Reading


def test_who_reads_cannot_write(either_house: House) -> None:
    with pytest.raises(DBAPIError, match="(?i)read.?only"), records.read() as session:
        session.execute(update(Hospital).values(name="changed"))

    with pytest.raises(DBAPIError, match="(?i)read.?only"), records.read() as session:
        add_unit("A")(session)
    assert units() == []


def test_what_was_read_can_still_be_looked_at_when_the_session_is_closed(either_house: House) -> None:
    with records.read() as session:
        hospital = session.get_one(Hospital, 1)
        session.commit()

    assert hospital.code == "demo"


@only_sqlite
def test_a_reader_on_sqlite_sees_one_moment(either_house: House) -> None:
    with records.read() as session:
        count = select(func.count()).select_from(Unit)
        before = session.scalar(count)
        records.write(1, add_unit("A"))
        assert session.scalar(count) == before
    assert units() == ["A"]


def test_twenty_five_can_read_at_once(either_house: House) -> None:
    with ExitStack() as sessions:
        for _ in range(25):
            session = sessions.enter_context(records.read())
            assert session.scalar(select(literal(1))) == 1


@only_sqlite
def test_sqlite_is_set_to_lose_nothing(either_house: House) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")

    def settings(session: Session) -> dict[str, Any]:
        return {name: session.scalar(text(f"PRAGMA {name}")) for name in names}

    lasting = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5_000}
    assert records.write(None, settings) == lasting | {"query_only": 0}
    with records.read() as session:
        assert settings(session) == lasting | {"query_only": 1}


def test_foreign_keys_hold(either_house: House) -> None:
    with pytest.raises(IntegrityError):
        records.write(None, add_unit("A", hospital_id=4_711))


# ---- Opening and closing


def test_without_a_database_nothing_is_read_or_written(house: House) -> None:
    records.disconnect()
    records.disconnect()

    with pytest.raises(RuntimeError, match="connect"), records.read():
        pass
    with pytest.raises(RuntimeError, match="connect"):
        records.write(1, add_unit("A"))


def test_connecting_again_opens_the_other_one(house: House, furnished: Path, tmp_path: Path) -> None:
    records.write(1, add_unit("A"))
    (tmp_path / "other.db").write_bytes(furnished.read_bytes())

    records.connect(f"sqlite:///{tmp_path / 'other.db'}")
    assert units() == []
    records.connect(f"sqlite:///{tmp_path / 'hospital.db'}")
    assert units() == ["A"]


# ---- Moments


def test_a_moment_comes_back_in_utc_whatever_its_zone(either_house: House) -> None:
    berlin = timezone(timedelta(hours=1))
    at = datetime(2026, 11, 22, 13, 0, 0, 123_456, tzinfo=berlin)
    row = _message(at)
    records.write(None, lambda session: session.add(row))

    with records.read() as session:
        kept = session.scalars(select(Message.received_at)).one()
        assert session.scalar(select(Message.id).where(Message.received_at == at)) is not None
    assert kept == at
    assert kept.utcoffset() == timedelta(0)
    assert kept.hour == 12


def test_a_moment_without_its_zone_is_refused(either_house: House) -> None:
    with pytest.raises(StatementError, match="a moment without its zone"):
        records.write(None, lambda session: session.add(_message(datetime(2026, 11, 22, 12, 0))))


def test_no_moment_stays_none() -> None:
    assert UtcDateTime().process_bind_param(None, None) is None  # type: ignore[arg-type]
    assert UtcDateTime().process_result_value(None, None) is None  # type: ignore[arg-type]


def _message(at: datetime, raw: str = "MSH") -> Message:
    return Message(
        control_id="",
        digest="",
        kind=Kind.HL7,
        received_at=at,
        verdict=Verdict.REFUSED,
        code="AE",
        alert_ids=[],
        answer=None,
        raw=raw,
    )


def _keep_a_megabyte(session: Session) -> None:
    session.add(_message(NOON, raw="x" * 1_000_000))


def _messages() -> int:
    with records.read() as session:
        return session.scalar(select(func.count()).select_from(Message)) or 0


def _file(house: House) -> Path:
    return house.settings.instance / "hospital.db"


def _is_locked(connection: psycopg.Connection[Any], hospital_id: int) -> bool:
    try:
        with connection.transaction():
            connection.execute("SELECT 1 FROM hospital WHERE id = %s FOR UPDATE NOWAIT", (hospital_id,))
    except psycopg.errors.LockNotAvailable:
        return True
    return False
