"""Where everything is remembered: one way to read, one way to write, on SQLite and PostgreSQL alike.

All writes are closed functions given to `write()`. SQLite has one writer, in a thread of its own: a write transaction
that yielded to a second writer on the gevent loop would freeze the whole process for the busy time-out. What is waiting
when the writer comes free is committed together (group commit), each act in a savepoint of its own.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, cast

import gevent
import gevent.event
import gevent.threadpool
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, configure_mappers

from hospital.records import sealed

T = TypeVar("T")
Outcome = tuple[Any, BaseException | None]  # what an act returned, or what it raised

_BATCH = 100  # acts in one transaction: bounds how long the first of them waits
_WRITERS = 0x686F7370  # the number of PostgreSQL's lock that every writer shares
_BUSY_MS = 5_000  # how long SQLite waits for another process's write

bell = gevent.event.Event()
"""Rings when this process has committed news. It only says "look now": who misses it finds all of it a second later."""


class NotStored(Exception):
    """The database cannot take this now (disk full, locked, gone). The same thing may succeed later."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        int: BigInteger().with_variant(Integer(), "sqlite"),  # a thousand messages a second outlive 32 bits
        StrEnum: Enum(
            StrEnum, native_enum=False, length=20, values_callable=lambda words: [word.value for word in words]
        ),
    }


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets zones, so they are put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(eq=False)
class _Wanted:
    """One act that waits for its turn in a transaction."""

    hospital_id: int | None
    act: Callable[[Session], Any]
    done: gevent.event.AsyncResult = field(default_factory=gevent.event.AsyncResult)


@dataclass
class _Database:
    reading: Engine
    writing: Engine
    thread: gevent.threadpool.ThreadPool | None
    aside: tuple[Engine, gevent.threadpool.ThreadPool] | None
    waiting: deque[_Wanted] = field(default_factory=deque)
    busy: bool = False


_database: _Database | None = None
_generation = 0


def connect(url: str) -> None:
    """Open the database that `read` and `write` use from now on; it must have been migrated."""
    global _database, _generation
    disconnect()
    _generation += 1
    configure_mappers()
    if make_url(url).get_backend_name() == "sqlite":
        aside = _sqlite(url, writes=False), gevent.threadpool.ThreadPool(1)
        writer = gevent.threadpool.ThreadPool(1)
        _database = _Database(_sqlite(url, writes=False), _sqlite(url, writes=True), writer, aside)
    else:
        _database = _Database(_postgresql(url, writes=False), _postgresql(url, writes=True), None, None)


def disconnect() -> None:
    """Close what connect() opened; nothing happens if nothing is open."""
    global _database
    if _database is None:
        return
    _database.reading.dispose()
    _database.writing.dispose()
    if _database.thread is not None:
        _database.thread.kill()
    if _database.aside is not None:
        _database.aside[1].kill()
        _database.aside[0].dispose()
    _database = None


def generation() -> int:
    """Another number after each connect(): whoever remembers rows must not take them for those of another database."""
    return _generation


@contextmanager
def read() -> Iterator[Session]:
    """A session that sees one moment (SQLite) and cannot write."""
    with Session(_open().reading, expire_on_commit=False) as session:
        yield session


def read_aside(act: Callable[[Session], T]) -> T:
    """What takes long to read: no alarm waits for a statistic. Returns what `act` does, which must be read by then.

    SQLite would hold the gevent loop while it reads; so it does in a thread and with a connection of its own.
    """
    database = _open()
    if database.aside is None:
        with read() as session:
            return act(session)
    engine, thread = database.aside
    return cast(T, thread.apply(_read_with, (engine, act)))


def _read_with(engine: Engine, act: Callable[[Session], T]) -> T:
    with Session(engine, expire_on_commit=False) as session:
        return act(session)


def write(hospital_id: int | None, act: Callable[[Session], T]) -> T:
    """Run `act` in a savepoint of the next transaction of that hospital and wait until it is committed.

    What `act` raises is raised here, and nothing of it stays. Raises NotStored if the database cannot take it now.
    `hospital_id` None: the act changes no alert of any hospital. An act must not call `write` itself.
    """
    database = _open()
    wanted = _Wanted(hospital_id, act)
    database.waiting.append(wanted)
    if not database.busy:
        database.busy = True
        gevent.spawn(_work_off, database)
    return cast(T, wanted.done.get())


