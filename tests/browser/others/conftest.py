"""Firefox and WebKit in turn, each with a window for each person; a window whose pages complained fails its test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.others.firefox import Firefox
from tests.browser.others.tab import Engine, Tab, Window
from tests.browser.others.webkit import WebKit
from tests.support.needs import need
from tests.support.proxy import Proxy
from tests.support.server import Server

NewWindow = Callable[..., Window]
DESK, PHONE, WALL = (1280, 800), (390, 844), (1920, 1080)


_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.others)


@pytest.fixture(scope="session", params=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One for the run, started by the first test that asks."""
    started = {"firefox": _firefox, "webkit": _webkit}[request.param](tmp_path_factory)
    yield started
    started.close()


def _firefox(folders: pytest.TempPathFactory) -> Engine:
    path = need(shutil.which("firefox-esr"), "Firefox: apt-get install firefox-esr")
    return Firefox(path, folders.mktemp("firefox"))


def _webkit(folders: pytest.TempPathFactory) -> Engine:
    driver = need(shutil.which("WebKitWebDriver"), "WebKit: apt-get install webkit2gtk-driver")
    xvfb = need(shutil.which("Xvfb"), "a screen for WebKit: apt-get install xvfb")
    return WebKit(driver, xvfb, folders.mktemp("webkit"))


@pytest.fixture
def new_window(engine: Engine) -> Iterator[NewWindow]:
    windows: list[Window] = []

    def open_window(size: tuple[int, int] = DESK) -> Window:
        windows.append(engine.open(*size))
        return windows[-1]

    yield open_window
    complaints = [complaint for window in windows for complaint in window.problems()]
    for window in windows:
        window.close()
    assert not complaints, complaints


@pytest.fixture
def new_tab(server: Server, new_window: NewWindow) -> Callable[..., Tab]:
    """A person of their own who has signed in and sees the alerts: `new_tab("nurse", PHONE)`. `at`: by another way."""

    def sit_down(name: str, size: tuple[int, int] = DESK, *, at: str = "") -> Tab:
        tab = new_window(size).new_tab()
        tab.sign_in(name, at or server.url)
        return tab

    return sit_down


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A network between the browser and the server that fails on command."""
    between = Proxy(server.port)
    yield between
    between.close()
