"""Starts the real server with one thing in it made wrong: `python -m tests.faults.twists NAME… --`.

Nothing of this is in the product. A twist is a mistake that someone could make; a point is a place where the process
dies when it has been armed.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import gc
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import gevent
from flask import request
from greenlet import greenlet
from markupsafe import Markup
from sqlalchemy import select

import app
from hospital import clock, records, settings
from hospital.fragments import Fragments
from hospital.intake import mllp, receiving
from hospital.intake.answering import answer
from hospital.intake.hl7 import parse
from hospital.intake.receiving import Received
from hospital.live import frame, opening
from hospital.live.cards import Cards
from hospital.live.frame import Frame
from hospital.live.line import SocketLine
from hospital.live.outlet import Outlet
from hospital.live.relay import Relay
from hospital.pages import acting
from hospital.records import Hospital, Verdict, database

TWISTS: dict[str, Callable[[], None]] = {}


def twist(make: Callable[[], None]) -> Callable[[], None]:
    TWISTS[make.__name__] = make
    return make


def instead(owner: Any, name: str, make: Callable[..., Any]) -> None:
    """Put `make(original, *args)` where `owner.name` was."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: make(original, *args, **kwargs))


# ---- The stream ------------------------------------------------------------------------------------------------------


@twist
def skip_the_replay() -> None:
    instead(Relay, "_replay", lambda *_: [])


@twist
def number_by_id() -> None:
    """A card's version is its alert's id, as in many a system: then no change is newer than what stands there."""
    instead(Fragments, "card", lambda card, *args, **how: _version(card(*args, **how), args[1].id))


@twist
def no_heartbeat() -> None:
    instead(Relay, "beat", lambda *_: None)


@twist
def move_the_cursor_before_rendering() -> None:
    """And the rendering fails once."""
    failures = iter([True])

    def send(original: Any, self: Relay, hospital_id: int, touches: Any) -> None:
        self._tails[hospital_id].take(touches)
        if touches[-1].number > 2 and next(failures, False):
            raise RuntimeError("planted: a template failed")
        original(self, hospital_id, touches)

    instead(Relay, "_send", send)


@twist
def replay_before_watch() -> None:
    """mercure#178: what comes between the end of the replay and the watching is lost."""

    def join(_original: Any, self: Relay, line: Any, after: str | None) -> None:
        first = self._first_words(line.watch, after)
        gevent.sleep(0.3)
        self.hub.join(line)
        line.send(first)

    instead(Relay, "join", join)


@twist
def forget_the_tombstone() -> None:
    def fragments_of(original: Any, self: Cards, audience: Any, tail: Any, alert: Any) -> Any:
        return iter(()) if alert.state == "resolved" else original(self, audience, tail, alert)

    instead(Cards, "_fragments_of", fragments_of)


@twist
def audience_from_the_address() -> None:
    """Whoever asks for units gets them."""

    def audience(original: Any, person: Any, views: Any) -> Any:
        asked = frozenset(map(int, request.args.getlist("unit")))
        made = original(person, views)
        return replace(made, units=made.units | asked)

    instead(opening, "_audience", audience)


@twist
def ignore_the_revocation() -> None:
    instead(Relay, "end_sessions", lambda *_: None)


@twist
def beat_with_the_databases_head() -> None:
    """And the lines come a little later."""

    def beat(_original: Any, self: Relay) -> None:
        with records.read() as session:
            heads = session.execute(select(Hospital.id, Hospital.epoch, Hospital.head)).all()
        for hospital_id, epoch, head in heads:
            for audience in self.hub.audiences(hospital_id):
                data = frame.beat(f"{epoch}-{head}", head, clock.now())
                self.outlet.write_all(self.hub.lines(audience), data)

    def send(original: Any, self: Relay, *args: Any) -> None:
        gevent.sleep(0.4)
        beat(None, self)
        original(self, *args)

    instead(Relay, "beat", beat)
    instead(Relay, "_send", send)


@twist
def drop_without_a_resync() -> None:
    instead(Outlet, "resync_for", lambda *_: Frame(b"event: dropped\ndata: {}\n\n"))


@twist
def render_an_old_card() -> None:
    """The newest number on what was rendered first: a cache that forgets the version."""
    first: dict[int, Markup] = {}

    def card(original: Any, self: Fragments, alert: Any, *args: Any, **how: Any) -> Markup:
        html = first.setdefault(alert.id, original(self, alert, *args, **how))
        return _version(html, alert.version)

    instead(Fragments, "card", card)


