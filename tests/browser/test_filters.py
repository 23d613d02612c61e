"""What the list shows: filters by what a card says of itself, kept in the address, and never hiding in silence."""

from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, acknowledge_button, card, is_remembered, places, remember, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server

BEDS = {"MED-01": "low", "MED-02": "medium", "MED-03": "high", "ICU-04": "high"}


def test_a_filter_hides_what_was_not_asked_for_and_stands_in_the_address(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    page.get_by_label("Priority", exact=True).select_option("medium")
    assert _seen(page) == ["MED-02"]
    assert page.url.endswith("/alerts?priority=medium")
    page.get_by_label("Unit").select_option("ICU")
    assert _seen(page) == []
    page.reload()
    expect(page.get_by_label("Unit")).to_have_value("ICU")
    assert _seen(page) == []
    page.get_by_label("Priority", exact=True).select_option("high")
    assert _seen(page) == ["ICU-04"]


def test_high_alerts_that_a_filter_hides_are_counted_and_shown_by_one_press(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    page.get_by_label("Priority", exact=True).select_option("low")
    expect(page.locator("#filtered-out")).to_contain_text("2 high hidden by your filter")
    expect(page.locator("#filtered-out")).to_contain_text("1 medium or low hidden")
    server.send(alarm(bed="MED^^MED-05", alert_id="MED-05", priority="high"))
    expect(page.locator("#filtered-out")).to_contain_text("3 high hidden by your filter")
    assert _seen(page) == ["MED-01"]
    page.get_by_role("link", name="Show all").click()
    assert _seen(page) == ["MED-05", "ICU-04", "MED-03", "MED-02", "MED-01"]
    expect(page.locator("#filtered-out")).to_be_hidden()
    assert page.url.endswith("/alerts")


def test_what_comes_while_a_filter_is_on_lands_in_the_list_and_is_hidden(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("charge").open("/alerts?priority=low")
    remember(page)
    server.send(alarm(bed="MED^^MED-02", alert_id="MED-02"))
    expect(page.locator("#alert-list > article")).to_have_count(1)
    assert _seen(page) == []
    expect(page.get_by_test_id("empty")).to_be_hidden()
    server.send(alarm(bed="MED^^MED-02", alert_id="MED-02", priority="low", value="88", phase="update"))
    wait_ms(page, 300)
    assert _seen(page) == []
    page.get_by_label("Priority", exact=True).select_option("")
    assert _seen(page) == ["MED-02"]
    assert is_remembered(page)


def test_mine_are_those_that_i_have(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    acknowledge_button(new_desk("nurse").open(), "MED-02").click()
    acknowledge_button(page, "MED-01").click()
    expect(card(page, "MED-02")).to_have_attribute("data-state", "acknowledged")
    expect(card(page, "MED-01")).to_have_attribute("data-state", "acknowledged")
    for who, seen in (
        ("me", ["MED-01"]),
        ("somebody", ["MED-02", "MED-01"]),
        ("nobody", ["ICU-04", "MED-03"]),
        ("", ["ICU-04", "MED-03", "MED-02", "MED-01"]),
    ):
        page.get_by_label("Who has it").select_option(who)
        assert _seen(page) == seen


def test_a_view_that_is_kept_is_what_the_list_begins_with_until_another_is(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    keep = page.get_by_role("button", name="Keep as my view")
    expect(keep).to_be_hidden()
    page.get_by_label("Priority", exact=True).select_option("low")
    keep.click()
    expect(page.locator("#toasts")).to_contain_text("Kept: your list begins like this")
    expect(keep).to_be_hidden()

    page.goto(f"{server.url}/alerts")
    assert _seen(page) == ["MED-01"]
    expect(page.locator("#filtered-out")).to_contain_text("2 high hidden by your filter")
    page.get_by_role("link", name="Show all").click()
    assert len(_seen(page)) == 4
    page.reload()
    assert len(_seen(page)) == 4, "the address says so"

    keep.click()
    expect(keep).to_be_hidden()
    page.goto(f"{server.url}/alerts")
    assert len(_seen(page)) == 4


def test_an_alarm_from_a_bed_that_nobody_knows_is_hidden_by_no_unit(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    server.send(alarm(bed="ATTIC^^7", alert_id="attic", priority="high"))
    expect(card(page, "ATTIC")).to_be_visible()
    page.get_by_label("Unit").select_option("ICU")
    assert len(_seen(page)) == 2
    page.reload()
    assert len(_seen(page)) == 2


def test_after_a_gap_the_hidden_ones_are_there_again(server: Server, new_desk: NewDesk) -> None:
    page = _ward(server, new_desk)
    page.get_by_label("Priority", exact=True).select_option("low")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_ms(page, 500)
    expect(page.locator("#filtered-out")).to_contain_text("2 high hidden by your filter")
    assert len(places(page)) == 4 and _seen(page) == ["MED-01"]


def test_without_javascript_the_address_filters(server: Server, new_desk: NewDesk) -> None:
    _ward(server, new_desk)
    page = new_desk("charge", java_script_enabled=False).open("/alerts", live=False)
    page.get_by_label("Priority", exact=True).select_option("low")
    page.get_by_role("button", name="Show these").click()
    assert page.url.endswith("unit=&priority=low&who=")
    assert _seen(page) == ["MED-01"]
    expect(page.locator("#filtered-out")).to_contain_text("2 high hidden by your filter")
    page.get_by_role("link", name="Show all").click()
    assert len(_seen(page)) == 4


def _ward(server: Server, new_desk: NewDesk) -> Page:
    for bed, priority in BEDS.items():
        server.send(alarm(bed=f"{bed[:3]}^^{bed}", alert_id=bed, priority=priority, patient=None))
    page: Page = new_desk("charge").open()
    return page


def _seen(page: Page) -> list[str]:
    return [row.text_content() or "" for row in page.locator("#alert-list > article .place").all() if row.is_visible()]
