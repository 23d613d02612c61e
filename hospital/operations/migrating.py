"""Bring the database to the newest form before anything uses it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

_MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate(url: str) -> None:
    """Run the migrations that are missing. Safe to call at every start, and from many processes one after the other."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
