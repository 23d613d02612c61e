"""The wall: read at four metres, touched by nobody, and there again by itself whatever happens to it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, expect_live, is_remembered, remember
from tests.support.alarms import alarm
from tests.support.server import Server

HD, UHD = {"width": 1920, "height": 1080}, {"width": 3840, "height": 2160}
FLOOR_PX = 41  # of 1920 across: 16 minutes of arc at 4 m on 55 inches
MEANT_PX = 51  # 20 minutes, for what one must read to go to the right bed

# Every text that can be seen, and its size.
_TEXTS = """
() => {
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true });
  const hasWords = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const texts = [...document.querySelectorAll("body :not(script, template, noscript, .unseen, .unseen *)")];
  return texts.filter((element) => hasWords(element) && isSeen(element)).map((element) =>
    [element.textContent.trim().slice(0, 30), parseFloat(getComputedStyle(element).fontSize), element.className]);
}
"""
_SEEN_PLACES = """
() => [...document.querySelectorAll("#board-list > article")].filter((row) => row.checkVisibility())
  .sort((a, b) => a.dataset.sort < b.dataset.sort ? -1 : 1).map((row) => row.querySelector(".place").textContent)
"""
_WAKE_LOCK = """
window.locks = [];
Object.defineProperty(navigator, "wakeLock", { value: { request: async () => {
  const lock = new EventTarget();
  locks.push(lock);
  return lock;
} } });
"""


@pytest.mark.parametrize("size", [HD, UHD], ids=["1920", "4K"])
@pytest.mark.parametrize("high", [3, 9], ids=["a usual day", "too much is high"])
def test_everything_can_be_read_at_four_metres(
    server: Server, new_desk: NewDesk, size: dict[str, int], high: int
) -> None:
    _raise(server, high=high, medium=2, low=1)
    wall = new_desk("charge", viewport=size).open("/board")
    expect(wall.locator("[data-board-more-count]")).not_to_have_text("0")
    scale = size["width"] / 1920
    texts = wall.evaluate(_TEXTS)
    assert [text for text in texts if text[1] < FLOOR_PX * scale] == []
    rows = [text for text in texts if re.search(r"\b(place|text|value|age)\b", text[2])]
    assert len(rows) > 8
    assert [text for text in rows if text[1] < MEANT_PX * scale] == []
    assert wall.evaluate("document.documentElement.scrollHeight <= innerHeight && scrollY === 0")
    assert _cut_off(wall) == []


def test_what_is_not_high_takes_turns_and_what_is_high_stays(server: Server, new_desk: NewDesk) -> None:
    _raise(server, high=2, medium=5)
    wall = new_desk("charge", viewport=HD).open("/board")
    page_mark, more = wall.locator("[data-board-page]"), wall.locator("[data-board-more-count]")
    seen = []
    for page in ("Page 1 of 2", "Page 2 of 2"):
        expect(page_mark).to_have_text(page)
        places = wall.evaluate(_SEEN_PLACES)
        assert set(places) > {"MED-01", "MED-02"}, "what is high never goes"
        assert int(more.inner_text()) == 7 - len(places)
        seen += places
    assert len(set(seen)) == 7


def test_when_too_much_is_high_rows_are_lower_and_the_rest_is_counted(server: Server, new_desk: NewDesk) -> None:
    _raise(server, high=8, medium=2)
    wall = new_desk("charge", viewport=HD).open("/board")
    expect(wall.locator("#board-list")).to_have_attribute("data-dense", "")
    assert set(wall.evaluate(_SEEN_PLACES)) > {f"MED-{number:02d}" for number in range(1, 9)}
    expect(wall.locator("[data-board-more-high]")).to_be_empty()
    _raise(server, high=12, again="more")
    expect(wall.locator("[data-board-more-high]")).to_have_text(re.compile(r"^\d+ of them high$"))


def test_it_is_dark_by_day_and_darker_by_night(server: Server, new_desk: NewDesk) -> None:
    wall = new_desk("charge", viewport=HD).open("/board")
    for night, theme in (("00:00–24:00", "night"), ("00:00–00:00", "dark"), ("23:59–23:58", "night")):
        wall.evaluate("night => document.body.dataset.night = night", night)
        expect(wall.locator("html")).to_have_attribute("data-theme", theme)


def test_the_screen_stays_awake_also_after_it_was_hidden(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("charge", viewport=HD)
    desk.context.add_init_script(_WAKE_LOCK)
    wall = desk.open("/board")
    wall.wait_for_function("() => locks.length === 1")
    wall.evaluate("locks[0].dispatchEvent(new Event('release'))")
    wall.wait_for_function("() => locks.length === 2")
    wall.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wall.wait_for_function("() => locks.length === 3")


@pytest.mark.parametrize("press", ["key", "pointer"])
def test_one_press_gives_it_the_whole_screen(server: Server, new_desk: NewDesk, press: str) -> None:
    wall = new_desk("charge", viewport=HD).open("/board")
    wall.keyboard.press("f") if press == "key" else wall.mouse.click(900, 500)
    wall.wait_for_function("() => document.fullscreenElement !== null")


def test_a_wall_whose_clock_stands_loads_itself_anew_after_a_minute(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("charge", viewport=HD, alone=True)
    desk.expect_problem("ERR_FAILED")
    desk.context.route("**/js/board.js", lambda route: route.abort())
    wall = desk.context.new_page()
    wall.clock.install()
    wall.goto(f"{server.url}/board")
    expect_live(wall)
    remember(wall)
    desk.context.unroute("**/js/board.js")
    wall.clock.run_for(40_000)
    assert is_remembered(wall), "not before a minute"
    wall.clock.run_for(30_000)
    expect(wall.locator("body")).to_have_attribute("data-ticked", re.compile(r"\d"))
    assert not is_remembered(wall)


def test_a_wall_outlives_its_server_without_a_hand(new_server: Callable[..., Server], new_desk: NewDesk) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("charge", at=server, viewport=HD)
    desk.expect_problem("ERR_")
    wall = desk.open("/board")
    remember(wall)
    server.kill()
    expect_live(wall, "stale")
    assert [text for text in wall.evaluate(_TEXTS) if text[1] < FLOOR_PX] == []
    server.start()
    server.send(alarm(bed="MED^^MED-07"))
    expect_live(wall, timeout_s=40)
    expect(wall.get_by_test_id("board-row").filter(has_text="MED-07")).to_be_visible()
    assert is_remembered(wall)


def test_a_wall_that_loads_while_there_is_no_server_says_so_and_comes_back(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("charge", at=server, viewport=HD)
    desk.expect_problem("ERR_")
    wall = desk.open("/board")
    wall.evaluate("async () => (await navigator.serviceWorker.ready).active.state")
    server.kill()
    wall.reload()
    expect(wall.get_by_text("NOT CURRENT")).to_be_visible()
    expect(wall.get_by_text("Look at the monitors.")).to_be_visible()
    assert [text for text in wall.evaluate(_TEXTS) if text[1] < FLOOR_PX] == []
    server.start()
    expect(wall.locator("body[data-live=live]")).to_be_attached()


def _raise(server: Server, *, again: str = "", **how_many: int) -> None:
    beds = iter(range(1, 13))
    for priority, number in how_many.items():
        for each in range(number):
            bed, alert_id = f"MED^^MED-{next(beds):02d}", f"{priority}{each}{again}"
            answer = server.send(alarm(bed=bed, alert_id=alert_id, priority=priority, patient=None))
            assert b"MSA|CA" in answer


def _cut_off(wall: Page) -> list[str]:
    """Beds and values of which a part cannot be seen."""
    is_cut = "scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight * 1.3"
    elements = wall.locator(".board-row:not([data-overflow]) :is(.place, .reading, .age)")
    cut: list[str] = elements.evaluate_all(f"(all) => all.filter((one) => one.{is_cut}).map((one) => one.textContent)")
    return cut
