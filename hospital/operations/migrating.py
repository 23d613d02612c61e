"""Bring the database to the newest form before anything uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

_MIGRATIONS = Path(__file__).parents[2] / "migrations"
_LOCK, _START_LOCK = 7_203_947, 7_203_948  # any numbers, the same in every process


@contextmanager
def one_at_a_time(url: str) -> Iterator[None]:
    """On PostgreSQL, of processes that start at once: the first makes what all need, the others find it made."""
    if make_url(url).get_backend_name() != "postgresql":
        yield
        return
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _START_LOCK})
            yield
    finally:
        engine.dispose()  # a closed connection holds no lock


def migrate(url: str) -> None:
    """Run the migrations that are missing. Safe to call at every start, on PostgreSQL from many processes at once."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # the first one migrates, the others then find nothing to do
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