@twist
def send_the_older_frame_last() -> None:
    """Two writers and no order between them."""
    held: list[Any] = []

    def write_all(original: Any, self: Outlet, lines: Any, data: bytes) -> None:
        if data.startswith(b"event: frame") and not held:
            held.append((lines, data))
            return
        original(self, lines, data)
        if data.startswith(b"event: frame"):
            original(self, *held.pop())

    instead(Outlet, "write_all", write_all)


@twist
def write_every_frame_twice() -> None:
    """Harmless to a screen that looks at versions; not to one that does not."""

    def write_all(original: Any, self: Outlet, lines: Any, data: bytes) -> None:
        original(self, lines, data)
        if data.startswith(b"event: frame"):
            original(self, lines, data)

    instead(Outlet, "write_all", write_all)


# ---- Intake and acts -------------------------------------------------------------------------------------------------


@twist
def commit_after_the_answer() -> None:
    """The answer leaves first; what then happens to the process nobody knows."""

    def receive(original: Any, raw: bytes, *args: Any) -> Received:
        gevent.spawn_later(0.5, original, raw, *args)
        return Received(Verdict.ACCEPTED, "CA", answer=answer(parse(raw), "CA", at=clock.now()))

    instead(receiving, "receive", receive)
    instead(mllp, "receive", lambda _original, raw, **_: receiving.receive(raw))


@twist
def take_every_repeat() -> None:
    instead(receiving, "_earlier", lambda *_: None)


@twist
def apply_the_retry_again() -> None:
    """The key is read and never looked up."""

    def once(original: Any, session: Any, key: acting.Key, *args: Any) -> Any:
        return original(session, replace(key, key=""), *args)

    instead(acting, "_once", once)


@twist
def answer_before_the_act() -> None:
    """'Done' is said though the transaction was lost."""

    def write(original: Any, hospital_id: int | None, act: Any) -> Any:
        if "_once" not in getattr(act, "__qualname__", "") and "carry_out" not in getattr(act, "__qualname__", ""):
            return original(hospital_id, act)

        def undone(session: Any) -> Any:
            outcome = act(session)
            session.info["planted"] = outcome
            raise _Undone(outcome)

        try:
            return original(hospital_id, undone)
        except _Undone as error:
            return error.outcome

    instead(records, "write", write)


class _Undone(Exception):
    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self.outcome = outcome


# ---- Points of death -------------------------------------------------------------------------------------------------


def _is_armed(what: str) -> bool:
    """Once for each time that the test has armed it."""
    file = Path(settings.current.instance) / f"armed-{what}"
    if not file.exists():
        return False
    file.unlink()
    return True


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@twist
def points() -> None:
    """before-commit, after-commit (and before the bell), mid-replay, mid-frame."""

    def commit(original: Any, *args: Any) -> Any:
        if _is_armed("before-commit"):
            _die()
        outcomes = original(*args)
        if _is_armed("after-commit"):
            _die()
        return outcomes

    def send(original: Any, self: SocketLine, data: Frame) -> None:
        is_replay = data.startswith(b"event: hello") and data.count(b"\n\nevent: frame") > 0
        point = "mid-replay" if is_replay else "mid-frame" if data.startswith(b"event: frame") else ""
        if point and _is_armed(point):
            os.write(self.fd, self._encoded(data)[:-40])
            _die()
        original(self, data)

    instead(database, "_commit", commit)
    instead(SocketLine, "send", send)


@twist
def clock_by_signal() -> None:
    """SIGUSR1: an hour later; SIGUSR2: an hour earlier."""
    gevent.signal_handler(signal.SIGUSR1, clock.turn, timedelta(hours=1))
    gevent.signal_handler(signal.SIGUSR2, clock.turn, timedelta(hours=-1))


@twist
def count_by_signal() -> None:
    """SIGUSR1: write down how many greenlets there are."""

    def count() -> None:
        gc.collect()
        alive = sum(isinstance(one, greenlet) and not one.dead for one in gc.get_objects())
        Path(settings.current.instance, "greenlets").write_text(str(alive))

    gevent.signal_handler(signal.SIGUSR1, count)


def _version(html: Markup, version: int) -> Markup:
    return Markup(re.sub(r'data-version="\d+"', f'data-version="{version}"', html, count=1))


if __name__ == "__main__":
    for chosen in sys.argv[1 : sys.argv.index("--")]:
        TWISTS[chosen]()
    app.serve()
