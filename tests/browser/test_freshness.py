"""Is what stands on the screen current? Each way in which it may not be, and how the screen finds back."""

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.desk import (
    NewDesk,
    acknowledge_button,
    card,
    expect_live,
    is_remembered,
    remember,
    wait_ms,
)
from tests.support.alarms import alarm
from tests.support.server import Server

STREAM = re.compile(r"/live/stream")
NewServer = Callable[..., Server]


@pytest.mark.parametrize("path", ["/alerts", "/patients", "/board"])
def test_a_page_whose_scripts_failed_is_soon_not_current_and_loads_itself_anew(
    server: Server, new_desk: NewDesk, path: str
) -> None:
    """One of many is enough: then none of them runs."""
    desk = new_desk("charge", alone=True)
    desk.expect_problem("ERR_FAILED")
    desk.context.add_init_script("Math.random = () => 0.99")
    desk.context.route("**/js/words.js", lambda route: route.abort())
    page = desk.context.new_page()
    page.clock.install()
    page.goto(f"{server.url}{path}")
    page.clock.run_for(14_000)
    expect_live(page, "delayed")
    page.clock.run_for(2_000)
    expect_live(page, "stale")
    _is_covered(page)
    desk.context.unroute("**/js/words.js")
    page.clock.run_for(15_000)
    expect_live(page)


def test_a_silent_server_is_delayed_then_stale_then_live_again(new_server: NewServer, new_desk: NewDesk) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    page = new_desk("nurse", at=server).open()
    server.send(alarm(bed="MED^^MED-07", alert_id="before"))
    expect(card(page, "MED-07")).to_be_visible()
    remember(page)
    began = time.monotonic()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with closing(server.gateway()) as gateway:
            gateway.write(b"\x0b" + alarm(bed="MED^^MED-02", alert_id="meanwhile") + b"\x1c\r")
            expect_live(page, "delayed")
            assert 8.5 < time.monotonic() - began < 14
            expect(page.locator("#veil")).to_be_hidden()
            expect_live(page, "stale")
            assert 13.5 < time.monotonic() - began < 19
            _is_covered(page)
            _ages_stand_still(page)
            os.kill(server.pid, signal.SIGCONT)
            assert b"MSA|CA" in gateway.answer()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect_live(page)
    expect(card(page, "MED-02")).to_be_visible()
    expect(page.locator("#veil")).to_be_hidden()
    expect(page.locator("#main")).not_to_have_attribute("inert", re.compile(""))
    assert is_remembered(page)


def test_a_killed_server_is_resumed_where_the_line_broke(new_server: NewServer, new_desk: NewDesk) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("nurse", at=server, alone=True)
    desk.expect_problem("ERR_")
    page = desk.open()
    server.send(alarm(bed="MED^^MED-07", alert_id="before"))
    expect(card(page, "MED-07")).to_be_visible()
    remember(page)
    fetched = _pages_fetched(page)
    desk.context.route(STREAM, lambda route: route.abort())  # nobody may be back before the alarm
    server.kill()
    expect_live(page, "delayed")
    server.start()
    server.send(alarm(bed="MED^^MED-02", alert_id="meanwhile"))
    desk.context.unroute(STREAM)
    expect_live(page)
    expect(card(page, "MED-02")).to_be_visible()
    assert is_remembered(page)
    assert fetched == []


def test_a_restored_backup_is_shown_as_it_is_now(new_server: NewServer, new_desk: NewDesk) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("nurse", at=server)
    desk.expect_problem("ERR_")
    server.send(alarm(bed="MED^^MED-07", alert_id="saved"))
    backup = _backup(server)
    page = desk.open()
    acknowledge_button(page, "MED-07").click()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    server.send(alarm(bed="MED^^MED-02", alert_id="lost with the disk"))
    expect(card(page, "MED-02")).to_be_visible()
    remember(page)
    server.stop()
    _restore(server, backup)
    server.start()
    expect(card(page, "MED-02")).to_have_count(0)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    expect_live(page)
    server.send(alarm(bed="MED^^MED-03", alert_id="after"))
    expect(card(page, "MED-03")).to_be_visible()
    acknowledge_button(page, "MED-07").click()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    assert is_remembered(page)


def test_signing_out_in_one_tab_covers_the_other_within_a_beat(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", own_session=True)
    other = desk.open()
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(other, "MED-07")).to_be_visible()
    tab = desk.open()
    tab.get_by_test_id("sign-out").click()
    expect(tab).to_have_url(re.compile("/sign-in$"))
    expect_live(other, "signed-out", timeout_s=8)
    expect(other.locator("#signed-out")).to_be_visible()
    expect(other.locator("#main > *")).to_have_count(0)
    server.send(alarm(bed="MED^^MED-02"))
    wait_ms(other, 1_500)
    for word in ("MED-07", "MED-02", "Testmann"):
        assert word not in other.content()


