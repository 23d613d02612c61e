"""One tab of a browser, in the words that the journeys use; how it is reached, each browser's own file says."""

import json
import time
from pathlib import Path
from typing import Any, Protocol

LOOK_EVERY_S = 0.05


class Tab:
    """`ask` may be told any expression of JavaScript, also a promise; what it gives goes through JSON."""

    def go(self, url: str) -> None:
        """Load it, up to its own `load`."""
        raise NotImplementedError

    def ask(self, expression: str) -> Any:
        raise NotImplementedError

    def press(self, css: str) -> None:
        """As a pointer does: what lies over it gets the press."""
        raise NotImplementedError

    def write(self, css: str, text: str) -> None:
        """Key by key, into the field."""
        raise NotImplementedError

    def shoot(self, file: Path) -> None:
        """A PNG of what can be seen."""
        raise NotImplementedError

    def until(self, condition: str, within_s: float = 10.0) -> None:
        """Wait for an expression to be true. A page that is just changing answers nothing, and is asked again."""
        give_up_at = time.monotonic() + within_s
        while not self._is(condition):
            assert time.monotonic() < give_up_at, f"not within {within_s} s: {condition}\n{self._looks()}"
            time.sleep(LOOK_EVERY_S)

    def until_live(self, state: str = "live", within_s: float = 10.0) -> None:
        self.until(f"document.body.dataset.live === {json.dumps(state)}", within_s)

    def until_seen(self, css: str, words: str = "", within_s: float = 10.0) -> None:
        """Wait until the first such element can be seen, with these words in it."""
        self.until(
            f"{_found(css)}?.checkVisibility() && {_found(css)}.innerText.includes({json.dumps(words)})", within_s
        )

    def sign_in(self, name: str, url: str) -> None:
        self.go(f"{url}/sign-in")
        self.write("[name=name]", name)
        self.write("[name=password]", f"demo-{name}")
        self.press("[data-testid=sign-in]")
        self.until("location.pathname === '/alerts'")

    def _is(self, condition: str) -> bool:
        try:
            return bool(self.ask(condition))
        except Changing:
            return False

    def _looks(self) -> str:
        return str(
            self.ask("`${location.pathname} ${document.body.dataset.live}: ${document.body.innerText.slice(0, 500)}`")
        )


class Changing(Exception):
    """This tab is between two pages, or the element that was meant has just been replaced."""


class Window(Protocol):
    """Somebody's browser: a store of cookies and workers that nobody else shares."""

    def new_tab(self) -> Tab: ...

    def problems(self) -> list[str]:
        """What its pages and workers have complained of so far."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    name: str

    def open(self, width: int, height: int) -> Window:
        """For pages of this size, in CSS pixels."""
        ...

    def close(self) -> None: ...


def card(place: str) -> str:
    """The card of the alert at this bed, as CSS."""
    return f'article[data-place="{place}"]:not([hidden])'


def _found(css: str) -> str:
    return f"document.querySelector({json.dumps(css)})"
