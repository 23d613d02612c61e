"""A note that was begun: it survives leaving the page, and is nobody else's."""

from playwright.sync_api import Page, expect

from tests.browser.desk import Desk, NewDesk, alert_path, expect_live
from tests.support.alarms import alarm
from tests.support.server import Server

DRAFT = "Probe moved to the"


def test_a_draft_is_there_again_when_one_comes_back_and_gone_when_it_is_written(
    server: Server, new_desk: NewDesk
) -> None:
    page = _page(server, new_desk("nurse"))
    page.get_by_test_id("note-text").press_sequentially(DRAFT)
    page.get_by_role("link", name="All alerts").click()
    page.go_back()
    expect(page.get_by_test_id("note-text")).to_have_value(DRAFT)
    page.reload()
    expect(page.get_by_test_id("note-text")).to_have_value(DRAFT)
    page.get_by_test_id("note").click()
    expect(page.locator(".history blockquote")).to_have_text(DRAFT)
    page.reload()
    expect(page.get_by_test_id("note-text")).to_have_value("")


def test_each_alert_has_its_own_draft(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    page = _page(server, desk)
    page.get_by_test_id("note-text").press_sequentially(DRAFT)
    server.send(alarm(bed="MED^^MED-02", alert_id="another", patient=None))
    page.goto(f"{server.url}/alerts")
    page.goto(f"{server.url}{alert_path(page, 'MED-02')}")
    expect_live(page)
    expect(page.get_by_test_id("note-text")).to_have_value("")


def test_signing_out_in_one_tab_forgets_the_drafts_of_all(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", own_session=True)
    page = _page(server, desk)
    page.get_by_test_id("note-text").press_sequentially(DRAFT)
    other = desk.open()
    other.get_by_test_id("sign-out").click()
    expect_live(page, "signed-out")
    expect(page.locator("#signed-out")).to_be_visible()
    page.wait_for_function("!Object.keys(sessionStorage).some((key) => key.startsWith('draft'))")


def test_a_sign_in_that_ends_by_itself_leaves_the_draft_to_its_writer_alone(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", own_session=True)
    page = _page(server, desk)
    address = page.url
    page.get_by_test_id("note-text").press_sequentially(DRAFT)
    desk.context.clear_cookies()
    _sign_in(page, server, "nurse", address)
    expect(page.get_by_test_id("note-text")).to_have_value(DRAFT)
    desk.context.clear_cookies()
    _sign_in(page, server, "nurse2", address)
    expect(page.get_by_test_id("note-text")).to_have_value("")
    assert not [key for key in page.evaluate("Object.keys(sessionStorage)") if key.startswith("draft")]


def _page(server: Server, desk: Desk) -> Page:
    server.send(alarm(bed="MED^^MED-07", priority="high", patient=None))
    page = desk.open()
    page.goto(f"{server.url}{alert_path(page, 'MED-07')}")
    expect_live(page)
    return page


def _sign_in(page: Page, server: Server, name: str, address: str) -> None:
    page.goto(address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(f"demo-{name}")
    page.get_by_role("button", name="Sign in").click()
    expect_live(page)
