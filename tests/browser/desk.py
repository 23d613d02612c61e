"""A person at a browser of their own: signed in, looking at pages, and failing the test when a page complains."""

import re
import urllib.request
from collections.abc import Callable

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from tests.browser.visitor import Visitor
from tests.support.server import PATIENCE_S, Server

# What the policy forbids is told on the console too, but only this says it of every way to break it.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
"""

# The first moment, in ms of the wall clock, at which each card stood there in each state.
_RECORD_CHANGES = """
() => {
  window.changes = [];
  const seen = new Set();
  const note = ({ id, dataset: { state } }) => {
    if (!seen.has(`${id} ${state}`)) changes.push({ id, state, at: performance.timeOrigin + performance.now() });
    seen.add(`${id} ${state}`);
  };
  new MutationObserver((records) => records.forEach((record) => {
    if (record.type === "attributes") note(record.target);
    record.addedNodes.forEach((node) => node.matches?.("article") && note(node));
  })).observe(document.getElementById("alert-list"),
    { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
}
"""


class Desk:
    def __init__(self, context: BrowserContext, server: Server, *, alone: bool = False) -> None:
        self.context = context
        self.server = server
        self.problems: list[str] = []
        self._expected: list[str] = []
        context.set_default_timeout(PATIENCE_S * 1000)
        if alone:
            context.add_init_script("delete window.SharedWorker")
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"page error: {error.error}"))

    def take(self, visitor: Visitor) -> "Desk":
        """Go on with a session that was opened elsewhere."""
        self.context.add_cookies([{"name": "session", "value": visitor.cookie, "url": self.server.url}])
        return self

    def open(self, path: str = "/alerts", *, live: bool = True) -> Page:
        """A new tab. `live`: wait until its stream says that it is current."""
        page = self.context.new_page()
        page.goto(f"{self.server.url}{path}")
        if live:
            expect_live(page)
        return page

    def expect_problem(self, words: str) -> None:
        """What the console will say in this test, and rightly: an answer of 409 is an error to a browser."""
        self._expected.append(words)

    @property
    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(words in problem for words in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")


def violations(server: Server) -> set[str]:
    """The directives of the policy that any page or worker has broken, as its browser has told the server."""
    with urllib.request.urlopen(f"{server.url}/internal/metrics", timeout=10) as answer:
        return set(re.findall(r'hospital_csp_violations_total\{directive="(.*?)"', answer.read().decode()))


def expect_live(page: Page, state: str = "live", timeout_s: float = PATIENCE_S) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", state, timeout=timeout_s * 1000)


def card(page: Page, place: str) -> Locator:
    """The card of the alert at this bed."""
    return page.locator("article:not([hidden])").filter(has=page.locator(".place", has_text=place))


def places(page: Page) -> list[str]:
    """The beds of the list, from the top."""
    return page.locator("#alert-list > article:not([hidden]) .place").all_text_contents()


def acknowledge_button(page: Page, place: str) -> Locator:
    """The button of the alert at this bed, once its row has come to rest: a press before that is held back."""
    return card(page, place).and_(page.locator(":not([data-moved])")).get_by_test_id("acknowledge")


def alert_path(page: Page, place: str) -> str:
    """/alerts/<id>"""
    path = card(page, place).locator(".place a").get_attribute("href")
    assert path is not None
    return path


def record_changes(page: Page) -> None:
    """From now on `window.changes` tells which card came to which state, and when."""
    page.evaluate(_RECORD_CHANGES)


def freeze(page: Page) -> Callable[[], None]:
    """Nothing of the page runs any more, as in a tab that the browser has frozen. Call what you get to thaw it.

    Chromium's own command for this does nothing to a page that can be seen, and here all can.
    """
    debugger = page.context.new_cdp_session(page)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")

    def thaw() -> None:
        debugger.send("Debugger.resume")
        debugger.detach()

    return thaw


def stop_clock(page: Page) -> None:
    """The page's clock, which the test installed, stands still from now on."""
    try:
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 0.2)
    except Error as problem:  # This machine took longer than that to ask; the clock has stopped by now.
        if "to the past" not in problem.message:
            raise
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 0.2)


def remember(page: Page) -> None:
    """Put a mark on the page that a reload would wipe away."""
    page.evaluate("window.theSamePage = true")


def is_remembered(page: Page) -> bool:
    return bool(page.evaluate("window.theSamePage === true"))


def wait_ms(page: Page, ms: float) -> None:
    """Let the page's own clock run on: for what must *not* happen."""
    page.wait_for_function("until => performance.now() > until", arg=page.evaluate("performance.now()") + ms)


NewDesk = Callable[..., Desk]
NewVisitor = Callable[[str], Visitor]