def ring_after(session: Session) -> None:
    """In an act: it has written what screens wait for."""
    session.info["rings"] = True


def _open() -> _Database:
    if _database is None:
        raise RuntimeError("records.connect() comes first")
    return _database


def _work_off(database: _Database) -> None:
    try:
        while database.waiting:
            batch = _next_batch(database.waiting)
            outcomes, rings = _outcomes(database, batch)
            if rings:
                bell.set()
            for wanted, (value, error) in zip(batch, outcomes, strict=True):
                if error is None:
                    wanted.done.set(value)
                else:
                    wanted.done.set_exception(error)
    finally:
        database.busy = False


def _outcomes(database: _Database, batch: list[_Wanted]) -> tuple[list[Outcome], bool]:
    """What each act came to, and whether the bell is to ring. A key that is missing may be in the ring by now."""
    run = database.thread.apply if database.thread is not None else lambda f, args: f(*args)
    told = ""
    for _ in range(2):
        try:
            return run(_commit, (database.writing, batch))  # type: ignore[no-any-return]
        except sealed.KeyMissing as missing:
            told = str(missing)
            sealed.read_again()
    return [(None, NotStored(told))] * len(batch), False


def _next_batch(waiting: deque[_Wanted]) -> list[_Wanted]:
    """The acts at the front that are of one hospital: a transaction locks only one head row."""
    batch = [waiting.popleft()]
    while waiting and len(batch) < _BATCH and waiting[0].hospital_id == batch[0].hospital_id:
        batch.append(waiting.popleft())
    return batch


def _commit(engine: Engine, batch: list[_Wanted]) -> tuple[list[Outcome], bool]:
    """Raises KeyMissing before any act has begun."""
    try:
        with Session(engine, expire_on_commit=False) as session:
            _lock_head(session, batch[0].hospital_id)
            sealed.follow(session)
            outcomes = [_attempt(session, wanted.act) for wanted in batch]
            session.commit()
            return outcomes, "rings" in session.info
    except sealed.KeyMissing:
        raise
    except Exception as error:  # every waiting act must get an answer, whatever went wrong
        told = NotStored(_first_trouble(error)) if _may_pass(error) else error
        return [(None, told)] * len(batch), False


def _first_trouble(error: BaseException | None) -> str:
    """What the database complained of before all else: on a full disk SQLite then misses the savepoint, too."""
    told = ""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            told = str(error.orig)
        error = error.__context__
    return told


def _attempt(session: Session, act: Callable[[Session], Any]) -> Outcome:
    try:
        with session.begin_nested():
            value = act(session)
        return value, None
    except Exception as refusal:  # handed to the caller of write(); the others of the batch go on
        if _may_pass(refusal):
            raise
        return None, refusal


def _may_pass(error: Exception) -> bool:
    """The database's own trouble (disk full, locked, gone): not the fault of the act, which may succeed later."""
    return isinstance(error, OperationalError | InterfaceError)


def _lock_head(session: Session, hospital_id: int | None) -> None:
    """Commit order equals number order only if whoever appends has the head row first (SQLite: BEGIN IMMEDIATE).

    The shared lock lets a new key become current only between transactions (`wait_for_writers`).
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _WRITERS})
    if hospital_id is not None:
        session.execute(text("SELECT head FROM hospital WHERE id = :id FOR UPDATE"), {"id": hospital_id})


def wait_for_writers(session: Session) -> None:
    """In an act: until it is committed no other transaction writes, in whatever process."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITERS})


# hide_parameters below: an error's text may be logged, and a statement's values may be a patient's name.


def _sqlite(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=1 if writes else 5,
        max_overflow=0 if writes else 20,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if not writes:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: str, *, writes: bool) -> Engine:
    readonly = {} if writes else {"options": "-c default_transaction_read_only=on"}
    return create_engine(
        url, pool_size=5, max_overflow=20, pool_pre_ping=True, hide_parameters=True, connect_args=readonly
    )
