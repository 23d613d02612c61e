"""One Chromium for the run; a context of its own for each person, which fails the test on any complaint of a page."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.desk import Desk, NewDesk, violations
from tests.browser.visitor import Visitor
from tests.support.server import Server

SignedIn = Callable[[Server, str], Visitor]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def shared_server(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "hospital.db").write_bytes(furnished.read_bytes())
    # One sign-in serves many browsers here, which no two browsers do in life: its token stays.
    server = Server(folder, {"HOSPITAL_BEAT_S": "1", "HOSPITAL_SESSION_ROTATE_S": "86400"})
    server.start()
    yield server
    broken = violations(server)
    server.stop()
    assert not broken, broken


@pytest.fixture(scope="session")
def signed_in() -> SignedIn:
    """The session of a person at a server: one for the run, since passwords are slow to check on purpose."""
    return cache(lambda server, name: Visitor(server).sign_in(name))


@pytest.fixture
def visitor(server: Server, signed_in: SignedIn) -> Callable[[str], Visitor]:
    """A person who acts without a browser."""
    return partial(signed_in, server)


@pytest.fixture
def server(shared_server: Server, signed_in: SignedIn) -> Iterator[Server]:
    """A real server without a simulator, that beats every second; one for the run, with no alert left of other tests.

    A test that stops its server, or turns its settings, takes `new_server`.
    """
    yield shared_server
    for name in ("physician", "charge"):
        signed_in(shared_server, name).end_everything()


@pytest.fixture
def new_desk(chromium: Browser, signed_in: SignedIn, request: pytest.FixtureRequest) -> Iterator[NewDesk]:
    """Seats a person at a browser of their own: `new_desk("nurse")`; None: somebody who is not signed in.

    `at`: another server than the shared one. `own_session`: not the session that others of the run use, for those who
    sign out. `alone`: a browser without shared workers, where each tab has a stream of its own, which `route` can catch
    and whose clock can be turned. The rest is for Playwright's new_context.
    """
    desks: list[Desk] = []

    def seat(
        name: str | None, *, at: Server | None = None, own_session: bool = False, alone: bool = False, **how: Any
    ) -> Desk:
        how = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | how
        server = at or request.getfixturevalue("server")
        desks.append(desk := Desk(chromium.new_context(**how), server, alone=alone))
        if name is None:
            return desk
        return desk.take(Visitor(server).sign_in(name) if own_session else signed_in(server, name))

    yield seat
    for desk in desks:
        desk.context.close()
    complaints = [complaint for desk in desks for complaint in desk.unexpected]
    assert not complaints, complaints
