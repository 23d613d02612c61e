"""Real tabs in Chromium: every change of their DOM is noted as it happens, and told on the console."""

import json
import os
import signal
import time
from contextlib import suppress

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.faults.history import Doubled, Frozen, History, Opened, Removed, Says, Shown
from tests.support.screen import Seat

_TELL = "faults: "
_RECORD = """
(() => {
  const tell = (kind, more) => console.debug("faults: " + JSON.stringify(
    { kind, at: performance.timeOrigin + performance.now(), ...more }));
  const told = new Map();
  const look = () => {
    if (!document.body) return;
    const live = document.body.dataset.live;
    if (live && told.get("live") !== live) tell("says", { state: live });
    told.set("live", live);
    const list = document.getElementById("alert-list");
    const here = new Set();
    for (const card of list ? list.children : []) {
      const { version, state } = card.dataset;
      if (here.has(card.id)) tell("doubled", { id: card.id });
      here.add(card.id);
      const now = `${version} ${state}`;
      if (version !== "0" && told.get(card.id) !== now) tell("shown", { id: card.id, version, state });
      if (version !== "0") told.set(card.id, now);
    }
    for (const id of [...told.keys()].filter((id) => id !== "live" && !here.has(id))) {
      told.delete(id);
      tell("removed", { id });
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
})();
"""


class Tab:
    """One tab on /alerts. `pump` must be called now and then: only then does Playwright hand over what was told."""

    def __init__(self, context: BrowserContext, url: str, seat: Seat, name: str, history: History) -> None:
        self.name, self._history = name, history
        self._offset_s = time.time() - time.monotonic()
        history.note(Opened(screen=name, hospital=seat.hospital, units=seat.units, session=seat.cookie))
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.goto(f"{url}/alerts")

    @property
    def state(self) -> str | None:
        return self.page.locator("body").get_attribute("data-live")

    def _hear(self, message: ConsoleMessage) -> None:
        if not message.text.startswith(_TELL):
            return
        told = json.loads(message.text.removeprefix(_TELL))
        at = told["at"] / 1000 - self._offset_s
        alert = int(told["id"].rpartition("-")[2]) if "id" in told else 0
        if told["kind"] == "says":
            self._history.note(Says(at=at, screen=self.name, state=told["state"]))
        elif told["kind"] == "shown":
            version = int(told["version"])
            self._history.note(
                Shown(at=at, screen=self.name, epoch="", alert=alert, version=version, state=told["state"])
            )
        elif told["kind"] == "removed":
            self._history.note(Removed(at=at, screen=self.name, alert=alert))
        else:
            self._history.note(Doubled(at=at, screen=self.name, alert=alert))


class Tabs:
    """The tabs of a browser, which can be stopped and let go on."""

    def __init__(self, browser: Browser, url: str, history: History) -> None:
        self._browser, self._url, self._history = browser, url, history
        self._contexts: list[BrowserContext] = []
        self.tabs: list[Tab] = []

    def open(self, seat: Seat, how_many: int = 1, url: str = "") -> None:
        """All of one browser session. `url`: through a proxy."""
        context = self._browser.new_context()
        self._contexts.append(context)
        context.add_cookies([{"name": "session", "value": seat.cookie, "url": url or self._url}])
        context.add_init_script(_RECORD)
        for _ in range(how_many):
            name = f"tab-{seat.name}-{len(self.tabs) + 1}"
            self.tabs.append(Tab(context, url or self._url, seat, name, self._history))

    def pump(self, for_s: float = 0.1) -> None:
        """Let Playwright hand over what the tabs have told."""
        self.tabs[0].page.wait_for_timeout(for_s * 1000)

    def wait(self, state: str, within_s: float = 45.0) -> bool:
        until = time.monotonic() + within_s
        while any(tab.state != state for tab in self.tabs):
            if time.monotonic() > until:
                return False
            self.pump()
        return True

    def freeze(self, for_s: float) -> None:
        """SIGSTOP of every page's process. Nobody can see that: a clock that stands still shows it."""
        session = self._browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        pages = [int(process["id"]) for process in processes if process["type"] == "renderer"]
        at = time.monotonic()
        for tab in self.tabs:
            self._history.note(Frozen(at=at, screen=tab.name, until=at + for_s + 2))
        for number, pause_s in ((signal.SIGSTOP, for_s), (signal.SIGCONT, 0.0)):
            for process in pages:
                with suppress(ProcessLookupError):
                    os.kill(process, number)
            time.sleep(pause_s)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
