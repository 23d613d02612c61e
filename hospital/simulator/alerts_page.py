"""The page of alerts as a program sees it: its cards and its buttons, by the front door."""

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from uuid import uuid4

from hospital.vocabulary import Condition, Priority, State

TIMEOUT_S = 10.0


class NoDesk(Exception):
    """The server is away, or does not let this person in; the text says which."""


@dataclass(frozen=True)
class Card:
    """What stands on the card of an alert. `owner`: who has it; empty: nobody."""

    id: int
    state: State
    priority: Priority
    condition: Condition
    step: int
    owner: str = ""


class Desk:
    """Someone at the page of alerts; the password is that of the demo. Signs in when it has to. Raises NoDesk."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._csrf_token = ""

    def cards(self) -> list[Card]:
        """Every card of the page."""
        page = self._ask("/alerts")
        if 'name="password"' in page:
            fields = {"name": self._name, "password": f"demo-{self._name}", "csrf_token": _field(page, "csrf_token")}
            page = self._ask("/sign-in", fields | {"next": "/alerts"})
        found = re.search(r'<meta name="csrf-token" content="([^"]*)"', page)
        self._csrf_token = found[1] if found else ""
        reader = _Reader()
        reader.feed(page)
        return reader.cards

    def press(self, what: str, card: Card) -> None:
        """An act on what was seen; that somebody else was first is no trouble: the next look tells."""
        fields = {"seen_state": card.state, "seen_priority": card.priority, "csrf_token": self._csrf_token}
        self._ask(f"/alerts/{card.id}/{what}", fields | {"idempotency_key": str(uuid4())})

    def _ask(self, path: str, fields: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with self._opener.open(self._url + path, data, TIMEOUT_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refused:
            refused.close()
            if refused.code == 409:
                return ""
            raise NoDesk(f"{path.split('/')[-1]} was answered {refused.code}") from None
        except (OSError, http.client.HTTPException) as trouble:
            raise NoDesk(f"no answer ({type(trouble).__name__})") from None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cards: list[Card] = []
        self._card: dict[str, str | None] | None = None
        self._owner, self._within = "", ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        if tag == "article" and known.get("data-testid") == "alert-card":
            self._card, self._owner = known, ""
        elif tag == "p" and known.get("class") == "owner":
            self._within = "owner"
        elif tag == "b" and self._within == "owner":
            self._within = "name"

    def handle_data(self, data: str) -> None:
        if self._within == "name":
            self._owner += data

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag in ("b", "p") else self._within
        if tag == "article" and self._card is not None:
            self.cards.append(_card(self._card, self._owner))
            self._card = None


def _card(known: dict[str, str | None], owner: str) -> Card:
    state = State(known["data-state"] or "")
    return Card(
        id=int((known["id"] or "").removeprefix("alert-")),
        state=state,
        priority=Priority(known["data-priority"] or ""),
        condition=Condition(known["data-condition"] or ""),
        step=int(known["data-step"] or 0),
        owner=owner.strip() if state is State.ACKNOWLEDGED else "",
    )


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""
