"""Many tabs of one browser: one stream for all of them, over plain HTTP/1.1, and none that is left behind."""

import re
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import (
    Desk,
    NewDesk,
    acknowledge_button,
    card,
    expect_live,
    freeze,
    is_remembered,
    remember,
    wait_ms,
)
from tests.support.alarms import alarm
from tests.support.readings import reading
from tests.support.server import Server

NewServer = Callable[..., Server]


def test_ten_tabs_are_live_on_one_stream(new_server: NewServer, new_desk: NewDesk) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("nurse", at=server)
    tabs = [desk.open() for _ in range(10)]
    assert _streams_opened(server) == 1
    server.send(alarm(bed="MED^^MED-07", alert_id="to all"))
    for tab in tabs:
        expect(card(tab, "MED-07")).to_be_visible()
        expect_live(tab)
    for tab in tabs[:6]:
        tab.close()
    wait_ms(tabs[-1], 2_500)
    server.send(alarm(bed="MED^^MED-02", alert_id="to the rest"))
    for tab in tabs[6:]:
        expect(card(tab, "MED-02")).to_be_visible()
        expect_live(tab)
    assert _streams_opened(server) == 1


def test_tabs_that_look_at_different_things_share_a_stream(new_server: NewServer, new_desk: NewDesk) -> None:
    """Two streams are all that this person may have: one, and the one that takes its place."""
    server = new_server(HOSPITAL_BEAT_S="1", HOSPITAL_STREAMS_PER_PERSON="2")
    _take(server, reading())
    desk = new_desk("nurse", at=server)
    tabs = {path: desk.open(path) for path in ("/alerts", "/patients", "/metrics", "/patients/1", "/board")}
    for tab in tabs.values():
        remember(tab)
    server.send(alarm(bed="MED^^MED-02", alert_id="1", patient="4712^^^Ward^PI||Probe^Paul"))
    server.send(alarm(bed="MED^^MED-07", alert_id="2", priority="high"))
    expect(card(tabs["/alerts"], "MED-02")).to_be_visible()
    expect(card(tabs["/board"], "MED-02")).to_be_visible()
    expect(tabs["/metrics"].locator("#urgent-list")).to_contain_text("MED-07")
    expect(tabs["/patients/1"].locator("#patient-alerts > article:not([hidden])")).to_have_count(1)
    expect(tabs["/patients/1"].locator("#patient-list > article")).to_have_count(1)
    assert not tabs["/board"].locator("text=Testmann").count()
    tabs["/alerts"].close()
    for tab in list(tabs.values())[1:]:
        expect_live(tab)
        assert is_remembered(tab)


def test_a_tab_that_joins_late_misses_nothing(server: Server, new_desk: NewDesk) -> None:
    """It is rendered, then an alarm comes, and only then it joins: from the frames that the others have had."""
    desk = new_desk("nurse")
    first = desk.open()
    held: list[Callable[[], None]] = []
    late = desk.context.new_page()
    late.route("**/js/main.js", lambda route: held.append(route.continue_))
    late.goto(f"{server.url}/alerts", wait_until="commit")
    expect(late.get_by_test_id("empty")).to_be_visible()
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(first, "MED-07")).to_be_visible()
    expect(card(late, "MED-07")).to_have_count(0)
    fetched: list[str] = []
    late.on("request", lambda sent: fetched.append(sent.url) if sent.url.endswith("/alerts") else None)
    held.pop()()
    expect(card(late, "MED-07")).to_be_visible()
    expect_live(late)
    assert fetched == []


def test_a_frozen_tab_gets_nothing_and_has_everything_when_it_thaws(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    other, frozen = desk.open(), desk.open()
    thaw = freeze(frozen)
    for number in range(1, 6):
        server.send(alarm(bed=f"MED^^MED-0{number}", alert_id=f"while frozen {number}"))
    expect(card(other, "MED-05")).to_be_visible()
    for _ in range(2):
        wait_ms(other, 8_000)  # the worker has given it up by now
    server.send(alarm(bed="MED^^MED-07", alert_id="given up"))
    expect(card(other, "MED-07")).to_be_visible()
    thaw()
    expect(card(frozen, "MED-07")).to_be_visible()
    expect(card(frozen, "MED-05")).to_be_visible()
    expect_live(frozen)
    expect_live(other)


def test_signing_out_covers_every_tab_at_once(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", own_session=True)
    server.send(alarm(bed="MED^^MED-07"))
    tabs = [desk.open(path) for path in ("/alerts", "/patients", "/alerts")]
    tabs[0].get_by_test_id("sign-out").click()
    expect(tabs[0]).to_have_url(re.compile("/sign-in$"))
    for tab in tabs[1:]:
        expect_live(tab, "signed-out", timeout_s=3)
        assert "MED-07" not in tab.content()


def test_a_tab_of_somebody_else_gets_no_frame(server: Server, new_desk: NewDesk) -> None:
    """Another person signs in beside a tab that is still open: the old one is covered and never shows their alerts."""
    desk = new_desk("nurse-icu", own_session=True)
    old = desk.open()
    tab = desk.open()
    tab.get_by_test_id("sign-out").click()
    tab.get_by_test_id("name").fill("nurse")
    tab.get_by_test_id("password").fill("demo-nurse")
    tab.get_by_test_id("sign-in").click()
    expect_live(tab)
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(tab, "MED-07")).to_be_visible()
    expect_live(old, "signed-out")
    assert "MED-07" not in old.content()


def test_a_worker_that_cannot_be_loaded_is_done_without(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    page = desk.context.new_page()
    page.add_init_script(
        "const Whole = SharedWorker; SharedWorker = function (url, how) { return new Whole('/nowhere.js', how) }"
    )
    page.goto(f"{server.url}/alerts")
    desk.expect_problem("nowhere")
    expect_live(page)
    server.send(alarm(bed="MED^^MED-07"))
    acknowledge_button(page, "MED-07").click()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")


@pytest.mark.parametrize("what", ["patient that has left", "nobody"])
def test_a_tab_whose_view_is_refused_takes_nobody_with_it(server: Server, new_desk: NewDesk, what: str) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("404")
    whole = desk.open()
    refused = desk.context.new_page()
    refused.goto(f"{server.url}/alerts")
    refused.evaluate("document.title")  # it stands; now it asks for what it may not
    page = _asking_for(desk, "patient:999999" if what == "nobody" else "patient:1000000")
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(whole, "MED-07")).to_be_visible()
    wait_ms(whole, 3_000)
    expect_live(whole)
    expect_live(refused)
    page.close()


def _asking_for(desk: Desk, view: str) -> Page:
    """A page of alerts that says it is a patient's."""
    page = desk.context.new_page()
    page.add_init_script(
        f"""new MutationObserver((_, seer) => {{
          if (!document.body) return;
          document.body.dataset.stream = "/live/stream?view={view}&view=alerts";
          seer.disconnect();
        }}).observe(document, {{ childList: true, subtree: true }})"""
    )
    page.goto(f"{desk.server.url}/alerts")
    return page


def _take(server: Server, message: bytes) -> None:
    assert b"MSA|" in server.send(message)


def _streams_opened(server: Server) -> int:
    with urllib.request.urlopen(f"{server.url}/internal/metrics") as answer:
        text = answer.read().decode()
    return sum(int(float(n)) for n in re.findall(r"(?m)^hospital_streams_opened_total\S* (\S+)$", text))
