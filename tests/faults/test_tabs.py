"""Real tabs under a bad network: what their DOM shows is judged like every other screen's."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.faults.conftest import NewFloor
from tests.faults.floor import Floor
from tests.faults.tabs import Tabs

NewTabs = Callable[..., Tabs]

COMES_BACK = "void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"  # and so must fetch anew


@pytest.fixture
def new_tabs(chromium: Browser) -> Iterator[NewTabs]:
    made: list[Tabs] = []

    def make(floor: Floor) -> Tabs:
        made.append(Tabs(chromium, floor.server.url, floor.history))
        return made[-1]

    yield make
    for tabs in made:
        tabs.close()


def test_a_second_gap_while_the_page_is_being_fetched_is_filled_too(new_floor: NewFloor, new_tabs: NewTabs) -> None:
    """The page on its way is older than what the second resync stands for: it must be fetched once more."""
    floor = new_floor(quick=False, HOSPITAL_BEAT_S="1")
    tabs = new_tabs(floor)
    tabs.open(floor.seat("nurse"))
    assert tabs.wait("live")
    page = tabs.tabs[0].page
    old_page = page.evaluate("fetch('/alerts').then((answer) => answer.text())")
    held: list[Route] = []
    page.route("**/alerts", lambda route: held.append(route), times=1)
    page.evaluate(COMES_BACK)
    wait_for(page, lambda: held)
    floor.alarm()
    lose_all_cards(page)
    page.evaluate(COMES_BACK)
    held[0].fulfill(body=old_page, content_type="text/html")
    floor.settle(5)
    assert tabs.wait("live")
    tabs.pump(1)
    assert page.locator("#alert-list > article").count() == 1


def lose_all_cards(page: Page) -> None:
    """As if their frames had been dropped."""
    page.locator("#alert-list > article").wait_for()
    page.evaluate("document.getElementById('alert-list').replaceChildren()")


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    for _ in range(1_200):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it never came true")


def test_a_line_that_grows_slow_is_not_live_though_beats_keep_coming(new_floor: NewFloor, new_tabs: NewTabs) -> None:
    """A network that buffers: what comes every few seconds was said longer and longer ago."""
    floor = new_floor(quick=False, HOSPITAL_BEAT_S="1")
    wire = floor.proxy()
    tabs = new_tabs(floor)
    tabs.open(floor.seat("nurse"), url=f"http://127.0.0.1:{wire.port}")
    assert tabs.wait("live")
    began = time.monotonic()
    while (for_s := time.monotonic() - began) < 24:
        wire.delay_s = 2 * for_s  # so a beat that comes now was sent when a third of this time had passed
        tabs.pump(0.25)
    assert tabs.tabs[0].state in ("delayed", "stale")
    wire.delay_s = 0
    floor.alarm()
    assert tabs.wait("live", within_s=60)
    tabs.tabs[0].page.locator("#alert-list > article").wait_for()
