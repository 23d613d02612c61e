"""Invented colleagues who answer alerts: python -m hospital.simulator.staff --url http://127.0.0.1:8000.

They come in by the front door, as people of their own whose names say that they are simulated: they sign in, look at
the page of alerts and press its buttons, after as long as people need, and sometimes never, so that alerts climb. They
leave alone what a real person has taken, and for a while whatever is open there: nobody competes with a newcomer.
"""

import argparse
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from hospital.simulator.alerts_page import Card, Desk, NoDesk
from hospital.simulator.run import LOOK_UP_S, above_zero, stop_on_signals
from hospital.vocabulary import SIMULATED, Condition, Priority, State

LOOK_EVERY_S = 5.0
STANDS_BACK_S = 600.0  # after a real person has taken an alert
NEVER = 0.15  # of alerts: nobody comes, until the next step is told
TAKES_S = {Priority.HIGH: (30, 90), Priority.MEDIUM: (40, 150), Priority.LOW: (60, 180)}
RESOLVES_S = (30, 120)  # after it is over

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """`from_step`: from which step of the escalation on an alert is told to them."""

    name: str
    display_name: str
    from_step: int = 0


PEOPLE = (
    Person("sim-nurse", f"Robin {SIMULATED}"),
    Person("sim-nurse-icu", f"Kim {SIMULATED}"),
    Person("sim-physician", f"Dr. Sommer {SIMULATED}", from_step=1),
)


@dataclass(frozen=True)
class Act:
    """What someone does: 'acknowledgement' or 'resolution' of what stands on the card."""

    what: str
    card: Card


@dataclass
class Colleague:
    """What one person has in mind. Pure: whoever asks says what time it is, in seconds of any clock."""

    person: Person
    seed: int
    _due_s: dict[Act, float | None] = field(default_factory=dict)
    _stands_back_until_s: float = 0.0

    def look(self, cards: Iterable[Card], now_s: float) -> list[Act]:
        """What is to be done now, of what the page shows."""
        cards = list(cards)
        if any(card.owner and not card.owner.endswith(SIMULATED) for card in cards):
            self._stands_back_until_s = now_s + STANDS_BACK_S
        wanted = [act for card in cards if (act := self._wants(card, now_s)) is not None]
        self._due_s = {act: self._due_s[act] if act in self._due_s else self._due(act, now_s) for act in wanted}
        return [act for act, due_s in self._due_s.items() if due_s is not None and due_s <= now_s]

    def _wants(self, card: Card, now_s: float) -> Act | None:
        """To take what is open, and to end what is theirs and over, or was over before anybody saw it."""
        if card.owner == self.person.display_name:
            return Act("resolution", card) if card.condition is not Condition.ACTIVE else None
        if card.state is not State.OPEN or card.step < self.person.from_step or now_s < self._stands_back_until_s:
            return None
        return Act("resolution" if card.condition is Condition.CLEARED else "acknowledgement", card)

    def _due(self, act: Act, now_s: float) -> float | None:
        """None: never."""
        rng = Random(f"{self.seed}/{self.person.name}/{act.what}/{act.card.id}/{act.card.priority}")
        if act.what == "resolution":
            return now_s + rng.uniform(*RESOLVES_S)
        return None if rng.random() < NEVER else now_s + rng.uniform(*TAKES_S[act.card.priority])


def work(
    desks: Sequence[tuple[Colleague, Desk]],
    *,
    speed: float,
    stop: Callable[[], bool],
    sleep: Callable[[float], None] | None = None,
) -> None:
    """Look at the page and do what is due, until `stop()`; `speed` 2: in half the time. A server that is away is tried
    again."""
    sleep = sleep or time.sleep
    while not stop():
        for colleague, desk in desks:
            try:
                for act in colleague.look(desk.cards(), time.monotonic() * speed):
                    desk.press(act.what, act.card)
            except NoDesk as trouble:
                log.warning("%s: %s", colleague.person.name, trouble)
        waited_s = 0.0
        while not stop() and waited_s < LOOK_EVERY_S / speed:
            sleep(LOOK_UP_S)
            waited_s += LOOK_UP_S


def main() -> None:
    asked = _arguments().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    desks = [(Colleague(person, asked.seed), Desk(asked.url, person.name)) for person in PEOPLE]
    work(desks, speed=asked.speed, stop=stop_on_signals())


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hospital.simulator.staff", description="Invented colleagues.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the server that they sign in to")
    parser.add_argument("--seed", type=int, default=1, help="the same seed: as quick or slow at the same alerts")
    parser.add_argument("--speed", type=above_zero, default=1.0, help="2: they need half the time")
    return parser


if __name__ == "__main__":
    main()
