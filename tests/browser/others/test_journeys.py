"""What must not fail in any browser: sign in, an alert comes, somebody takes it, and no screen pretends to be current.

WebKit at the size of a phone stands in for Safari on iOS: the same engine, another network and other media below it.
"""

import re
import urllib.request
from collections.abc import Callable
from contextlib import closing

from tests.browser.desk import violations
from tests.browser.others.conftest import PHONE, WALL, NewWindow
from tests.browser.others.tab import Engine, Tab, card
from tests.support.alarms import alarm
from tests.support.proxy import Proxy
from tests.support.server import Server
from tests.support.swallowing import SwallowingProxy

NewTab = Callable[..., Tab]
NewServer = Callable[..., Server]
VEIL = "#veil"
SOUND = "[data-testid=sound]"
MORE = "[data-board-more]"
ROWS = """[...document.querySelectorAll(".board-row")]
  .filter((row) => row.checkVisibility()).map((row) => row.dataset.place)"""
# Whether each row is as high as it means to be.
WHOLE = """[...document.querySelectorAll(".board-row")]
  .every((row) => row.querySelector(".band").offsetHeight <= row.clientHeight)"""


def test_an_alert_comes_by_itself_and_is_taken_on_a_phone(server: Server, proxy: Proxy, new_tab: NewTab) -> None:
    """By a network that holds the answer back: until it is there, nothing says that somebody has it."""
    tab = new_tab("nurse", PHONE, at=proxy.url)
    tab.until_live()
    server.send(alarm(bed="MED^^MED-07"))
    tab.until_seen(_button("MED-07"), "Acknowledge")
    proxy.hold()
    tab.press(_button("MED-07"))
    tab.until_seen(_button("MED-07"), "Acknowledging…")
    assert _state(tab, "MED-07") == "open"
    proxy.release()
    tab.until_seen(card("MED-07"), "Amara N. has it")
    assert _state(tab, "MED-07") == "acknowledged"


def test_a_line_that_falls_silent_is_told_and_is_live_again_by_itself(
    server: Server, proxy: Proxy, new_tab: NewTab
) -> None:
    tab = new_tab("nurse", at=proxy.url)
    tab.until_live()
    server.send(alarm(bed="MED^^MED-07", alert_id="before"))
    tab.until_seen(card("MED-07"))
    tab.ask("window.theSamePage = true")
    proxy.hold()
    server.send(alarm(bed="MED^^MED-02", alert_id="meanwhile"))
    tab.until_live("delayed", within_s=15)
    assert not tab.ask(f"document.querySelector('{VEIL}').checkVisibility()")
    tab.until_live("stale", within_s=10)
    tab.until_seen(VEIL, "NOT CURRENT")
    assert tab.ask("document.getElementById('main').inert")
    proxy.release()
    tab.until_live(within_s=30)
    tab.until_seen(card("MED-02"))
    assert not tab.ask(f"document.querySelector('{VEIL}').checkVisibility()")
    assert not tab.ask("document.getElementById('main').inert")
    assert tab.ask("window.theSamePage")


def test_the_wall_shows_alerts_and_turns_its_pages(server: Server, new_tab: NewTab) -> None:
    for number in range(1, 7):
        server.send(alarm(bed=f"MED^^MED-{number:02}", alert_id=f"turn {number}", priority="low"))
    tab = new_tab("nurse", WALL)
    tab.go(f"{server.url}/board")
    tab.until_live()
    server.send(alarm(bed="MED^^MED-12", alert_id="stands", priority="high"))
    tab.until(f"{ROWS}[0] === 'MED-12'")
    tab.until_seen(MORE, "more")
    assert tab.ask(WHOLE), "no value is cut off"
    seen = tab.ask(ROWS)
    tab.until(f"{ROWS}.join() !== '{','.join(seen)}'", within_s=15)
    assert tab.ask(ROWS)[0] == seen[0] == "MED-12"
    assert not tab.ask("document.documentElement.scrollHeight > innerHeight")


