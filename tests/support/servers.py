"""Fixtures for what tests need from outside Python: PostgreSQL, Chromium, strace."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.needs import need
from tests.support.postgres import Postgres, postgres_binaries
from tests.support.server import PATIENCE_S

CHROMIUM = "/usr/bin/chromium-headless-shell"  # Chromium without its own furniture, which takes as much as our pages
# As root, without a screen, and silent on the network.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole run, started by the first test that asks."""
    binaries = need(postgres_binaries(), "PostgreSQL: pip install -r requirements-dev.txt")
    server = Postgres(binaries)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The server's own database, which all tests share: for tests that leave nothing behind."""
    return postgres.url()


@pytest.fixture
def new_postgres_database(postgres: Postgres) -> Iterator[Callable[[], str]]:
    """Makes fresh and empty databases and tells their URLs; they go when the test ends."""
    urls: list[str] = []

    def create() -> str:
        urls.append(postgres.create_database())
        return urls[-1]

    yield create
    for url in urls:
        postgres.drop_database(url)


@pytest.fixture
def postgres_database_url(new_postgres_database: Callable[[], str]) -> str:
    """One fresh and empty database."""
    return new_postgres_database()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    return need(shutil.which(CHROMIUM), "Chromium: apt-get install chromium-headless-shell")


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def nginx_path() -> str:
    return need(shutil.which("nginx"), "nginx: apt-get install nginx")


@pytest.fixture(scope="session")
def strace_path() -> str:
    return need(shutil.which("strace"), "strace: apt-get install strace")
