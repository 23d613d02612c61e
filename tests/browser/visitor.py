"""A signed-in person without a browser: for what a test needs done, and does not watch."""

import json
import re
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

from tests.support.server import PATIENCE_S, Server


class Visitor:
    def __init__(self, server: Server) -> None:
        self.server = server
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._csrf_token = ""

    def sign_in(self, name: str) -> "Visitor":
        form = self.get("/sign-in")
        fields = {
            "name": name,
            "password": f"demo-{name}",
            "csrf_token": _first(r'name="csrf_token" value="(.*?)"', form),
        }
        page = self._ask("/sign-in", fields).read().decode()
        self._csrf_token = _first(r'name="csrf-token" content="(.*?)"', page)
        return self

    @property
    def cookie(self) -> str:
        [cookie] = [cookie for cookie in self._cookies if cookie.name == "session"]
        assert cookie.value is not None
        return cookie.value

    def get(self, path: str) -> str:
        return self._ask(path).read().decode()

    def stream(self) -> HTTPResponse:
        """The bare bytes of this person's stream of alerts."""
        return self._ask("/live/stream?view=alerts")

    def act(self, path: str, **fields: str) -> Any:
        """POST an act as a program does; the answer's JSON."""
        return json.load(self._ask(path, fields, Accept="application/json"))

    def alert_paths(self) -> list[str]:
        """/alerts/<id> of all in this person's list, from the top."""
        return re.findall(r'class="place"><a href="(/alerts/\d+)"', self.get("/alerts"))

    def end_everything(self) -> None:
        """Acknowledge and resolve whatever is open in this person's units."""
        for path in re.findall(r'formaction="(/alerts/\d+)/acknowledgement', self.get("/alerts")):
            self.act(f"{path}/acknowledgement")
        for path in self.alert_paths():
            self.act(f"{path}/resolution")

    def _ask(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> HTTPResponse:
        data = urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(f"{self.server.url}{path}", data, headers | {"X-CSRF-Token": self._csrf_token})
        answer: HTTPResponse = self._opener.open(request, timeout=PATIENCE_S)
        return answer


def _first(pattern: str, text: str) -> str:
    found: str = re.findall(pattern, text)[0]
    return found
