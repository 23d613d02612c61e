"""The theme at one press, and a language of one's own in every tab."""

from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, card, expect_live, is_remembered, remember
from tests.support.alarms import alarm
from tests.support.server import Server


def test_a_theme_is_changed_at_one_press_and_the_next_page_begins_with_it(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", color_scheme="light")
    page = desk.open()
    remember(page)
    light = ground(page)

    page.get_by_test_id("theme").click()
    with page.expect_response("**/preferences"):
        page.get_by_test_id("theme-night").click()

    assert ground(page) != light and is_remembered(page)
    expect(page.get_by_test_id("theme")).to_be_visible()
    served = page.request.get(f"{server.url}/patients").text()
    assert 'data-theme="night"' in served[: served.index("<head>")]
    page.get_by_test_id("theme").click()
    expect(page.get_by_test_id("theme-night")).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/preferences"):
        page.get_by_test_id("theme-auto").click()
    assert ground(page) == light


def test_each_tab_goes_on_in_the_language_in_which_it_began(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse2")
    english = desk.open()
    form = desk.open("/preferences", live=False)

    form.get_by_role("radio", name="Español").check()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("button", name="Guardar")).to_be_visible()
    spanish = desk.open()
    server.send(alarm(bed="MED^^MED-07", priority="high"))

    expect(card(english, "MED-07")).to_contain_text("Acknowledge")
    expect(card(spanish, "MED-07")).to_contain_text("Reconocer")
    expect_live(english)
    form.get_by_role("radio", name="Como el navegador").check()
    form.get_by_role("button", name="Guardar").click()
    expect(form.get_by_role("button", name="Save")).to_be_visible()


def ground(page: Page) -> str:
    """The colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
