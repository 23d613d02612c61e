"""A screen without a browser: it keeps the whole protocol as static/js does. Its crowd moves the bytes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Protocol

from tests.faults.history import History, Marked, Noted, Removed, Says, Shown, Told
from tests.support.pieces import Block, Card, Cursor, Page, read_page


@dataclass(frozen=True)
class Rules:
    """The browser's numbers (static/js/freshness.js, stream.js), in seconds. `quick()`: for servers that beat fast.

    `sent_within`: after a press nothing is sent later than that.
    """

    delayed_after: float = 10.0
    stale_after: float = 15.0
    silent: float = 15.0
    backoff_first: float = 1.0
    backoff_most: float = 30.0
    sent_within: float = 30.0

    @classmethod
    def quick(cls) -> "Rules":
        return cls(delayed_after=2.0, stale_after=3.0, silent=3.0, backoff_first=0.2, backoff_most=2.0, sent_within=4.0)


@dataclass(frozen=True)
class Seat:
    """Who sits there. `units`: what they may see; None among them: the unassigned."""

    name: str
    cookie: str
    hospital: str = "demo"
    units: frozenset[str | None] = frozenset({"MED"})


class Network(Protocol):
    """What a screen needs of its crowd."""

    def listen(self, screen: "Screen") -> "Line": ...

    def fetch(self, screen: "Screen", done: Callable[[int, str | None], None]) -> None: ...

    def after(self, delay_s: float, call: Callable[[], None]) -> None: ...


class Line(Protocol):
    heard_at: float

    def abort(self) -> None: ...


class Screen:
    """`shown`: by element id; tombstones stay, as they do in the page. `history` None: nothing is noted (for load)."""

    def __init__(
        self,
        network: Network,
        seat: Seat,
        name: str,
        *,
        history: History | None = None,
        rules: Rules | None = None,
        query: str = "view=alerts",
        transport: str = "stream",
    ) -> None:
        self.network, self.seat, self.name, self.history = network, seat, name, history
        self.rules, self.query, self.transport = rules or Rules(), query, transport
        self.cursor = Cursor("", 0)
        self.shown: dict[str, Card] = {}
        self.state = "delayed"
        self.heard_at = monotonic()
        self.line: Line | None = None
        self.connects = self.resyncs = 0
        self.closed = False
        self._connected = self._gap = self._again = False
        self._failures = 0
        self._restarting = False
        self._shortest = self._held_back = 0.0

    # ---- What the crowd calls ----------------------------------------------------------------------------------------

    def begin(self, page: Page) -> None:
        self._reconcile(page)
        self.listen()

    def listen(self) -> None:
        if not self.closed and self.line is None:
            self.line = self.network.listen(self)

    def refused(self, status: int, retry_after_s: float) -> None:
        """The answer was no stream. 401 and 403 end it, as in the browser; everything else is tried again."""
        if status in (401, 403):
            self._end("signed-out")
        else:
            self.over(retry_after_s)

    def hear(self, block: Block) -> None:
        """One event. The cursor moves only after what it stands for has been shown."""
        if block.marks:
            self._note(Marked(self.name, block.marks))
        if block.event == "auth":
            self._end("signed-out")
            return
        said = Cursor.of(block.says["cursor"]) if block.event == "hello" else block.cursor
        if said is not None:
            self._notice_epoch(said)
        if block.event == "frame":
            self._upsert(block.cards)
            self._heard()
        elif block.event == "hello":
            self.connects += 1
            self._restarting = False
            self._shortest, self._held_back = _took(block), 0.0
            if not block.says["replay"]:  # else the screen is current after the frame that comes next
                self._heard()
        elif block.event == "beat":
            self._failures = 0  # not at hello: a server that greets and dies is no success
            self._shortest = min(self._shortest, _took(block))
            self._held_back = _took(block) - self._shortest
            self._heard()
        elif block.event == "drain":
            self._restart(block.says["within_s"])
        if said is not None:
            self._note(Told(self.name, said, block.event))
        if block.cursor is not None:
            self.cursor = block.cursor
        if block.event == "resync":
            self.resync()

    def over(self, at_least_s: float = 0.0) -> None:
        """The line has ended: try again, with full jitter."""
        self.line = None
        if self.closed or self._restarting:
            return
        self._connected = False
        self.judge()
        most = min(self.rules.backoff_most, self.rules.backoff_first * 2**self._failures)
        self._failures += 1
        self.network.after(at_least_s + random.uniform(0, most), self.listen)

    def look(self, now: float) -> None:
        """Twice a second."""
        if self.line is not None and now - self.line.heard_at > self.rules.silent:
            self.line.abort()
        self.judge(now)

    def switch(self, transport: str) -> None:
        """Go on by the other way: 'stream' or 'socket'."""
        self.transport = transport
        if self.line is not None:
            self.line.abort()

    def close(self) -> None:
        self.closed = True
        if self.line is not None:
            self.line.abort()

    def _restart(self, within_s: float) -> None:
        """This server goes. That is no failure: what stands here is judged by its age alone."""

        def again() -> None:
            line = self.line
            if line is not None:
                line.abort()  # which leaves it to us to come back
            self._restarting = False
            self.listen()

        if not self._restarting:
            self._restarting = True
            self.network.after(random.uniform(0, within_s), again)

    # ---- What it does by itself --------------------------------------------------------------------------------------

    def judge(self, now: float | None = None) -> None:
        if self.closed:
            return
        silent = (now or monotonic()) - self.heard_at
        if silent > self.rules.stale_after:
            self._say("stale")
        elif silent > self.rules.delayed_after or not self._connected or self._gap:
            self._say("delayed")
        else:
            self._say("live")

    def resync(self) -> None:
        """There is a gap: fetch the page. Until that is done the screen is not live."""
        self._again = self._gap  # the page that is on its way may be older than this gap
        if self._gap:
            return
        self._gap = True
        self.resyncs += 1
        self.judge()
        self._fetch(0)

    def _fetch(self, tries: int) -> None:
        def done(status: int, text: str | None) -> None:
            if self.closed:
                return
            if status == 302:
                self._end("signed-out")
            elif status == 200 and text is not None:
                self._reconcile(read_page(text))
                if self._again:
                    self._again = False
                    self._fetch(0)
                else:
                    self._gap = False
                    self.judge()
            else:
                wait_s = random.uniform(0, self.rules.backoff_first * 2 ** min(tries, 5))
                self.network.after(wait_s, lambda: self._fetch(tries + 1))

        if not self.closed:
            self.network.fetch(self, done)

    def _reconcile(self, page: Page) -> None:
        """What the page does not have is gone, unless it is newer than the page."""
        if page.marks:
            self._note(Marked(self.name, page.marks))
        self._notice_epoch(page.cursor)
        on_it = {card.id for card in page.cards}
        for card in [card for card in self.shown.values() if card.id not in on_it]:
            if card.version <= page.cursor.number:
                del self.shown[card.id]
                self._note(Removed(self.name, card.alert_id))
        self._upsert(page.cards, page.cursor.epoch)
        if page.cursor.epoch != self.cursor.epoch or page.cursor.number > self.cursor.number:
            self.cursor = page.cursor
        self._note(Told(self.name, page.cursor, "page"))

    def _upsert(self, cards: tuple[Card, ...], epoch: str = "") -> None:
        for card in cards:
            old = self.shown.get(card.id)
            if old is None or self._is_newer(card, old):
                self.shown[card.id] = card
                self._note(Shown(self.name, epoch or self._epoch, card.alert_id, card.version, card.state))

    def _is_newer(self, card: Card, old: Card) -> bool:
        return card.version > old.version

    def _notice_epoch(self, said: Cursor) -> None:
        """In another epoch the numbers count anew; those of before say nothing."""
        self._epoch = said.epoch
        if said.epoch != self.cursor.epoch:
            self.shown = {id: Card(id, 0, card.state, card.hidden) for id, card in self.shown.items()}

    def _heard(self) -> None:
        """What a network has held back counts from when it was said; what it holds back for too long is no line."""
        self.heard_at = max(self.heard_at, monotonic() - self._held_back)
        self._connected = True
        self.judge()
        if self._held_back > self.rules.stale_after and self.line is not None:
            self.line.abort()

    def _say(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._note(Says(self.name, state))

    def _end(self, state: str) -> None:
        self._say(state)
        self.shown.clear()
        self.close()

    def _note(self, entry: Noted) -> None:
        if self.history is not None:
            self.history.note(entry)


def _took(block: Block) -> float:
    """Seconds by two clocks that do not agree: only that they become more says something."""
    return monotonic() - datetime.fromisoformat(block.says["now"]).timestamp()
