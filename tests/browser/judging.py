"""Axe looks at what a page shows, in each theme. What it finds is told in a line each.

In English at a desk, in Spanish on a phone: longer words in less room.
"""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.access.knocking import SAID, Row
from tests.browser.desk import expect_live
from tests.support.every_page import PAGES
from tests.support.server import Server

THEMES = ("light", "dark", "night")
BROWSERS: dict[str, Any] = {
    "en": {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}},
    "es": {"locale": "es-ES", "viewport": {"width": 390, "height": 844}},
}

_AXE = Axe().axe_script
# All rules, also those that are advice, and the one on the size of targets, which axe leaves to be asked for. Then, in
# the other themes, what a colour can change.
_LOOK = """
async ([themes, but]) => {
  const all = { rules: { "target-size": { enabled: true }, ...(but && { [but]: { enabled: false } }) } };
  const ofColours = { runOnly: ["color-contrast", "link-in-text-block"] };
  const found = [];
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const theme of themes) {
    document.documentElement.dataset.theme = theme;
    const options = { resultTypes: ["violations"], ...(theme === themes[0] ? all : ofColours) };
    for (const { id, nodes } of (await axe.run(document, options)).violations)
      for (const { html, failureSummary } of nodes)
        found.push(`${theme}: ${id}: ${html.slice(0, 200)}: ${failureSummary.replace(/\\s+/g, " ")}`);
  }
  return found;
}
"""
# What goes beyond the screen's edge, unless it scrolls in a frame of its own; and words that spill over.
_CUT = """
async () => {
  for (const frame of "ab") await new Promise(requestAnimationFrame); // charts take their new size after a layout
  const scrolls = (one) => one && (getComputedStyle(one).overflowX === "auto" || scrolls(one.parentElement));
  const edge = document.documentElement.clientWidth + 1;
  const seen = [...document.body.querySelectorAll("*")].filter((one) => one.checkVisibility() && !scrolls(one));
  const told = (one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`;
  const heard = (one) => one && (getComputedStyle(one).clipPath !== "none" || heard(one.parentElement)); // and not seen
  const beyond = seen.filter((one) => one.getBoundingClientRect().right > edge && !heard(one) && !one.closest(".skip"));
  const words = seen.filter((one) => one.matches("button, a, h1, h2, h3, label, legend"));
  const spills = (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).textOverflow !== "ellipsis";
  const spilt = words.filter((one) => one.clientWidth > 1 && spills(one));
  return [...beyond.map((one) => `beyond: ${told(one)}`), ...spilt.map((one) => `spills over: ${told(one)}`)];
}
"""
# A form with what the table of routes sends: this page's own token makes it one of ours.
_SEND = """
([path, said]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: path });
  const token = document.querySelector("[name=csrf-token]").content;
  for (const [name, value] of Object.entries({ ...said, csrf_token: token }))
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
}
"""


def found_on(page: Page, but: str = "") -> list[str]:
    """What axe finds wrong with the page as it is now; [] is what we want. `but`: a rule that is not asked."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    width = page.evaluate("innerWidth")
    # As high as it needs: what lies under a bar that stays in sight can be scrolled to, and axe does not scroll.
    page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
    found: list[str] = page.evaluate(_LOOK, [THEMES, but])
    return found


def cut_on(page: Page, width: int) -> list[str]:
    """What a screen of this width does not show of the page; [] is what we want."""
    page.set_viewport_size({"width": width, "height": 800})
    found: list[str] = page.evaluate(_CUT)
    return found


@dataclass
class Gallery:
    """Every page of a furnished house at a real server, and one browser for each who looks and each language."""

    browser: Browser
    server: Server
    cookies: dict[str, str]
    paths: dict[Row, str]
    _pages: dict[tuple[str, str], Page] = field(default_factory=dict)

    def show(self, row: Row, language: str) -> Page:
        page = self.visit(PAGES[row], self.paths[row] if row[0] == "GET" else "/account", language)
        if row[0] == "POST":
            with page.expect_navigation():
                page.evaluate(_SEND, [self.paths[row], SAID])
            _wait_until_it_stands(page)
        return page

    def visit(self, who: str, path: str, language: str) -> Page:
        page = self._pages.get((who, language)) or self._new_page(who, language)
        page.set_viewport_size(BROWSERS[language]["viewport"])
        page.goto(f"{self.server.url}{path}")
        _wait_until_it_stands(page)
        return page

    def _new_page(self, who: str, language: str) -> Page:
        context = self.browser.new_context(**BROWSERS[language], reduced_motion="reduce")
        context.set_default_timeout(20_000)
        if who in self.cookies:
            context.add_cookies([{"name": "session", "value": self.cookies[who], "url": self.server.url}])
        return self._pages.setdefault((who, language), context.new_page())

    def forget(self, who: str, language: str) -> None:
        self._pages.pop((who, language)).context.close()

    def close(self) -> None:
        for page in self._pages.values():
            page.context.close()


def _wait_until_it_stands(page: Page) -> None:
    """Live where it has a stream, with its charts drawn."""
    if page.evaluate("!!document.body.dataset.stream"):
        expect_live(page)
    page.wait_for_function("() => !document.querySelector('[data-trends]:not([data-ready])')")
