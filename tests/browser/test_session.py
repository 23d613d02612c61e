"""A sign-in in a browser: its token is replaced under open pages, and nobody notices."""

import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import Desk, NewDesk, acknowledge_button, card, expect_live, is_remembered, remember
from tests.support.alarms import alarm
from tests.support.server import Server


@pytest.fixture
def quick(new_server: Callable[..., Server]) -> Server:
    """A server that replaces tokens every second."""
    return new_server(HOSPITAL_BEAT_S="1", HOSPITAL_SESSION_ROTATE_S="1", HOSPITAL_SESSION_OVERLAP_S="3")


def test_two_tabs_go_on_across_rotations_and_their_streams_do_not_break(quick: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", at=quick, own_session=True)
    first, second = desk.open(), desk.open()
    for page in (first, second):
        remember(page)
    opened, tokens = _streams_opened(quick), {_token(desk)}
    for turn, bed in enumerate(("MED-01", "MED-02", "MED-03")):
        page = (first, second)[turn % 2]
        page.wait_for_function("before => performance.now() > before + 5000", arg=page.evaluate("performance.now()"))
        quick.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
        acknowledge_button(page, bed).click()
        for each in (first, second):
            expect(card(each, bed)).to_have_attribute("data-state", "acknowledged")
        tokens.add(_token(desk))
    assert len(tokens) >= 3
    assert _streams_opened(quick) == opened
    for page in (first, second):
        expect_live(page)
        assert is_remembered(page)


def test_a_page_that_stands_open_says_when_its_sign_in_has_ended(quick: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", at=quick, own_session=True)
    desk.expect_problem("401")
    here = desk.open("/account", live=False)
    there = desk.open("/account", live=False)
    there.get_by_test_id("sign-out").click()
    expect(here.locator("body")).to_have_attribute("data-live", "signed-out")


def test_one_ends_a_sign_in_that_was_left_open_elsewhere(quick: Server, new_desk: NewDesk) -> None:
    left, mine = new_desk("nurse", at=quick, own_session=True), new_desk("nurse", at=quick, own_session=True)
    left.expect_problem("401")
    forgotten = left.open()
    page = mine.open("/account", live=False)
    page.get_by_role("button", name="End the sign-in").click()
    expect(forgotten.locator("body")).to_have_attribute("data-live", "signed-out")
    expect(page.get_by_role("button", name="End the sign-in")).to_have_count(0)


def test_who_is_about_to_be_signed_out_is_warned_and_stays_by_one_key(server: Server, new_desk: NewDesk) -> None:
    page = _about_to_end(new_desk("nurse"))
    warning = page.locator("#leaving")
    expect(warning).to_contain_text("You will be signed out in 0:")
    expect(page.locator("#say-now")).to_contain_text("Press any key")
    page.keyboard.press("Shift")
    expect(warning).to_be_hidden()


def test_who_does_not_answer_the_warning_is_signed_out(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("401")
    page = _about_to_end(desk)
    expect(page.locator("#leaving")).to_be_visible()
    page.unroute("**/session/renewal")
    page.route("**/session/renewal", lambda route: route.fulfill(status=401))
    page.evaluate("document.body.dataset.idleAt = new Date(Date.now() - 1000).toISOString()")
    expect_live(page, "signed-out")
    expect(page.locator("#leaving")).to_be_hidden()


def test_where_somebody_is_at_work_in_another_tab_the_warning_goes(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open()
    page.evaluate("document.body.dataset.idleAt = new Date(Date.now() + 50000).toISOString()")
    expect(page.locator("#leaving")).to_be_visible()
    expect(page.locator("#leaving")).to_be_hidden()


def _about_to_end(desk: Desk) -> Page:
    """Nobody has done anything for as long as one may; `active=1` is what ends that."""
    page = desk.open()

    def answer(route: Route) -> None:
        left = timedelta(hours=4) if "active=1" in (route.request.post_data or "") else timedelta(seconds=50)
        at = (datetime.now(UTC) + left).isoformat()
        route.fulfill(json={"idle_at": at, "expires_at": "2099-01-01T00:00:00Z", "renew_s": 300})

    page.route("**/session/renewal", answer)
    page.evaluate("document.body.dataset.idleAt = new Date(Date.now() + 50000).toISOString()")
    return page


def _token(desk: object) -> str:
    [cookie] = [one for one in desk.context.cookies() if one["name"] == "session"]  # type: ignore[attr-defined]
    return str(cookie["value"])


def _streams_opened(server: Server) -> str:
    with urllib.request.urlopen(f"{server.url}/internal/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("hospital_streams_opened_total"))
