"""One cast of people and beds, one way to knock at each door."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from app import Handler, create_app
from hospital import clock, meters, records
from hospital.settings import Settings
from tests.support.house import House
from tests.support.postgres import Postgres
from tests.support.server import EMBEDDED, Server

pytest_plugins = ["tests.support.servers", "tests.support.quick"]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the demo hospitals, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("furnished")
    create_app(Settings(demo=True, secret_key="for tests", instance=folder))
    records.disconnect()
    return folder / "hospital.db"


@pytest.fixture(scope="session")
def furnished_postgres(postgres: Postgres) -> str:
    """The same on PostgreSQL, to be copied."""
    url = postgres.create_database()
    create_app(Settings(demo=True, secret_key="for tests", database_url=url))
    records.disconnect()
    return url


@pytest.fixture
def house(furnished: Path, tmp_path: Path) -> Iterator[House]:
    """The application on SQLite, with the demo hospitals and nothing else."""
    (tmp_path / "hospital.db").write_bytes(furnished.read_bytes())
    yield from opened(Settings(demo=True, secret_key="for tests", instance=tmp_path))


@pytest.fixture(params=["sqlite", "postgresql"])
def either_house(request: pytest.FixtureRequest) -> Iterator[House]:
    """The application on each database in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("house")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database(like=request.getfixturevalue("furnished_postgres"))
    yield from opened(Settings(demo=True, secret_key="for tests", database_url=url))
    server.drop_database(url)


@pytest.fixture
def new_house(furnished: Path, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Opens one house after another, each on a copy of its own; the one before is closed. Takes settings."""
    numbers = count(1)
    with ExitStack() as stack:

        def open_house(**changed: Any) -> House:
            stack.close()
            (folder := tmp_path / f"house-{next(numbers)}").mkdir()
            (folder / "hospital.db").write_bytes(furnished.read_bytes())
            chosen = Settings(demo=True, secret_key="for tests", instance=folder).but(**changed)
            return stack.enter_context(contextmanager(opened)(chosen))

        yield open_house


def opened(settings: Settings) -> Iterator[House]:
    clock.reset()
    meters.forget()
    app: Flask = create_app(settings)
    app.testing = True
    yield House(app, settings)
    app.extensions["relay"].outlet.close()
    records.disconnect()
    clock.reset()


@pytest.fixture
def port(house: House) -> Iterator[int]:
    """The application behind the real handler, in this process; nothing runs beside it."""
    house.relay.look()
    server = WSGIServer(("127.0.0.1", 0), house.app, handler_class=Handler, log=None, error_log=None, spawn=Pool(50))
    server.start()
    yield server.server_port
    server.stop(timeout=1)


@pytest.fixture
def new_server(furnished: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts real servers on free ports, each on its own copy of the demo hospitals. `command`: see Server."""
    servers: list[Server] = []

    def start(*, command: tuple[str, ...] = EMBEDDED, **environment: str) -> Server:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        (folder / "hospital.db").write_bytes(furnished.read_bytes())
        servers.append(Server(folder, environment, command))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """One real server without a simulator."""
    return new_server()
