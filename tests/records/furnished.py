"""Fixtures: a furnished PostgreSQL made once and copied, as SQLite's file is. A copy takes a tenth of a second."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from app import create_app
from hospital import records
from hospital.settings import Settings
from tests.support.postgres import Postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def furnished_postgres(postgres: Postgres) -> str:
    """The URL of a migrated database with the demo hospitals, to which nobody is connected."""
    url = postgres.create_database()
    create_app(Settings(demo=True, secret_key="for tests", database_url=url))
    records.disconnect()
    return url


@pytest.fixture
def postgres_database_url(postgres: Postgres, furnished_postgres: str) -> Iterator[str]:
    """A database of its own that is already furnished; so `either_house` need not do it again."""
    name = f"copy_{next(_numbers)}"
    template = furnished_postgres.rpartition("/")[2]
    address = postgres.url().replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'.encode())
    yield postgres.url(name)
    postgres.drop_database(postgres.url(name))
