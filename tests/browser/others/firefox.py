"""Firefox, by the protocol that it speaks itself (WebDriver BiDi): Debian has no geckodriver, and none is needed."""

import base64
import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from selenium.webdriver.remote.websocket_connection import WebSocketConnection

from tests.browser.desk import TELL_VIOLATIONS
from tests.browser.others.tab import Changing, Tab

STARTS_WITHIN_S = 30.0
ANSWERS_WITHIN_S = 30.0
LOOKS_EVERY_S = 0.005
DEAF = 'user_pref("media.cubeb.force_mock_context", true);\n'  # without a loudspeaker it would let no sound run


class Firefox:
    """One process. Each window is a user context of its own: its cookies, storage and workers are nobody else's."""

    name = "firefox"

    def __init__(self, path: str, profile: Path) -> None:
        (profile / "user.js").write_text(DEAF)
        command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
        with (profile / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._line = WebSocketConnection(self._address(profile), ANSWERS_WITHIN_S, LOOKS_EVERY_S)
        self.complaints: dict[str, list[str]] = defaultdict(list)
        self._line.callbacks["log.entryAdded"] = [self._note]
        self.do("session.new", capabilities={})
        self.do("session.subscribe", events=["log.entryAdded"])

    def open(self, width: int, height: int) -> "FirefoxWindow":
        return FirefoxWindow(self, width, height)

    def close(self) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(STARTS_WITHIN_S)

    def do(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol; its result."""
        answer = self._line.send_cmd(method, parameters)
        if answer["type"] == "error":
            raise (Changing if answer["error"] in _CHANGES else RuntimeError)(f"{method}: {answer['message']}")
        return answer["result"]

    def _address(self, profile: Path) -> str:
        """Firefox writes it into its profile when it listens."""
        told = profile / "WebDriverBiDiServer.json"
        give_up_at = time.monotonic() + STARTS_WITHIN_S
        while not told.exists() or not told.read_text().endswith("}"):
            assert time.monotonic() < give_up_at and self._process.poll() is None, (profile / "log").read_text()
            time.sleep(LOOKS_EVERY_S)
        where = json.loads(told.read_text())
        return f"ws://{where['ws_host']}:{where['ws_port']}/session"

    def _note(self, entry: dict[str, Any]) -> None:
        if entry["level"] != "error":
            return
        where = [f"{at['url']}:{at['lineNumber']}" for at in entry.get("stackTrace", {}).get("callFrames", [])[:3]]
        told = " < ".join([f"{entry['type']}: {entry['text']}", *where])
        self.complaints[entry["source"].get("context", "")].append(told)


_CHANGES = {"no such node", "no such frame", "unknown error", "move target out of bounds"}


class FirefoxWindow:
    def __init__(self, firefox: Firefox, width: int, height: int) -> None:
        self._firefox = firefox
        self._size = {"width": width, "height": height}
        self._person = firefox.do("browser.createUserContext")["userContext"]
        self._tabs: list[FirefoxTab] = []
        watch = f"() => {{ {TELL_VIOLATIONS} }}"
        # In a sandbox: Firefox 140 complains of its own doing wherever it runs one among the page's scripts.
        firefox.do("script.addPreloadScript", functionDeclaration=watch, userContexts=[self._person], sandbox="watch")

    def new_tab(self) -> Tab:
        tab = self._firefox.do("browsingContext.create", type="tab", userContext=self._person)["context"]
        self._firefox.do("browsingContext.setViewport", context=tab, viewport=self._size)
        self._tabs.append(FirefoxTab(self._firefox, tab))
        return self._tabs[-1]

    def problems(self) -> list[str]:
        return [complaint for tab in self._tabs for complaint in self._firefox.complaints[tab.context]]

    def close(self) -> None:
        self._firefox.do("browser.removeUserContext", userContext=self._person)


class FirefoxTab(Tab):
    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self.context = context

    def go(self, url: str) -> None:
        self._do("browsingContext.navigate", url=url, wait="complete")

    def ask(self, expression: str) -> Any:
        target = {"context": self.context}
        asked = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        answer = self._firefox.do("script.evaluate", expression=asked, target=target, awaitPromise=True)
        if answer["type"] == "exception":
            raise Changing(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def press(self, css: str) -> None:
        self.ask(f"document.querySelector({json.dumps(css)}).scrollIntoView({{block: 'center'}})")
        found = self._do("browsingContext.locateNodes", locator={"type": "css", "value": css}, maxNodeCount=1)
        there = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        moves = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": there},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._do("input.performActions", actions=[{"type": "pointer", "id": "finger", "actions": moves}])

    def write(self, css: str, text: str) -> None:
        self.press(css)
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._do("input.performActions", actions=[{"type": "key", "id": "keys", "actions": keys}])

    def shoot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._do("browsingContext.captureScreenshot")["data"]))

    def _do(self, method: str, **parameters: Any) -> Any:
        return self._firefox.do(method, context=self.context, **parameters)
