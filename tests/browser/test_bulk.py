"""Acknowledging many at once: what was read and nothing else, each with a key of its own, never what is high."""

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.desk import Desk, NewDesk, NewVisitor, card, expect_live
from tests.support.alarms import alarm
from tests.support.server import Server

LOW = ("MED-01", "MED-02", "MED-03", "MED-04", "MED-05")


def test_five_low_ones_are_taken_at_once_each_with_its_own_key(server: Server, new_desk: NewDesk) -> None:
    page, other = _list(server, new_desk), new_desk("nurse2").open()
    keys: list[str | None] = []

    def keep(request: Request) -> None:
        if request.method == "POST" and "/acknowledgement" in request.url:
            keys.append(request.header_value("idempotency-key"))

    page.on("request", keep)
    page.get_by_role("button", name="Acknowledge 5 low").click()
    dialog = page.get_by_role("dialog")
    assert sorted(dialog.locator("li b").all_inner_texts()) == list(LOW)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Acknowledge 5 low").click()
    expect(page.locator(".toast")).to_contain_text("5 acknowledged.")
    for screen in (page, other):
        expect(screen.locator('article[data-state="acknowledged"]')).to_have_count(5)
        for bed in LOW:
            expect(card(screen, bed)).to_contain_text("Amara N. has it")
        expect(card(screen, "MED-09")).to_have_attribute("data-state", "open")
    assert len(set(keys)) == len(keys) == 5 and None not in keys
    expect(page.locator("[data-bulk]:visible")).to_have_count(0)


def test_what_is_high_is_never_taken_in_bulk(server: Server, new_desk: NewDesk) -> None:
    for bed in ("MED-07", "MED-08", "MED-09"):
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed, priority="high", patient=None))
    page = new_desk("nurse").open()
    expect(page.locator('article[data-priority="high"]')).to_have_count(3)
    expect(page.locator("[data-bulk]:visible")).to_have_count(0)


def test_what_changes_while_one_reads_is_struck_out_and_left_alone(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = _list(server, new_desk)
    page.get_by_role("button", name="Acknowledge 5 low").click()
    server.send(alarm(bed="MED^^MED-01", alert_id="MED-01", priority="high", phase="escalate", patient=None))
    visitor("nurse2").act(f"{card(page, 'MED-02').locator('.place a').get_attribute('href')}/acknowledgement")
    server.send(alarm(bed="MED^^MED-06", alert_id="MED-06", priority="low", patient=None))
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("li[data-out]")).to_have_count(2)
    expect(card(page, "MED-06")).to_have_count(1)
    dialog.get_by_role("button", name="Acknowledge 3 low").click()
    expect(page.locator(".toast", has_text="3 acknowledged.")).to_be_visible()
    expect(card(page, "MED-01")).to_have_attribute("data-state", "open")
    expect(card(page, "MED-06")).to_have_attribute("data-state", "open")
    expect(card(page, "MED-02")).to_contain_text("Jonas K. has it")


def test_what_was_refused_is_told_with_its_bed_and_who_was_first(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("409")
    page = _list(server, new_desk, desk=desk)
    path = card(page, "MED-02").locator(".place a").get_attribute("href")

    def first(route: Route) -> None:
        visitor("nurse2").act(f"{path}/acknowledgement")
        route.continue_()

    page.route(f"**{path}/acknowledgement*", first)
    page.get_by_role("button", name="Acknowledge 5 low").click()
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    toast = page.locator(".toast", has_text="4 acknowledged.")
    expect(toast).to_contain_text("MED-02: Jonas K. has it already")
    expect(toast).to_have_attribute("role", "alert")


def test_a_filter_narrows_what_is_offered(server: Server, new_desk: NewDesk) -> None:
    page = _list(server, new_desk)
    page.get_by_label("Priority", exact=True).select_option("medium")
    expect(page.locator("[data-bulk]:visible")).to_have_count(0)


def test_a_list_that_is_not_current_asks_nothing(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    desk.context.clock.install()
    desk.expect_problem("ERR_INTERNET_DISCONNECTED")
    page = _list(server, new_desk, desk=desk)
    page.get_by_role("button", name="Acknowledge 5 low").click()
    desk.context.set_offline(True)
    page.clock.run_for(20_000)
    expect_live(page, "stale")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone_by_touch(server: Server, new_desk: NewDesk) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = _list(server, new_desk, desk=new_desk("nurse", **phone))
    button = page.get_by_role("button", name="Acknowledge 5 low")
    box = button.bounding_box()
    assert box is not None and box["height"] >= 44
    button.tap()
    confirm = page.get_by_role("dialog").get_by_role("button", name="Acknowledge 5 low")
    box = confirm.bounding_box()
    assert box is not None and box["height"] >= 76
    confirm.tap()
    expect(page.locator('article[data-state="acknowledged"]')).to_have_count(5)


def _list(server: Server, new_desk: NewDesk, *, desk: Desk | None = None) -> Page:
    for bed in LOW:
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed, priority="low", patient=None))
    server.send(alarm(bed="MED^^MED-09", alert_id="MED-09", priority="high", patient=None))
    return (desk or new_desk("nurse")).open()
