"""What is told in passing: what others did, what was missed, and what a tab says that nobody looks at."""

import re

from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, NewVisitor, acknowledge_button, card, expect_live, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server

# A page that is hidden, and what the machine is asked to tell.
_HIDDEN = """
window.told = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = "granted"); }
  constructor(words, how) { told.push([words, how.tag]); }
};
"""
_HIDE = "() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })"


def test_what_went_by_is_behind_the_bell_until_it_is_read(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = new_desk("nurse").open()
    expect(page.get_by_test_id("missed")).to_be_hidden()
    _take(page, server, visitor("nurse2"), "MED-07")
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0)
    bell = page.get_by_test_id("missed")
    expect(bell).to_have_text("Missed messages: 1")
    page.goto(f"{server.url}/metrics")
    bell.click()
    expect(page.locator("#missed-panel li")).to_have_text(re.compile(r"^\d\d:\d\d Jonas K\. has MED-07 SpO2 low$"))
    page.get_by_test_id("missed-clear").click()
    expect(bell).to_be_hidden()


def test_what_somebody_closes_is_not_missed(server: Server, new_desk: NewDesk, visitor: NewVisitor) -> None:
    page = new_desk("nurse").open()
    _take(page, server, visitor("nurse2"), "MED-07")
    page.locator(".toast [data-close]").click()
    wait_ms(page, 6_500)
    expect(page.get_by_test_id("missed")).to_be_hidden()


def test_what_is_told_of_a_high_alert_does_not_go_by_itself(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = new_desk("nurse").open()
    _take(page, server, visitor("nurse2"), "MED-07", priority="high")
    wait_ms(page, 7_000)
    expect(page.locator(".toast")).to_be_visible()


def test_nothing_that_was_missed_is_left_after_a_sign_out(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = new_desk("nurse", own_session=True).open()
    _take(page, server, visitor("nurse2"), "MED-07")
    expect(page.get_by_test_id("missed")).to_be_visible()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    kept = page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert "MED-07" not in kept and "Jonas" not in kept


def test_title_and_icon_say_how_much_waits_and_name_nobody(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open()
    icon = page.locator('link[rel="icon"]')
    expect(page).to_have_title("Alerts · MED")
    server.send(alarm(bed="MED^^MED-07", priority="medium"))
    expect(page).to_have_title("(1) Alerts · MED")
    expect(icon).to_have_attribute("href", re.compile(r"/medium\.svg"))
    server.send(alarm(bed="MED^^MED-02", alert_id="high", priority="high"))
    expect(page).to_have_title("(2) Alerts · MED")
    expect(icon).to_have_attribute("href", re.compile(r"/high\.svg"))
    for bed in ("MED-02", "MED-07"):
        acknowledge_button(page, bed).click()
    expect(page).to_have_title("Alerts · MED")
    expect(icon).to_have_attribute("href", re.compile(r"/favicon\.svg"))


def test_a_hidden_page_notifies_who_wishes_it_of_bed_and_priority_alone(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    desk.context.add_init_script(_HIDDEN)
    page = desk.open("/patients")
    server.send(alarm(bed="MED^^MED-01", alert_id="0", priority="high"))
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    page.evaluate(_HIDE)
    server.send(alarm(bed="MED^^MED-02", alert_id="1", priority="high"))
    expect(page).to_have_title(re.compile(r"^\(2\)"))
    assert page.evaluate("told") == [], "not without being asked"
    page.get_by_test_id("sound").click()
    page.get_by_test_id("notify").check()
    server.send(alarm(bed="MED^^MED-03", alert_id="2", priority="high"))
    server.send(alarm(bed="MED^^MED-04", alert_id="3", priority="medium"))
    server.send(alarm(bed="MED^^MED-05", alert_id="4", priority="low"))
    expect(page).to_have_title(re.compile(r"^\(5\)"))
    assert [words for words, _ in page.evaluate("told")] == ["HIGH MED-03", "MEDIUM MED-04"]


def _take(page: Page, server: Server, who: object, bed: str, priority: str = "medium") -> None:
    """Somebody else takes it, and the page is told."""
    server.send(alarm(bed=f"MED^^{bed}", priority=priority))
    expect(card(page, bed)).to_be_visible()
    expect_live(page)
    for path in who.alert_paths():  # type: ignore[attr-defined]
        who.act(f"{path}/acknowledgement")  # type: ignore[attr-defined]
