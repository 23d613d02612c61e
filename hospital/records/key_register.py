"""Which keys this database is sealed with, and which of them is current: the highest number that was ever adopted.

The ring (hospital/records/sealed.py) holds the secrets and lies elsewhere; this table only knows their numbers. A
retired key opens nothing any more; its digest key stays, sealed with the current one, because the journal's lines are
never made anew.
"""

from datetime import datetime

from sqlalchemy import String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import clock
from hospital.records import sealed
from hospital.records.database import Base, UtcDateTime, read, wait_for_writers, write
from hospital.records.sealed import Sealed

_PUT_BACK = (
    "This database is sealed with it: put it back (HOSPITAL_SECRET_KEY, HOSPITAL_KEY_FILE or HOSPITAL_KEY_COMMAND). "
    "To be rid of it, first run `flask --app app keys rotate` with both keys."
)


class WrongRing(Exception):
    """With these keys the database cannot be opened, or not be sealed anew."""


class SealKey(Base):
    """`check` tells a secret from another that was given the same number. `retired_at`: nothing lies under it now."""

    __tablename__ = "seal_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    check: Mapped[str] = mapped_column("key_check", String(64))
    digest_key: Mapped[str] = mapped_column(Sealed("seal_key.digest_key"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def prepare_keys() -> None:
    """At each start: the ring must open this database. Raises WrongRing with a sentence that says what to do."""
    with read() as session:
        rows = session.execute(select(SealKey.id, SealKey.check).where(SealKey.retired_at.is_(None))).all()
        if not rows:
            _must_open(session)
    for number, check in rows:
        key = sealed.ring().get(number)
        if key is None or key.check != check:
            raise WrongRing(f"Key {number} {'is missing' if key is None else 'is another'}. {_PUT_BACK}")
    if not rows:
        write(None, lambda session: _add(session, max(sealed.ring())))


def adopt() -> int:
    """Make the highest key of the ring the current one, for all processes at once. Raises WrongRing."""
    return write(None, _adopt)


def retire(session: Session, number: int) -> None:
    """In an act, when nothing lies under any other key than this one."""
    query = update(SealKey).where(SealKey.id != number, SealKey.retired_at.is_(None))
    session.execute(query.values(retired_at=clock.now()))


def digest_keys(session: Session) -> list[bytes]:
    """All that ever made a digest of the journal."""
    return [bytes.fromhex(key) for key in session.scalars(select(SealKey.digest_key).order_by(SealKey.id))]


def sealed_columns() -> dict[type[Base], list[str]]:
    """Every model that has some → its sealed columns."""
    models = [mapper.class_ for mapper in Base.registry.mappers]
    found = {model: [c.name for c in model.__table__.columns if isinstance(c.type, Sealed)] for model in models}
    return {model: names for model, names in found.items() if names}


def _must_open(session: Session) -> None:
    """A database that is older than this register: one value of each column tells whether the key is right."""
    try:
        for model, names in sealed_columns().items():
            for name in names:
                session.scalar(select(getattr(model, name)).where(getattr(model, name).is_not(None)).limit(1))
    except sealed.CannotOpen:
        raise WrongRing(f"The key is another. {_PUT_BACK}") from None


def _adopt(session: Session) -> int:
    wait_for_writers(session)
    highest, newest = max(sealed.ring()), session.scalar(select(func.max(SealKey.id))) or 0
    if highest < newest:
        raise WrongRing(f"Key {newest} is in use already; the highest of this ring is {highest}. Add a higher one.")
    if highest > newest:
        _add(session, highest)
    return highest


def _add(session: Session, number: int) -> None:
    key = sealed.ring()[number]
    session.add(SealKey(id=number, check=key.check, digest_key=key.digest.hex(), since=clock.now()))