def test_sound_waits_for_a_press(server: Server, new_tab: NewTab) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    tab = new_tab("nurse")
    tab.until_live()
    tab.go(f"{server.url}/alerts")  # as loaded by nobody's press
    tab.until_seen(SOUND, "Sound is off: press to arm")
    tab.press(SOUND)
    tab.until("document.querySelector('.sound').dataset.soundState === 'on'")
    tab.until_seen("[data-testid=sound-pause]", "Pause the sound")
    assert tab.ask("document.querySelector('[data-testid=sound-pause]').offsetHeight < 60"), "one line of words"


def test_the_tabs_of_a_browser_share_a_stream(server: Server, new_window: NewWindow) -> None:
    window = new_window()
    first, second = window.new_tab(), window.new_tab()
    first.sign_in("nurse", server.url)
    first.until_live()
    before = _opened(server)
    second.go(f"{server.url}/alerts")
    second.until_live()
    server.send(alarm(bed="MED^^MED-07"))
    for tab in (first, second):
        tab.until_seen(card("MED-07"))
    assert _opened(server) == before


def test_a_websocket_takes_over_where_streams_are_swallowed(server: Server, new_tab: NewTab) -> None:
    before = _opened(server)["websocket"]
    with closing(SwallowingProxy(server.port)) as proxy:
        tab = new_tab("nurse", at=proxy.url)
        tab.until_live(within_s=45)
        server.send(alarm(bed="MED^^MED-07"))
        tab.until_seen(card("MED-07"))
        assert _opened(server)["websocket"] == before + 1


def test_a_frame_is_on_the_screen_at_once(new_server: NewServer, engine: Engine, new_tab: NewTab) -> None:
    """No beat comes for a long time, so that nothing pushes the frame out but itself, gzip or not."""
    server = new_server(HOSPITAL_BEAT_S="60")
    tab = new_tab("nurse", at=server.url)
    tab.until_live()
    for bed in ("MED-01", "MED-02", "MED-03"):
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
        tab.until_seen(card(bed), within_s=3)
    encoding = "fetch('/live/stream?view=alerts').then(({ headers }) => headers.get('Content-Encoding'))"
    assert tab.ask(encoding) == {"firefox": "gzip", "webkit": None}[engine.name]


def test_what_a_page_complains_of_fails_its_test(new_server: NewServer, engine: Engine) -> None:
    server = new_server()
    with closing(engine.open(*PHONE)) as window:
        tab = window.new_tab()
        tab.sign_in("nurse", server.url)
        tab.until_live()
        assert (window.problems(), violations(server)) == ([], set())
        tab.ask("console.error('planted on the console')")
        tab.ask("setTimeout(() => { throw new Error('planted in a script') }) && null")
        tab.ask("document.body.append(Object.assign(document.createElement('style'), {textContent: '*{}'}))")
        while not ("style-src" in violations(server) and len(window.problems()) >= 3):
            tab.ask("new Promise((done) => setTimeout(done, 50))")
        for planted in ("planted on the console", "planted in a script", "ontent"):
            assert any(planted in problem for problem in window.problems())


def _button(place: str) -> str:
    """Of a card that has come to rest: a press before that is held back."""
    return f"{card(place)}:not([data-moved]) [data-testid=acknowledge]"


def _state(tab: Tab, place: str) -> str:
    return str(tab.ask(f"document.querySelector('{card(place)}').dataset.state"))


def _opened(server: Server) -> dict[str, int]:
    with urllib.request.urlopen(f"{server.url}/internal/metrics") as answer:
        text = answer.read().decode()
    found = dict(re.findall(r'(?m)^hospital_streams_opened_total\{transport="(\w+)"\} (\d+)', text))
    return {transport: int(found.get(transport, 0)) for transport in ("sse", "websocket")}
