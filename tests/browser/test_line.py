"""The line to the server: what it does when it breaks, when something swallows it, and when the server goes."""

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import Desk, NewDesk, card, expect_live, is_remembered, remember, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server
from tests.support.sse import until
from tests.support.swallowing import SwallowingProxy

STREAM = re.compile(r"/live/stream")
BEDS = [f"MED-{number:02}" for number in range(1, 8)]
NewServer = Callable[..., Server]
NewProxy = Callable[..., SwallowingProxy]


@pytest.fixture
def new_proxy() -> Iterator[NewProxy]:
    proxies: list[SwallowingProxy] = []

    def start(server: Server, **how: bool) -> SwallowingProxy:
        proxies.append(SwallowingProxy(server.port, **how))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.close()


def test_what_swallows_event_streams_is_passed_by_with_a_websocket(
    new_server: NewServer, new_desk: NewDesk, new_proxy: NewProxy
) -> None:
    """In mid-stream: nothing is lost, nothing comes twice, and no page is fetched."""
    server = new_server(HOSPITAL_BEAT_S="1")
    proxy = new_proxy(server, swallows=False)
    page = _through(proxy, new_desk("nurse", at=server))
    server.send(alarm(bed=f"MED^^{BEDS[0]}", alert_id="before"))
    expect(card(page, BEDS[0])).to_be_visible()
    fetched, versions = _pages_fetched(page), _versions(page)
    proxy.swallow_from_now_on()
    for bed in BEDS[1:]:
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
    expect(card(page, BEDS[-1])).to_be_visible(timeout=45_000)
    expect_live(page)
    server.send(alarm(bed=f"MED^^{BEDS[0]}", alert_id="before", phase="update", value="71"))
    expect(card(page, BEDS[0]).locator(".value")).to_have_text("71")
    assert len(page.locator("#alert-list > article").all()) == len(BEDS)
    assert all(len(seen) == len(set(seen)) for seen in versions().values()), versions()
    assert fetched == []
    assert _opened(server)["websocket"] == 1


