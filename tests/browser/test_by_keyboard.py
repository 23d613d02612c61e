"""From sign-in to a resolved alert with a keyboard alone; wherever the focus goes, it can be seen whole."""

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.desk import NewDesk, alert_path, card, expect_live
from tests.support.alarms import alarm
from tests.support.readings import reading
from tests.support.server import Server

DESK, ZOOMED, PHONE = (1280, 800), (640, 400), (390, 844)  # ZOOMED: the desk at 200 %
STOPS = 150  # more than any page here has

# What is wrong with the place of the focus: no ring around it, or something over a part of it. '' is what we want.
_WRONG = """
() => {
  const element = document.activeElement;
  if (element === document.body) return "nothing has the focus";
  const what = element.outerHTML.slice(0, 150);
  const ringed = [[element], [element, "::after"], [element.closest("label, article")]].some(([one, part]) => {
    const { outlineStyle, outlineWidth } = one ? getComputedStyle(one, part) : {};
    return outlineStyle && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  if (!ringed) return `no ring: ${what}`;
  const { left, right, top, height } = element.getClientRects()[0];
  const bottom = top + (element.matches("textarea") ? Math.min(height, 48) : height); // there, where one begins to type
  for (const x of [left + 3, (left + right) / 2, right - 3])
    for (const y of [top + 3, (top + bottom) / 2, bottom - 3]) {
      const over = document.elementFromPoint(x, y);
      if (!over) return `out of sight, at ${Math.round(x)} ${Math.round(y)} of ${innerWidth} ${innerHeight}: ${what}`;
      if (!element.contains(over) && !over.contains(element)) return `under ${over.outerHTML.slice(0, 80)}: ${what}`;
    }
  return "";
}
"""


@pytest.mark.parametrize("size", [DESK, ZOOMED, PHONE], ids=["desk", "zoomed", "phone"])
def test_from_sign_in_to_a_resolved_alert(server: Server, new_desk: NewDesk, size: tuple[int, int]) -> None:
    for bed in range(1, 10):
        server.send(alarm(bed=f"MED^^MED-0{bed}", alert_id=f"key{bed}", patient=None))
    page: Page = new_desk(None, viewport=_viewport(size)).open("/sign-in", live=False)
    expect(page.get_by_test_id("name")).to_be_focused()

    page.keyboard.type("nurse")
    _tab_to(page, page.get_by_test_id("password"))
    page.keyboard.type("demo-nurse")
    page.keyboard.press("Enter")
    expect_live(page)
    _tab_to(page, card(page, "MED-02").get_by_test_id("acknowledge"))
    page.keyboard.press("Enter")
    expect(card(page, "MED-02")).to_have_attribute("data-state", "acknowledged")
    assert page.evaluate(_WRONG) == "", "the focus is not lost with the button"
    _tab_to(page, card(page, "MED-02").locator(".place a"), back=True)
    page.keyboard.press("Enter")
    expect_live(page)
    _tab_to(page, page.get_by_test_id("note-text"))
    page.keyboard.type("Probe moved")
    _tab_to(page, page.get_by_test_id("note"))
    page.keyboard.press("Enter")
    expect(page.locator(".history")).to_contain_text("Probe moved")
    _tab_to(page, page.get_by_test_id("resolve"), back=True)
    page.keyboard.press("Enter")
    expect(page.locator(".happens")).to_contain_text("it is resolved")
    _tab_to(page, page.locator("a.back"), back=True)
    page.keyboard.press("Enter")
    expect_live(page)
    expect(page.locator("#alert-list > article:not([hidden])")).to_have_count(8)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_focus_is_seen_whole_all_through_each_page_and_back(
    new_server: Callable[..., Server], new_desk: NewDesk, size: tuple[int, int]
) -> None:
    server = new_server()  # a monitor that sends no more is told to be silent, on other tests' screens
    for bed in range(1, 10):
        server.send(alarm(bed=f"MED^^MED-0{bed}", alert_id=f"key{bed}", patient=f"K{bed}^^^Ward^PI", priority="high"))
        server.send(reading(bed=f"MED^^MED-0{bed}", patient=f"K{bed}^^^Ward^PI"))
    page = new_desk("physician", at=server, viewport=_viewport(size)).open("/patients")
    patient = page.locator("article .place a").nth(4).get_attribute("href")
    page.goto(f"{server.url}/alerts")
    for path in ("/alerts", alert_path(page, "MED-05"), "/patients", patient, "/metrics", "/preferences"):
        page.goto(f"{server.url}{path}")
        if page.evaluate("!!document.body.dataset.stream"):
            expect_live(page)
        assert (path, _through(page, "Tab") + _through(page, "Shift+Tab")) == (path, [])


def _viewport(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}


def _tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab until the focus is there; each place on the way can be seen."""
    expect(target).to_be_visible()
    for _ in range(STOPS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
        assert page.evaluate(_WRONG) in ("", "nothing has the focus")  # it may leave the page on its way round
    pytest.fail(f"no Tab leads to {target}")


def _through(page: Page, key: str) -> list[str]:
    """Press it until the focus leaves the page; what was wrong on the way."""
    wrong = []
    for stop in count():
        page.keyboard.press(key)
        told = page.evaluate(_WRONG)
        if told == "nothing has the focus":
            return wrong
        assert stop < STOPS, "the focus never leaves the page"
        wrong += [told] if told else []
    return wrong