def test_a_machine_that_slept_is_stale_at_once_and_then_fetches_anew(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse", alone=True).open()
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    fetched, states = _pages_fetched(page), _states(page)
    page.evaluate("{ const now = Date.now; Date.now = () => now() + 3_600_000; }")
    page.wait_for_function("() => states.includes('stale')", timeout=8_000)
    expect_live(page)
    expect(card(page, "MED-07")).to_be_visible()
    assert states()[:1] == ["stale"]
    assert len(fetched) == 1


def test_a_page_that_comes_back_from_the_browsers_cache_fetches_anew(server: Server, new_desk: NewDesk) -> None:
    """Chromium does not keep a page that says no-store; other browsers may. So the event is made."""
    page = new_desk("nurse").open()
    fetched = _pages_fetched(page)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_function("() => document.body.dataset.live === 'live'")
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    assert len(fetched) == 1


def test_going_back_shows_what_is_now(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open()
    server.send(alarm(bed="MED^^MED-07", alert_id="1"))
    card(page, "MED-07").locator(".place a").click()
    expect(page.locator("#alert-detail")).to_be_visible()
    server.send(alarm(bed="MED^^MED-02", alert_id="2"))
    page.go_back()
    expect(card(page, "MED-02")).to_be_visible()
    expect_live(page)


def test_a_gap_that_cannot_be_filled_yet_is_never_live(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("503")
    page = desk.open()
    page.route("**/alerts", lambda route: route.fulfill(status=503, body="Not now"))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect_live(page, "delayed")
    wait_ms(page, 2_500)  # two beats have come meanwhile
    expect_live(page, "delayed")
    page.unroute("**/alerts")
    expect_live(page)


def test_a_line_that_never_answers_is_given_up(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse", alone=True)
    asked: list[Route] = []
    desk.context.route(STREAM, lambda route: asked.append(route))  # no answer, no error: a black hole
    desk.context.clock.install()
    page = desk.open(live=False)
    page.wait_for_function("() => document.readyState === 'complete'")
    desk.context.clock.run_for(20_000)
    expect_live(page, "stale")
    desk.context.unroute(STREAM)
    with page.expect_request(STREAM) as again:
        for _ in range(300):  # no further than to the next try: the clock must not run on while that is under way
            if not again.is_done():
                desk.context.clock.run_for(100)
    expect_live(page)
    assert asked


@pytest.mark.parametrize("broken", ["<article id='alert-1'", "<<<>>>", ""])
def test_a_frame_of_nonsense_does_no_harm(server: Server, new_desk: NewDesk, broken: str) -> None:
    hello = json.dumps({"cursor": "x-1", "head": 1, "beat_s": 1, "now": "2026-01-01T00:00:00Z"})
    said = f"event: hello\ndata: {hello}\n\nevent: frame\nid: x-2\ndata: {broken}\n\n"
    desk = new_desk("nurse", alone=True)
    desk.context.route(
        STREAM, lambda route: route.fulfill(status=200, body=said, content_type="text/event-stream"), times=1
    )
    page = desk.open(live=False)
    server.send(alarm(bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    expect_live(page)


def _is_covered(page: Page) -> None:
    expect(page.locator("#veil")).to_be_visible()
    expect(page.locator("#veil")).to_contain_text(re.compile(r"NOT CURRENT since \d\d:\d\d:\d\d"))
    expect(page.locator("#veil")).to_contain_text("Look at the monitors.")
    expect(page.locator("#main")).to_have_attribute("inert", "")
    expect(page.locator("#say-now")).to_contain_text(re.compile("not current", re.IGNORECASE))


def _ages_stand_still(page: Page) -> None:
    age = card(page, "MED-07").locator(".age")
    before = age.inner_text()
    wait_ms(page, 2_200)
    assert age.inner_text() == before


def _pages_fetched(page: Page) -> list[str]:
    """The pages that are asked for from now on: the sign of a resync."""
    fetched: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/alerts"):
            fetched.append(request.url)

    page.on("request", note)
    return fetched


def _states(page: Page) -> Callable[[], list[str]]:
    """Every state of the line from now on."""
    page.evaluate(
        """() => {
          window.states = [];
          new MutationObserver(() => states.push(document.body.dataset.live))
            .observe(document.body, { attributeFilter: ["data-live"] });
        }"""
    )
    return lambda: page.evaluate("states")


def _backup(server: Server) -> Path:
    """The database as it is now, while the server goes on."""
    file = server.folder / "backup.db"
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database, closing(sqlite3.connect(file)) as copy:
        database.backup(copy)
    return file


def _restore(server: Server, backup: Path) -> None:
    """As operations does it: the old file, and a new epoch. Sessions are kept, or everybody would be signed out."""
    file = server.folder / "hospital.db"
    with closing(sqlite3.connect(file)) as database:
        sessions = database.execute("SELECT * FROM person_session").fetchall()
    for part in ("-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)
    backup.rename(file)
    with closing(sqlite3.connect(file)) as database:
        marks = ", ".join("?" * len(sessions[0]))
        database.executemany(f"INSERT OR IGNORE INTO person_session VALUES ({marks})", sessions)
        database.execute("UPDATE hospital SET epoch = 'restored'")
        database.commit()
