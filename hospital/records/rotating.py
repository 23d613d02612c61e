"""Sealing everything anew with the current key, while the server runs and writes.

Nothing remembers how far it came but the values themselves, by their first byte: after a kill it is simply run again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, delete, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from hospital.records import sealed
from hospital.records.database import Base, read, write
from hospital.records.key_register import adopt, retire, sealed_columns
from hospital.records.patient import Patient, PatientReference

_ROWS = 200  # in one transaction: others wait about 20 ms for it

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Account:
    """`forgotten`: references to patients that an earlier version kept without their text; senders tell them again."""

    key: int
    sealed_anew: dict[str, int]
    forgotten: int


def rotate(tell: Tell) -> Account:
    """Make the ring's highest key current, seal everything with it, and retire the others. Raises WrongRing, NotStored.

    `tell(table, done, of)` is called after each batch.
    """
    key = adopt()
    forgotten = write(None, _forget_unknown) if _others_in_use(key) else 0
    sealed_anew = {
        model.__tablename__: _seal_table(key, model, names, tell) for model, names in sealed_columns().items()
    }
    write(None, lambda session: retire(session, key))
    return Account(key, sealed_anew, forgotten)


def count_by_key(session: Session) -> dict[int, int]:
    """How many values lie under each key: reads every sealed row."""
    counts: dict[int, int] = {}
    for model, names in sealed_columns().items():
        for name in names:
            first = _first_byte(getattr(model, name))
            query = select(first, func.count()).where(getattr(model, name).is_not(None)).group_by(first)
            for byte, count in session.execute(query):
                counts[bytes(byte)[0]] = counts.get(bytes(byte)[0], 0) + count
    return counts


def _others_in_use(key: int) -> bool:
    with read() as session:
        return set(sealed.in_use(session)) != {key}


def _forget_unknown(session: Session) -> int:
    """An index cannot be made anew without its text."""
    query = delete(PatientReference).where(PatientReference.reference.is_(None))
    return int(session.execute(query).rowcount)  # type: ignore[attr-defined]


def _seal_table(key: int, model: type[Base], names: list[str], tell: Tell) -> int:
    """Rows that others hold just now are left for the next round, so that nobody waits for anybody in a circle."""
    old, done = _is_old(key, model, names), 0
    while left := _count(model, old):
        of, last = done + left, None
        while True:
            batch, last = write(None, partial(_seal_batch, model=model, names=names, old=old, after=last))
            if last is None:
                break
            done += batch
            tell(model.__tablename__, done, max(done, of))
    return done


def _seal_batch(
    session: Session, model: Any, names: list[str], old: ColumnElement[bool], after: tuple[int, ...] | None
) -> tuple[int, tuple[int, ...] | None]:
    """How many rows were sealed anew, and the primary key of the last; None: there are no more behind `after`."""
    key = list(model.__table__.primary_key.columns)
    query = select(model).where(old).order_by(*key).limit(_ROWS)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        for name in names:
            flag_modified(row, name)
        if isinstance(row, Patient | PatientReference):
            row.make_indexes()
    session.flush()
    return len(rows), tuple(getattr(rows[-1], column.key) for column in key) if rows else None


def _count(model: type[Base], old: ColumnElement[bool]) -> int:
    with read() as session:
        return session.scalar(select(func.count()).select_from(model).where(old)) or 0


def _is_old(key: int, model: Any, names: list[str]) -> ColumnElement[bool]:
    """Some value of the row lies under another key; or a patient of an earlier version cannot be searched yet."""
    columns = [getattr(model, name) for name in names]
    old = [and_(column.is_not(None), _first_byte(column) != bytes([key])) for column in columns]
    return or_(*old, model.surname_index.is_(None)) if model is Patient else or_(*old)


def _first_byte(column: Any) -> Any:
    return func.substr(type_coerce(column, LargeBinary), 1, 1, type_=LargeBinary)
