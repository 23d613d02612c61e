"""Working the list by keyboard: J, K, A, Enter, R and ?, on what has the focus and on nothing else."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.desk import NewDesk, card, expect_live, places, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server

BEDS = ("MED-03", "MED-02", "MED-01")  # from the top


def test_from_the_list_to_a_resolved_alert_without_a_pointer(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("j")
    expect(_focused(page)).to_have_text("MED-03")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(_focused(page)).to_have_text("MED-02")
    page.keyboard.press("a")
    expect(card(page, "MED-02")).to_have_attribute("data-state", "acknowledged")
    expect(_focused(page)).to_have_text("MED-02")
    page.keyboard.press("Enter")
    expect_live(page)
    page.keyboard.press("r")
    expect(page.locator(".happens")).to_contain_text("it is resolved")


def test_the_row_with_the_focus_can_be_seen(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("j")
    outlines = [card(page, bed).evaluate("row => getComputedStyle(row).outlineStyle") for bed in BEDS]
    assert outlines == ["solid", "none", "none"]


def test_a_key_acts_on_nothing_while_nothing_has_the_focus(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("a")
    page.keyboard.press("r")
    wait_ms(page, 300)
    expect(page.locator('article[data-state="open"]')).to_have_count(3)


def test_when_the_row_with_the_focus_has_left_a_key_acts_on_no_other(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(card(page, "MED-02")).to_have_attribute("data-state", "acknowledged")
    server.send(alarm(bed="MED^^MED-02", alert_id="MED-02", phase="end"))
    expect(card(page, "MED-02")).to_have_count(0)
    page.keyboard.press("a")
    wait_ms(page, 300)
    assert page.locator('article[data-state="open"]').count() == 2
    page.keyboard.press("j")
    expect(_focused(page)).to_have_text("MED-01")


def test_a_key_never_acts_on_a_row_that_has_just_moved_in(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    # In one turn of the page: a row comes to the top, and the keys of somebody who has not seen it yet.
    page.evaluate("""
      new MutationObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => {
          for (const key of ["j", "a"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        }));
      }).observe(document.getElementById("alert-list"), { childList: true });
    """)
    server.send(alarm(bed="MED^^MED-09", alert_id="MED-09", priority="high"))
    expect(page.locator(".toast")).to_contain_text("had just moved here")
    expect(_focused(page)).to_have_text("MED-09")
    expect(card(page, "MED-09")).to_have_attribute("data-state", "open")
    wait_ms(page, 400)
    page.keyboard.press("a")
    expect(card(page, "MED-09")).to_have_attribute("data-state", "acknowledged")


def test_letters_that_are_typed_are_no_keys(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect_live(page)
    page.get_by_test_id("note-text").press_sequentially("jar? a")
    expect(page.get_by_test_id("note-text")).to_have_value("jar? a")
    expect(page.locator(".alert-card")).to_have_attribute("data-state", "open")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_keys_are_listed_and_can_be_turned_off(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Next alert")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_function("() => document.activeElement === document.body")
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.reload()
    for key in ("j", "?"):
        page.keyboard.press(key)
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.activeElement === document.body")


def test_who_may_not_acknowledge_presses_a_in_vain(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.evaluate("document.body.dataset.may = ''")
    page.keyboard.press("j")
    page.keyboard.press("a")
    wait_ms(page, 300)
    expect(card(page, "MED-03")).to_have_attribute("data-state", "open")


def _list(server: Server, new_desk: NewDesk) -> Page:
    for bed in reversed(BEDS):
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed, patient=None))
    page: Page = new_desk("nurse").open()
    assert tuple(places(page)) == BEDS
    return page


def _focused(page: Page) -> Locator:
    return page.locator(":focus")
