"""A browser that runs no script: the truth as of a told time, and every act as a plain form."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, NewVisitor, acknowledge_button, card
from tests.support.alarms import alarm
from tests.support.server import Server


@pytest.fixture
def page(server: Server, new_desk: NewDesk) -> Page:
    """Amara, in front of an empty list."""
    return new_desk("nurse", java_script_enabled=False).open(live=False)


def test_the_list_tells_the_truth_and_of_when_it_is(server: Server, page: Page) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page.reload()
    notice = page.locator(".no-script")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("does not update itself")
    assert re.search(r"\d\d:\d\d:\d\d", notice.inner_text())
    expect(card(page, "MED-07")).to_contain_text("< 90")
    expect(card(page, "MED-07").locator(".age")).to_have_text(re.compile(r"since \d\d:\d\d"))
    expect(page.locator("#veil")).to_be_hidden()
    expect(page.locator("#signed-out")).to_be_hidden()
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1


def test_an_alert_is_acknowledged_by_a_plain_form(server: Server, page: Page) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    page.reload()
    acknowledge_button(page, "MED-07").click()
    expect(page).to_have_url(re.compile("/alerts$"))
    expect(card(page, "MED-07")).to_contain_text("Amara N. has it")


def test_who_comes_too_late_gets_a_page_that_says_so(server: Server, new_desk: NewDesk, visitor: NewVisitor) -> None:
    desk = new_desk("nurse", java_script_enabled=False)
    desk.expect_problem("409")
    page = desk.open(live=False)
    server.send(alarm(bed="MED^^MED-07"))
    page.reload()
    path = card(page, "MED-07").locator(".place a").get_attribute("href")
    visitor("nurse2").act(f"{path}/acknowledgement")
    acknowledge_button(page, "MED-07").click()
    expect(page.locator("h1")).to_have_text("This was not done")
    expect(page.locator("main")).to_contain_text("Jonas K. has it already, since")
    # The address is that of a POST: a page that reloads itself there would ask for what cannot be got.
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 0
    page.get_by_role("link", name="Look at the alert").click()
    expect(page.locator("#alert-detail")).to_contain_text("Jonas K. has it")


def test_a_note_is_written_by_a_plain_form_that_no_reload_empties(server: Server, page: Page) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    page.reload()
    card(page, "MED-07").locator(".place a").click()
    expect(page.locator(".no-script")).to_be_visible()
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 0
    page.get_by_test_id("note-text").fill("Probe <b>moved</b> to the other hand")
    page.get_by_test_id("note").click()
    expect(page.locator(".history blockquote")).to_have_text("Probe <b>moved</b> to the other hand")


def test_an_alert_is_escalated_and_resolved_by_plain_forms(server: Server, page: Page) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    page.reload()
    card(page, "MED-07").locator(".place a").click()
    page.get_by_test_id("escalate").click()
    expect(page.locator(".happens")).to_contain_text("The charge nurse has been told")
    page.get_by_test_id("resolve").click()
    expect(page.locator(".happens")).to_contain_text("it is resolved")
    expect(page.get_by_test_id("resolve")).to_have_count(0)


def test_signing_in_and_out(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk(None, java_script_enabled=False)
    desk.expect_problem("401")
    page = desk.open("/alerts", live=False)
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/alerts$"))
    page.get_by_test_id("name").fill("nurse")
    page.get_by_test_id("password").fill("wrong")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    page.get_by_test_id("name").fill("nurse")
    page.get_by_test_id("password").fill("demo-nurse")
    page.get_by_test_id("sign-in").click()
    expect(page).to_have_url(re.compile("/alerts$"))
    expect(page.locator(".person")).to_contain_text("Amara N.")
    page.get_by_test_id("sign-out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto(f"{server.url}/alerts")
    expect(page).to_have_url(re.compile("/sign-in"))
