"""Pressing Acknowledge: what the card says until the server has answered, and when it answers badly or not at all."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import NewDesk, NewVisitor, acknowledge_button, alert_path, card, expect_live, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server

ACT = re.compile(r"/acknowledgement")
STREAM = re.compile(r"/live/stream")


def test_nothing_is_acknowledged_before_the_server_says_so(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open()
    server.send(alarm(bed="MED^^MED-07", value="84"))
    held: list[Route] = []
    page.route(ACT, lambda route: held.append(route))
    acknowledge_button(page, "MED-07").click()
    _is_pending(page)
    server.send(alarm(bed="MED^^MED-07", phase="update", value="79"))
    expect(card(page, "MED-07").locator(".value")).to_have_text("79")
    _is_pending(page)
    held.pop().continue_()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    expect(card(page, "MED-07")).to_contain_text("Amara N. has it")


def test_pressing_twice_acknowledges_once_and_complains_of_nothing(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = new_desk("nurse").open()
    server.send(alarm(bed="MED^^MED-07"))
    path = alert_path(page, "MED-07")
    acknowledge_button(page, "MED-07").dblclick()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    wait_ms(page, 300)
    expect(page.locator(".toast")).to_have_count(0)
    assert _acknowledgements(visitor, path) == 1


def test_the_loser_of_a_race_reads_who_was_first(server: Server, new_desk: NewDesk, visitor: NewVisitor) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("409")
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    path = alert_path(page, "MED-07")
    held: list[Route] = []
    page.route(ACT, lambda route: held.append(route))
    acknowledge_button(page, "MED-07").click()
    _is_pending(page)
    visitor("nurse2").act(f"{path}/acknowledgement")
    expect(card(page, "MED-07")).to_contain_text("Jonas K. has it")
    held.pop().continue_()
    expect(page.locator(".toast", has_text="Jonas K. has it already, since")).to_be_visible()
    # When it comes back, the old press must not be under way any more.
    server.send(alarm(bed="MED^^MED-07", phase="escalate", priority="high"))
    expect(acknowledge_button(page, "MED-07")).to_have_text(re.compile("Acknowledge"), use_inner_text=True)
    expect(acknowledge_button(page, "MED-07")).not_to_have_attribute("aria-busy", "true")


def test_the_loser_of_a_race_whose_line_is_slow_reads_it_too(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("409")
    desk.expect_problem("ERR_FAILED")
    server.send(alarm(bed="MED^^MED-07"))
    desk.context.route(STREAM, lambda route: route.abort())
    page = desk.open(live=False)
    visitor("nurse2").act(f"{alert_path(page, 'MED-07')}/acknowledgement")
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    acknowledge_button(page, "MED-07").click()
    expect(page.locator(".toast", has_text="Jonas K. has it already, since")).to_be_visible()
    expect(card(page, "MED-07")).to_contain_text("Jonas K. has it")
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")


def test_without_an_answer_it_is_tried_again_with_the_same_key(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("ERR_FAILED")
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    path, keys = alert_path(page, "MED-07"), _keys(page)
    page.route(ACT, lambda route: route.abort())
    acknowledge_button(page, "MED-07").click()
    _is_not_sent(page)
    page.unroute(ACT)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    assert len(keys) >= 2 and len(set(keys)) == 1
    assert _acknowledgements(visitor, path) == 1


def test_an_answer_that_got_lost_acknowledges_once(server: Server, new_desk: NewDesk, visitor: NewVisitor) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("ERR_FAILED")
    server.send(alarm(bed="MED^^MED-07"))
    desk.context.route(STREAM, lambda route: route.abort())
    page = desk.open(live=False)
    path = alert_path(page, "MED-07")
    page.route(ACT, _do_and_lose_the_answer)
    acknowledge_button(page, "MED-07").click()
    _is_not_sent(page)
    assert _acknowledgements(visitor, path) == 1
    page.unroute(ACT)
    expect(card(page, "MED-07")).to_contain_text("Amara N. has it")
    assert _acknowledgements(visitor, path) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_cannot_is_asked_again(server: Server, new_desk: NewDesk, status: int) -> None:
    desk = new_desk("nurse")
    desk.expect_problem(str(status))
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    keys = _keys(page)
    page.route(ACT, lambda route: route.fulfill(status=status, body="<p>Not now</p>", content_type="text/html"))
    acknowledge_button(page, "MED-07").click()
    _is_not_sent(page)
    page.unroute(ACT)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    assert len(set(keys)) == 1


def test_a_page_that_is_too_old_says_that_nothing_was_done(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("403")
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    page.evaluate("document.querySelector('meta[name=csrf-token]').content = 'of an earlier session'")
    acknowledge_button(page, "MED-07").click()
    expect(page.locator(".toast", has_text="not done")).to_be_visible()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    expect(acknowledge_button(page, "MED-07")).to_have_text("Acknowledge", use_inner_text=True)


def test_an_act_of_someone_signed_out_covers_the_page_and_empties_it(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("401")
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    desk.context.clear_cookies()
    acknowledge_button(page, "MED-07").click()
    expect_live(page, "signed-out")
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#main > *")).to_have_count(0)
    for word in ("MED-07", "Testmann"):
        assert word not in page.content()


def test_what_others_do_is_told_to_others_only(server: Server, new_desk: NewDesk) -> None:
    mine, theirs = new_desk("nurse").open(), new_desk("nurse2").open()
    server.send(alarm(bed="MED^^MED-07"))
    acknowledge_button(mine, "MED-07").click()
    expect(theirs.locator(".toast", has_text="Amara N. has MED-07 SpO2 low")).to_be_visible()
    expect(card(mine, "MED-07")).to_contain_text("Amara N. has it")
    wait_ms(mine, 300)
    expect(mine.locator(".toast")).to_have_count(0)


def test_what_happened_while_the_line_was_cut_makes_no_toast(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("ERR_FAILED")
    server.send(alarm(bed="MED^^MED-07"))
    desk.context.route(STREAM, lambda route: route.abort())
    page = desk.open(live=False)
    visitor("nurse2").act(f"{alert_path(page, 'MED-07')}/acknowledgement")
    desk.context.unroute(STREAM)
    expect_live(page)
    expect(card(page, "MED-07")).to_contain_text("Jonas K. has it")
    wait_ms(page, 300)
    expect(page.locator(".toast")).to_have_count(0)


def _is_pending(page: Page) -> None:
    expect(acknowledge_button(page, "MED-07")).to_have_text("Acknowledging…", use_inner_text=True)
    expect(acknowledge_button(page, "MED-07")).to_have_attribute("aria-busy", "true")
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")


def _is_not_sent(page: Page) -> None:
    expect(acknowledge_button(page, "MED-07")).to_have_text("Not sent yet", use_inner_text=True)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    expect(page.locator("#say-now")).to_have_text("Acknowledge MED-07 SpO2 low: not sent yet")


def _do_and_lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()


def _keys(page: Page) -> list[str]:
    """The idempotency keys of the acts from now on."""
    keys: list[str] = []
    page.on("request", lambda sent: keys.append(sent.headers["idempotency-key"]) if sent.method == "POST" else None)
    return keys


def _acknowledgements(visitor: NewVisitor, path: str) -> int:
    return visitor("physician").get(path).count("<b>Acknowledged</b>")
