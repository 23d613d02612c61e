"""One alert's page: its facts, its history, the acts that live one step away, and what happens elsewhere meanwhile."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk, NewDesk, NewVisitor, acknowledge_button, alert_path, card, expect_live
from tests.support.alarms import alarm
from tests.support.server import Server

REFRESH = re.compile(r"/alerts/\d+$")


@pytest.fixture
def desk(server: Server, new_desk: NewDesk) -> Desk:
    return new_desk("nurse")


@pytest.fixture
def page(server: Server, desk: Desk) -> Page:
    """Amara, in front of one high alert."""
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page = desk.open()
    page.goto(f"{server.url}{alert_path(page, 'MED-07')}")
    expect_live(page)
    return page


def test_it_tells_the_facts_and_the_history(page: Page) -> None:
    expect(page.locator(".facts")).to_contain_text("Testmann, Tilda")
    expect(page.locator(".facts")).to_contain_text("4711")
    expect(page.locator(".history li")).to_have_count(1)
    expect(page.locator(".history li")).to_contain_text("Raised")
    expect(page.locator(".happens")).to_contain_text(re.compile(r"the charge nurse is told in \d:\d\d"))


def test_a_note_is_in_the_history(page: Page) -> None:
    page.get_by_test_id("note-text").fill("Probe moved\nto the other hand")
    page.get_by_test_id("note").click()
    expect(page.locator(".history blockquote")).to_have_text("Probe moved\nto the other hand")
    expect(page.get_by_test_id("note-text")).to_have_value("")


def test_escalating_and_resolving(page: Page) -> None:
    page.get_by_test_id("escalate").click()
    expect(page.locator(".happens")).to_contain_text("The charge nurse has been told.")
    expect(page.get_by_test_id("escalate")).to_have_text("Tell the physician now", use_inner_text=True)
    acknowledge_button(page, "MED-07").click()
    expect(page.locator(".happens")).to_contain_text("Amara N. has it.")
    page.get_by_test_id("resolve").click()
    expect(page.locator(".happens")).to_contain_text("it is resolved")
    expect(page.get_by_test_id("resolve")).to_have_count(0)
    expect(page.get_by_test_id("escalate")).to_have_count(0)
    words = page.locator(".history li b").all_inner_texts()
    assert words == ["Resolved", "Acknowledged", "Escalated", "Raised"]


def test_a_high_alert_that_nobody_has_is_not_resolved(desk: Desk, page: Page) -> None:
    desk.expect_problem("409")
    page.get_by_test_id("resolve").click()
    expect(page.locator(".toast", has_text="must be acknowledged before it is resolved")).to_be_visible()
    expect(page.locator(".alert-card")).to_have_attribute("data-state", "open")
    expect(page.get_by_test_id("resolve")).to_have_text("Resolve", use_inner_text=True)


def test_what_happens_elsewhere_leaves_a_note_being_typed_alone(
    server: Server, page: Page, visitor: NewVisitor
) -> None:
    note = page.get_by_test_id("note-text")
    note.press_sequentially("Probe mo")
    note.evaluate("note => { note.setSelectionRange(2, 5); window.theNote = note }")
    visitor("nurse2").act(f"{_path(page)}/acknowledgement")
    expect(page.locator(".happens")).to_contain_text("Jonas K. has it.")
    expect(page.locator(".history li")).to_have_count(2)
    expect(note).to_be_focused()
    expect(note).to_have_value("Probe mo")
    assert page.evaluate("[theNote.isConnected, theNote.selectionStart, theNote.selectionEnd]") == [True, 2, 5]
    page.keyboard.press("End")
    page.keyboard.type("ved")
    expect(note).to_have_value("Probe moved")


def test_a_resolved_alert_stays_on_its_page_and_says_so(server: Server, page: Page, visitor: NewVisitor) -> None:
    other = visitor("nurse2")
    other.act(f"{_path(page)}/acknowledgement")
    other.act(f"{_path(page)}/resolution")
    expect(page.locator(".alert-card")).to_have_attribute("data-state", "resolved")
    expect(page.locator(".happens")).to_contain_text("it is resolved")
    expect(page.locator(".act")).to_contain_text("Resolved")
    page.reload()
    expect(page.locator(".happens")).to_contain_text("it is resolved")


def test_news_that_cannot_be_fetched_are_fetched_later(
    server: Server, desk: Desk, page: Page, visitor: NewVisitor
) -> None:
    desk.expect_problem("503")
    page.route(REFRESH, lambda route: route.fulfill(status=503, body="<p>Not now</p>", content_type="text/html"))
    visitor("nurse2").act(f"{_path(page)}/acknowledgement")
    expect_live(page, "delayed")
    expect(page.locator("#alert-detail")).to_be_visible()
    page.unroute(REFRESH)
    expect(page.locator(".happens")).to_contain_text("Jonas K. has it.")
    expect_live(page)


def test_alerts_of_other_beds_do_not_disturb_it(server: Server, page: Page) -> None:
    server.send(alarm(bed="MED^^MED-02", alert_id="another"))
    server.send(alarm(bed="MED^^MED-07", phase="update", value="71", priority="high"))
    expect(page.locator(".reading .value")).to_have_text("71")
    expect(page.locator("article")).to_have_count(1)


def test_an_alert_of_another_unit_is_not_there(server: Server, page: Page, new_desk: NewDesk) -> None:
    for name in ("nurse-icu", "nurse-b"):
        stranger = new_desk(name)
        stranger.expect_problem("404")
        other = stranger.open(_path(page), live=False)
        expect(other.locator("main")).to_contain_text("There is no such alert in your units.")
        assert "MED-07" not in other.content() and "Testmann" not in other.content()


def _path(page: Page) -> str:
    path = card(page, "MED-07").locator(".place a").get_attribute("href")
    assert path is not None
    return path
