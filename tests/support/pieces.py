"""What comes over a stream, cut into blocks and read once: the same bytes go to every screen."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MARK = re.compile(r"mark-[a-z-]+-[A-Z]+-\d+")
"""A word in an alarm's text that says whose it is: mark-<hospital>-<unit>-<number>."""

_ELEMENT = re.compile(r"<article\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


@dataclass(frozen=True, slots=True)
class Cursor:
    epoch: str
    number: int

    @classmethod
    def of(cls, text: str) -> "Cursor":
        epoch, _, number = text.rpartition("-")
        return cls(epoch, int(number or 0))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


@dataclass(frozen=True, slots=True)
class Card:
    """What a screen shows of one alert. `state`: open, acknowledged, resolved or left; `id`: alert-7, board-7."""

    id: str
    version: int
    state: str
    hidden: bool

    @property
    def alert_id(self) -> int:
        return int(self.id.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class Block:
    """One event. `says`: its JSON where it has some; `cards` and `marks`: what is in a frame."""

    event: str
    cursor: Cursor | None
    says: dict[str, Any]
    cards: tuple[Card, ...]
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was fetched. `person` '': it was the page of nobody."""

    cursor: Cursor
    person: str
    token: str
    cards: tuple[Card, ...]
    marks: frozenset[str]


@lru_cache(maxsize=4_096)
def read_block(block: bytes) -> Block:
    """The fields of one event, without its closing blank line."""
    fields: dict[str, list[str]] = {}
    for row in block.decode().split("\n"):
        name, _, value = row.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    event, data = fields.get("event", ["message"])[-1], "\n".join(fields.get("data", []))
    cursor = Cursor.of(fields["id"][-1]) if "id" in fields else None
    says = {} if event == "frame" else json.loads(data or "{}")
    return Block(event, cursor, says, *_what_is_in(data))


def read_page(text: str) -> Page:
    body = _attributes(next(iter(re.findall(r"<body\b([^>]*)>", text)), ""))
    token = next(iter(re.findall(r'<meta name="csrf-token" content="([^"]*)"', text)), "")
    cursor = Cursor.of(body.get("data-cursor", ""))
    return Page(cursor, body.get("data-person", ""), token, *_what_is_in(text))


def _what_is_in(html: str) -> tuple[tuple[Card, ...], frozenset[str]]:
    cards = [_attributes(found) for found in _ELEMENT.findall(html)]
    return tuple(_card(one) for one in cards if "data-version" in one), frozenset(MARK.findall(html))


def _card(told: dict[str, str]) -> Card:
    return Card(told["id"], int(told["data-version"]), told.get("data-state", ""), "hidden" in told)


def _attributes(text: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(text))
