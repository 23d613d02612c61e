"""The migrations and the models tell of the same database."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, inspect, text

from hospital.operations.migrating import migrate
from hospital.records import Base, Hospital
from tests.support.postgres import Postgres
from tests.support.server import ROOT


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def differences(url: str) -> list[Any]:
    with connected(url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def described(url: str) -> dict[str, Any]:
    """Tables, columns, keys and indexes as the database itself tells them."""
    with connected(url) as connection:
        inspector = inspect(connection)
        return {
            table: {
                "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
                "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
                "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
                "unique": sorted(str(u["name"]) for u in inspector.get_unique_constraints(table)),
                "indexes": sorted(
                    str((i["name"], i["column_names"], i["unique"])) for i in inspector.get_indexes(table)
                ),
            }
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }


def test_a_migrated_database_is_what_the_models_say(empty_url: str) -> None:
    migrate(empty_url)

    assert differences(empty_url) == []


def test_the_comparison_finds_what_is_missing(empty_url: str) -> None:
    migrate(empty_url)
    with connected(empty_url) as connection:
        connection.execute(text("DROP INDEX uq_stay_bed_now"))
        connection.execute(text("ALTER TABLE person ADD COLUMN shoe_size INTEGER"))

    assert len(differences(empty_url)) == 2


def test_a_migrated_database_is_the_same_as_one_made_from_the_models(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url)
    migrated = described(empty_url)
    with connected(empty_url) as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)

    assert described(empty_url) == migrated
    assert set(migrated) == set(Base.metadata.tables)


def test_migrating_twice_is_harmless(empty_url: str) -> None:
    migrate(empty_url)
    with connected(empty_url) as connection:
        connection.execute(insert(Hospital).values(code="x", name="X", epoch="e", head=7))
    before = described(empty_url)

    migrate(empty_url)

    assert described(empty_url) == before
    with connected(empty_url) as connection:
        assert connection.execute(text("SELECT head FROM hospital")).scalar_one() == 7
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def test_many_processes_that_start_at_once_migrate_once(postgres: Postgres) -> None:
    url = postgres.create_database()
    command = [sys.executable, "-c", f"from hospital.operations.migrating import migrate; migrate({url!r})"]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    outcomes = [(process.communicate(timeout=60)[1][-300:], process.returncode) for process in started]

    assert [code for _, code in outcomes] == [0] * 4, outcomes
    assert differences(url) == []
    postgres.drop_database(url)


def test_a_bed_holds_one_patient_at_a_time_in_the_database_itself(empty_url: str) -> None:
    """The index is partial: stays that have ended may be many."""
    migrate(empty_url)
    with connected(empty_url) as connection:
        (index,) = (i for i in inspect(connection).get_indexes("stay") if i["name"] == "uq_stay_bed_now")

    assert index["unique"]
    ((_, where),) = ((name, value) for name, value in index["dialect_options"].items() if name.endswith("_where"))
    assert "until IS NULL" in str(where)
