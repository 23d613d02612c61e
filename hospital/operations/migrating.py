"""Bring the database to the newest form before anything uses it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

_MIGRATIONS = Path(__file__).parents[2] / "migrations"
_LOCK = 7_203_947  # any number, the same in every process


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