def test_it_comes_back_to_event_streams_after_ten_minutes(
    new_server: NewServer, new_desk: NewDesk, new_proxy: NewProxy
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    proxy = new_proxy(server)
    desk = new_desk("nurse", at=server, alone=True)
    desk.context.clock.install()
    page = _through(proxy, desk, live=False)
    sockets: list[object] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.wait_for_function("() => document.readyState === 'complete'")

    def on_a_websocket() -> bool:
        """What is waited for passes at once; what is tried takes the time that it takes."""
        if not sockets:
            page.clock.run_for(1_000)
        return _opened(server)["websocket"] > 0

    until(on_a_websocket, within_s=60)
    expect_live(page)
    proxy.swallows = False
    before = _opened(server)["sse"]
    page.clock.fast_forward(601_000)
    expect_live(page)
    assert _opened(server)["sse"] > before


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_refusal_is_no_reason_for_a_websocket(server: Server, new_desk: NewDesk, status: int) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem(str(status))
    asked = _answer_each(desk, lambda route: route.fulfill(status=status, body="no"))
    page = _with_clock(desk)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    _waits(page, tries=6, step_ms=500)
    assert len(asked) >= 5
    assert sockets == []


def test_each_try_may_wait_twice_as_long_as_the_one_before(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("503")
    desk.context.add_init_script("Math.random = () => 0.999")
    _answer_each(desk, lambda route: route.fulfill(status=503, body="no"))
    page = _with_clock(desk)
    waits = _waits(page, tries=8, step_ms=250)
    assert [round(wait / 1000) for wait in waits] == [1, 2, 4, 8, 16, 30, 30]


def test_the_wait_is_anything_between_nothing_and_that(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("503")
    desk.context.add_init_script("Math.random = () => 0.25")
    _answer_each(desk, lambda route: route.fulfill(status=503, body="no"))
    waits = _waits(_with_clock(desk), tries=4)
    assert [round(wait / 250) for wait in waits] == [1, 2, 4]


def test_who_is_told_when_to_come_back_comes_a_little_later(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    desk.expect_problem("503")
    desk.context.add_init_script("Math.random = () => 0.5")
    _answer_each(desk, lambda route: route.fulfill(status=503, body="no", headers={"Retry-After": "7"}))
    waits = _waits(_with_clock(desk), tries=3)
    assert [round(wait / 250) for wait in waits] == [30, 32], "7 s, and half of 1 s, and of 2 s"


def test_a_server_that_says_that_it_goes_is_no_failure(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    page = desk.open()
    person = page.locator("body").get_attribute("data-person")
    page.close()
    asked = _answer_each(desk, lambda route: _say_and_end(route, int(person or 0), "drain"), times=1)
    page = desk.context.new_page()
    page.add_init_script(_RECORD_STATES)
    page.goto(f"{server.url}/alerts")
    expect_live(page)
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    assert len(asked) == 1
    assert page.evaluate("states") == ["live"], "and never anything else"


def test_a_stream_that_just_ends_is_a_failure(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    page = desk.open()
    person = page.locator("body").get_attribute("data-person")
    page.close()
    _answer_each(desk, lambda route: _say_and_end(route, int(person or 0), "beat"), times=1)
    page = desk.context.new_page()
    page.add_init_script(_RECORD_STATES)
    page.goto(f"{server.url}/alerts")
    page.wait_for_function("() => states.filter((state) => state === 'live').length === 2")
    assert page.evaluate("states") == ["live", "delayed", "live"]


def test_a_restart_is_over_before_anybody_sees_it(new_server: NewServer, new_desk: NewDesk) -> None:
    """The real thing: SIGTERM, drain, the same port again."""
    server = new_server(HOSPITAL_BEAT_S="1")
    page = new_desk("nurse", at=server).open()
    remember(page)
    server.stop()
    server.start()
    expect_live(page)
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    assert is_remembered(page)


def test_a_network_that_is_gone_is_told_at_once(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open()
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect_live(page, "delayed", timeout_s=3)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_live(page)


def test_people_are_told_of_a_new_version_and_load_it_when_they_like(server: Server, new_desk: NewDesk) -> None:
    page = _of_an_old_build(new_desk("nurse"), "/alerts")
    expect(page.locator("#new-build")).to_be_visible()
    remember(page)
    wait_ms(page, 1_500)
    assert is_remembered(page), "nobody's page is taken away under their hands"
    page.get_by_role("button", name="Load the new version").click()
    page.wait_for_function("() => !window.theSamePage && document.body?.dataset.live === 'live'")


def test_a_page_that_nobody_looks_at_loads_it_by_itself(server: Server, new_desk: NewDesk) -> None:
    page = _of_an_old_build(new_desk("nurse"), "/alerts")
    expect(page.locator("#new-build")).to_be_visible()
    remember(page)
    page.evaluate(_HIDE)
    page.wait_for_function("() => !window.theSamePage && document.body?.dataset.live === 'live'")


def test_a_page_with_something_typed_waits_although_nobody_looks(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07"))
    desk = new_desk("nurse")
    path = desk.open().locator(".place a").get_attribute("href")
    page = _of_an_old_build(desk, path or "")
    expect(page.locator("#new-build")).to_be_visible()
    page.get_by_test_id("note-text").fill("Probe moved")
    page.evaluate(_HIDE)
    wait_ms(page, 6_000)
    expect(page.get_by_test_id("note-text")).to_have_value("Probe moved")


def test_a_wall_loads_it_at_once_and_only_once(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    loads: list[str] = []
    desk.context.on("request", lambda sent: loads.append(sent.url) if sent.is_navigation_request() else None)
    page = _of_an_old_build(desk, "/board")
    page.wait_for_function("() => sessionStorage.getItem('reloaded for build')")
    expect_live(page)
    wait_ms(page, 2_000)
    assert len(loads) == 2, "the old page again: it must not spin"


_RECORD_STATES = """
window.states = [];
new MutationObserver(() => {
  const state = document.body?.dataset.live;
  if (state && state !== states.at(-1) && (states.length || state === "live")) states.push(state);
}).observe(document, { subtree: true, childList: true, attributeFilter: ["data-live"] });
"""
_HIDE = """
Object.defineProperty(document, "hidden", { get: () => true });
document.dispatchEvent(new Event("visibilitychange"));
"""


def _through(proxy: SwallowingProxy, desk: Desk, *, live: bool = True) -> Page:
    page = desk.context.new_page()
    page.goto(f"{proxy.url}/alerts")
    if live:
        expect_live(page)
    return page


def _of_an_old_build(desk: Desk, path: str) -> Page:
    page = desk.context.new_page()
    page.add_init_script(
        """new MutationObserver(() => document.querySelector('meta[name="build"]')?.setAttribute("content", "old"))
          .observe(document, { childList: true, subtree: true })"""
    )
    page.goto(f"{desk.server.url}{path}")
    return page


def _say_and_end(route: Route, person: int, last: str) -> None:
    now = "2026-01-01T00:00:00Z"
    hello = {"cursor": "x-1", "head": 1, "beat_s": 1, "now": now, "replay": False, "person": person}
    says = [("hello", hello), (last, {"within_s": 2, "head": 1, "now": now})]
    body = "".join(f"event: {event}\ndata: {json.dumps(data)}\n\n" for event, data in says)
    route.fulfill(status=200, body=body, content_type="text/event-stream")


def _answer_each(desk: Desk, answer: Callable[[Route], None], times: int | None = None) -> list[str]:
    """What is asked of the stream from now on."""
    asked: list[str] = []

    def take(route: Route) -> None:
        asked.append(route.request.url)
        answer(route)

    desk.context.route(STREAM, take, times=times)
    return asked


def _with_clock(desk: Desk) -> Page:
    """A page whose clock stands still from its first line on, so that no wait is measured by this machine's."""
    now = time.time()
    desk.context.clock.install(time=now)
    desk.context.clock.pause_at(now)
    page = desk.context.new_page()
    page.add_init_script(
        """window.asked = [];
        window.answered = 0;
        const real = window.fetch;
        window.fetch = (url, how) => {
          if (!String(url).includes("/live/stream")) return real(url, how);
          asked.push(performance.now());
          return real(url, how).finally(() => Promise.resolve().then(() => answered++));
        };"""
    )
    page.goto(f"{desk.server.url}/alerts")
    return page


def _waits(page: Page, tries: int, step_ms: int = 50) -> list[float]:
    """The times between the tries after the first, in ms of the page's clock, which runs in steps."""
    while page.evaluate("asked.length") < tries:
        page.clock.run_for(step_ms)
        page.wait_for_function("() => answered === asked.length", polling=10)
    return [after - before for before, after in pairwise(page.evaluate("asked")[:tries])]


def _pages_fetched(page: Page) -> list[str]:
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url) if sent.url.endswith("/alerts") else None)
    return fetched


def _versions(page: Page) -> Callable[[], dict[str, list[str]]]:
    """Every version that each card shows from now on, in order."""
    page.evaluate(
        """() => {
          window.versions = {};
          const note = ({ id, dataset: { version } }) => (versions[id] ??= []).push(version);
          new MutationObserver((changes) => changes.forEach(({ type, target, addedNodes }) => {
            if (type === "attributes") note(target);
            addedNodes.forEach((node) => node.matches?.("article") && !versions[node.id] && note(node));
          })).observe(document.getElementById("alert-list"),
            { childList: true, subtree: true, attributes: true, attributeFilter: ["data-version"] });
        }"""
    )
    return lambda: page.evaluate("versions")


def _opened(server: Server) -> dict[str, int]:
    with urllib.request.urlopen(f"{server.url}/internal/metrics") as answer:
        text = answer.read().decode()
    found = dict(re.findall(r'(?m)^hospital_streams_opened_total\{transport="(\w+)"\} (\d+)', text))
    return {transport: int(found.get(transport, 0)) for transport in ("sse", "websocket")}
