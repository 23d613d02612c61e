"""A person at a real server, without a browser."""

import json
import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from tests.support.server import PATIENCE_S, Server


class Web:
    """Signed in from the start; `get` and `act` give the body as text and raise HTTPError where it is refused."""

    def __init__(self, server: Server, name: str) -> None:
        self.url = server.url
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        token = re.findall(r'name="csrf_token" value="([^"]*)"', self.get("/sign-in"))[0]
        page = self._post("/sign-in", {"name": name, "password": f"demo-{name}", "csrf_token": token})
        self.csrf_token = re.findall(r'<meta name="csrf-token" content="([^"]*)"', page)[0]

    @property
    def cookie(self) -> str:
        """The session's token."""
        return next(str(cookie.value) for cookie in self._cookies if cookie.name == "session")

    def get(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=PATIENCE_S) as response:
            text: str = response.read().decode()
        return text

    def act(self, path: str, **fields: str) -> dict[str, object]:
        """An act as a program does it; what the server says of the alert."""
        told: dict[str, object] = json.loads(
            self._post(path, {"csrf_token": self.csrf_token, **fields}, "application/json")
        )
        return told

    def _post(self, path: str, fields: dict[str, str], accept: str = "text/html") -> str:
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.url + path, body, {"Accept": accept})
        with self._opener.open(request, timeout=PATIENCE_S) as response:
            text: str = response.read().decode()
        return text
