"""Presses that do not get through: what the card says, what is sent later, and what is never sent late."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import (
    Desk,
    NewDesk,
    NewVisitor,
    acknowledge_button,
    alert_path,
    card,
    expect_live,
    freeze,
    stop_clock,
    wait_ms,
)
from tests.support.alarms import alarm
from tests.support.proxy import Proxy
from tests.support.server import Server

ACT = re.compile(r"/alerts/.+/(acknowledgement|escalation|resolution|notes)")
ACKNOWLEDGEMENT = re.compile(r"/acknowledgement")
NAME = "Acknowledge MED-07 SpO2 low"


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


def test_presses_while_the_network_is_away_are_done_in_their_order_when_it_is_back(
    server: Server, new_desk: NewDesk, proxy: Proxy, visitor: NewVisitor
) -> None:
    beds = ["MED-03", "MED-07", "MED-01"]
    for bed in beds:
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
    desk = _desk(new_desk)
    page = _through(proxy, desk)
    proxy.refuse()
    for bed in beds:
        acknowledge_button(page, bed).click()
    for bed in beds:
        _says(page, bed, "Not sent yet")
        expect(card(page, bed)).to_have_attribute("data-state", "open")
    proxy.accept()
    for bed in beds:
        expect(card(page, bed)).to_have_attribute("data-state", "acknowledged")
    taken = [int(card(page, bed).get_attribute("data-version") or 0) for bed in beds]
    assert taken == sorted(taken)
    for bed in beds:
        assert visitor("physician").get(alert_path(page, bed)).count("<b>Acknowledged</b>") == 1


def test_a_press_that_is_one_too_many_says_when_it_is_sent_again(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    desk = _desk(new_desk)
    desk.expect_problem("429")
    page = desk.open()
    refused: list[bool] = []

    def refuse_once(route: Route) -> None:
        refused.append(True)
        if len(refused) > 1:
            return route.continue_()
        return route.fulfill(status=429, headers={"Retry-After": "2"}, body="")

    page.route(ACKNOWLEDGEMENT, refuse_once)
    acknowledge_button(page, "MED-07").click()
    expect(page.locator("#toasts")).to_contain_text("too many at once. It is sent again in 2 s.")
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")


def test_after_thirty_seconds_a_press_is_not_sent_any_more_and_the_screen_says_so(
    server: Server, new_desk: NewDesk
) -> None:
    desk = _desk(new_desk, alone=True)
    server.send(alarm(bed="MED^^MED-07"))
    page = _pressed_in_vain(desk)
    page.clock.run_for(28_000)
    _says(page, "MED-07", "Not sent yet")
    page.clock.run_for(3_000)
    toast = page.get_by_role("alert").filter(has_text=f"{NAME}: not sent within 30 seconds, and it will not be.")
    expect(toast).to_be_visible()
    _says(page, "MED-07", "Acknowledge")
    tries = _let_through(page)
    page.clock.run_for(60_000)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    assert page.evaluate("tries") == tries > 5


@pytest.mark.parametrize(
    "sleep",
    [
        pytest.param("{ const now = Date.now; Date.now = () => now() + 300_000; }", id="the steady clock stood still"),
        pytest.param(
            "{ const now = performance.now.bind(performance); performance.now = () => now() + 300_000; }",
            id="somebody turned the wall clock back",
        ),
    ],
)
def test_a_press_before_sleep_is_not_sent_after_it(server: Server, new_desk: NewDesk, sleep: str) -> None:
    desk = _desk(new_desk, alone=True)
    server.send(alarm(bed="MED^^MED-07"))
    page = _pressed_in_vain(desk)
    page.evaluate(sleep)
    tries = _let_through(page)
    page.clock.run_for(20_000)
    expect(page.get_by_role("alert").filter(has_text=f"{NAME}: not sent within 30 seconds")).to_be_visible()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    assert page.evaluate("tries") == tries


@pytest.mark.slow
def test_a_page_that_was_frozen_sends_nothing_when_it_thaws(server: Server, new_desk: NewDesk, proxy: Proxy) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    desk = _desk(new_desk)
    other = desk.open()
    page = _through(proxy, desk)
    proxy.refuse()
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Not sent yet")
    thaw = freeze(page)
    proxy.accept()
    for _ in range(4):
        wait_ms(other, 8_000)
    thaw()
    expect(page.get_by_role("alert").filter(has_text="not sent within 30 seconds")).to_be_visible()
    expect_live(page)
    wait_ms(page, 2_000)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")


def test_nothing_is_sent_from_a_screen_that_is_not_current_before_it_is_again(
    server: Server, new_desk: NewDesk
) -> None:
    desk = _desk(new_desk, alone=True)
    desk.context.clock.install()
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    stop_clock(page)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")  # it stops listening
    page.clock.run_for(16_000)
    expect_live(page, "stale")
    sent = _sent(page)
    acknowledge_button(page, "MED-07").dispatch_event("click")
    page.clock.run_for(5_000)
    _says(page, "MED-07", "Not sent yet")
    assert sent == []
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect_live(page)
    page.clock.run_for(1_000)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")


def test_an_act_without_an_answer_is_not_confirmed_and_is_asked_again_with_the_same_key(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    sent = _sent(page)
    held: list[Route] = []
    page.route(ACT, lambda route: held.append(route))
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Acknowledging…")
    _says(page, "MED-07", "Not confirmed")
    expect(page.locator("#say-now")).to_have_text(f"{NAME}: not confirmed")
    if len(sent) < 2:
        page.wait_for_event("request", lambda request: bool(ACKNOWLEDGEMENT.search(request.url)))
    page.unroute(ACT)  # what is held goes on, too
    expect(card(page, "MED-07")).to_contain_text("Amara N. has it")
    assert len(sent) == 2 and len(set(sent)) == 1
    assert visitor("physician").get(alert_path(page, "MED-07")).count("<b>Acknowledged</b>") == 1


def test_a_press_that_somebody_else_was_faster_with_says_who_and_when(
    server: Server, new_desk: NewDesk, visitor: NewVisitor, proxy: Proxy
) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = _through(proxy, desk)
    path = alert_path(page, "MED-07")
    proxy.refuse()
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Not sent yet")
    visitor("nurse2").act(f"{path}/acknowledgement")
    proxy.accept()
    told = page.locator(".toast", has_text=re.compile(r"Jonas K\. has it already, since \d\d:\d\d:\d\d\."))
    expect(told).to_be_visible()
    expect(card(page, "MED-07")).to_contain_text("Jonas K. has it")


def test_a_page_that_is_left_sends_nothing_and_the_next_one_says_so(server: Server, new_desk: NewDesk) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    page.route(ACT, lambda route: route.abort())
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Not sent yet")
    page.goto(f"{server.url}/patients")
    page.unroute(ACT)  # not before: it would be tried again, and done
    told = page.get_by_role("alert").filter(has_text=f"{NAME}: not confirmed when the page was left.")
    expect(told).to_be_visible()
    page.goto(f"{server.url}/alerts")
    expect(told).to_have_count(0)
    wait_ms(page, 1_500)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")


def test_a_sign_out_forgets_what_was_pressed_and_says_so(server: Server, new_desk: NewDesk) -> None:
    desk = _desk(new_desk, own_session=True)
    server.send(alarm(bed="MED^^MED-07"))
    page, tab = desk.open(), desk.open()
    page.route(ACT, lambda route: route.abort())
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Not sent yet")
    tab.get_by_test_id("sign-out").click()
    expect_live(page, "signed-out")
    expect(page.locator("[data-unsent]")).to_contain_text("will not be sent: 1.")
    assert "MED-07" not in page.content()


def test_the_keyboard_presses_as_well(server: Server, new_desk: NewDesk) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    page.route(ACT, lambda route: route.abort())
    acknowledge_button(page, "MED-07").focus()
    page.keyboard.press("Enter")
    _says(page, "MED-07", "Not sent yet")
    expect(acknowledge_button(page, "MED-07")).to_be_focused()
    page.unroute(ACT)
    expect(card(page, "MED-07")).to_contain_text("Amara N. has it")


@pytest.mark.parametrize(
    ("act", "done"), [("escalate", "The charge nurse has been told."), ("resolve", "it is resolved")]
)
def test_the_other_acts_wait_as_well(server: Server, new_desk: NewDesk, act: str, done: str) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    page.goto(f"{server.url}{alert_path(page, 'MED-07')}")
    expect_live(page)
    page.route(ACT, lambda route: route.abort())
    page.get_by_test_id(act).click()
    expect(page.get_by_test_id(act)).to_have_text("Not sent yet", use_inner_text=True)
    page.unroute(ACT)
    expect(page.locator(".happens")).to_contain_text(done)


def test_a_note_that_did_not_get_through_keeps_its_words_and_is_written_once(server: Server, new_desk: NewDesk) -> None:
    desk = _desk(new_desk)
    server.send(alarm(bed="MED^^MED-07"))
    page = desk.open()
    page.goto(f"{server.url}{alert_path(page, 'MED-07')}")
    expect_live(page)
    page.route(ACT, _do_and_lose_the_answer)
    note = page.get_by_test_id("note-text")
    note.fill("Probe moved")
    page.get_by_test_id("note").click()
    expect(page.get_by_role("alert").filter(has_text="The note is not confirmed.")).to_be_visible()
    expect(note).to_have_value("Probe moved")
    page.unroute(ACT)
    page.get_by_test_id("note").click()
    expect(note).to_have_value("")
    expect(page.locator(".history blockquote")).to_have_count(1)


def test_a_press_on_a_row_that_has_only_just_come_is_held_back(server: Server, new_desk: NewDesk) -> None:
    desk = _desk(new_desk, alone=True)
    desk.context.clock.install()
    server.send(alarm(bed="MED^^MED-07", alert_id="meant", priority="low"))
    page = desk.open()
    box = acknowledge_button(page, "MED-07").bounding_box()
    assert box is not None
    stop_clock(page)
    server.send(alarm(bed="MED^^MED-02", alert_id="came between", priority="high"))
    expect(card(page, "MED-02")).to_be_visible()
    sent = _sent(page)
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    expect(page.get_by_role("alert").filter(has_text="had just moved here. Nothing was done")).to_be_visible()
    assert sent == []
    page.clock.run_for(400)
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    page.clock.run_for(1_000)
    expect(card(page, "MED-02")).to_have_attribute("data-state", "acknowledged")


_FAIL_TWICE = """() => {
  setTimeout(() => { throw new Error("Testmann") });
  Promise.reject(new Error("MED-07"));
  const comes = name => new Promise(done => addEventListener(name, done, { once: true }));
  return Promise.all([comes("error"), comes("unhandledrejection"), new Promise(requestAnimationFrame)]).then(() => {});
}"""


def test_what_screens_report_is_numbers(server: Server, new_desk: NewDesk) -> None:
    page = _desk(new_desk).open()
    reports: list[str] = []

    def take(route: Route) -> None:
        reports.append(route.request.post_data or "")
        route.fulfill(status=204)

    page.route("**/live/reports", take)
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    page.evaluate(_FAIL_TWICE)
    with page.expect_response("**/live/reports"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    report = json.loads(reports[0])
    assert report["errors"] == {"stream": 0, "swap": 0, "script": 2, "worker": 0, "act": 0}
    assert len(report["paint_ms"]) == 1 and 0 <= report["paint_ms"][0] < 5_000
    assert set(report) == {"errors", "paint_ms"}


def _desk(new_desk: NewDesk, **how: bool) -> Desk:
    desk: Desk = new_desk("nurse", **how)
    for rightly in ("ERR_", "409", "page error: Testmann", "page error: MED-07"):
        desk.expect_problem(rightly)
    return desk


def _through(proxy: Proxy, desk: Desk) -> Page:
    page = desk.context.new_page()
    page.goto(f"http://127.0.0.1:{proxy.port}/alerts")
    expect_live(page)
    return page


def _pressed_in_vain(desk: Desk) -> Page:
    """A page whose press on MED-07 does not get through, and whose clock stands still from then on."""
    desk.context.clock.install()
    page = desk.open()
    page.evaluate(
        """() => {
          [window.tries, window.away] = [0, true];
          const real = window.fetch;
          window.fetch = (address, how) => {
            if (!String(address).includes("/acknowledgement")) return real(address, how);
            tries++;
            return away ? Promise.reject(new TypeError("away")) : real(address, how);
          };
        }"""
    )
    acknowledge_button(page, "MED-07").click()
    _says(page, "MED-07", "Not sent yet")
    stop_clock(page)
    return page


def _let_through(page: Page) -> int:
    """From now on a try would succeed; how many there have been."""
    tries: int = page.evaluate("() => { away = false; return tries }")
    return tries


def _says(page: Page, place: str, words: str) -> None:
    expect(acknowledge_button(page, place)).to_have_text(words, use_inner_text=True)


def _sent(page: Page) -> list[str]:
    """The keys of the acts from now on."""
    keys: list[str] = []
    page.on(
        "request",
        lambda sent: keys.append(sent.headers["idempotency-key"]) if ACKNOWLEDGEMENT.search(sent.url) else None,
    )
    return keys


def _do_and_lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()
