"""Emergency access in a browser: every tab gets the wider rights, says so, and loses them by itself."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, card, expect_live
from tests.support.alarms import alarm
from tests.support.server import Server


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """One of its own: whose rights have changed gets a new token, and the sign-in of other tests would end."""
    return new_server(HOSPITAL_BEAT_S="1")


@pytest.fixture
def quick(new_server: Callable[..., Server]) -> Server:
    """Emergencies are over after twenty seconds here."""
    return new_server(HOSPITAL_BEAT_S="1", HOSPITAL_GLASS_MIN="0.33")


def break_glass(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/emergency")
    page.get_by_test_id("reason").fill("Cardiac arrest in ICU-02")
    page.get_by_test_id("break-glass").click()
    page.wait_for_url("**/patients")


def test_another_tab_opens_and_closes_by_itself(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="ICU^^ICU-02", alert_id="icu"))
    desk = new_desk("nurse", own_session=True)
    tab, other = desk.open(), desk.open()
    expect(card(other, "ICU-02")).to_have_count(0)

    break_glass(tab, server)
    expect(other.get_by_test_id("emergency")).to_contain_text(re.compile(r"Emergency access until \d\d:\d\d"))
    expect(card(other, "ICU-02")).to_have_count(1)
    expect_live(other)

    tab.get_by_test_id("end-emergency").click()
    tab.wait_for_url("**/alerts")
    for page in (tab, other):
        expect(page.get_by_test_id("emergency")).to_have_count(0)
        expect_live(page)
        expect(card(page, "ICU-02")).to_have_count(0)


def test_another_tab_opens_when_the_stream_of_both_is_the_new_one_already(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    """The next page of the first tab opened it before any beat could end the old one."""
    slow = new_server(HOSPITAL_BEAT_S="30")
    desk = new_desk("nurse", at=slow, own_session=True)
    tab, other = desk.open(live=False), desk.open(live=False)
    break_glass(tab, slow)
    expect(other.get_by_test_id("emergency")).to_contain_text("Emergency access until")


def test_when_its_time_is_over_no_page_shows_it_any_more(quick: Server, new_desk: NewDesk) -> None:
    quick.send(alarm(bed="ICU^^ICU-02", alert_id="icu"))
    desk = new_desk("nurse", at=quick, own_session=True)
    live = desk.open()
    still = desk.open("/account", live=False)
    break_glass(still, quick)
    still.fill("#words", "ICU-02")
    still.press("#words", "Enter")
    expect(card(live, "ICU-02")).to_have_count(1)

    for page in (live, still):
        expect(page.get_by_test_id("emergency")).to_have_count(0)
        expect(page.locator("main")).not_to_contain_text("ICU-02")
