"""Settings of one test, and watching what the database is asked."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.event
import pytest
from sqlalchemy import Engine, event

from hospital import settings


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes settings until the test ends."""

    def change(**changed: Any) -> None:
        monkeypatch.setattr(settings, "current", settings.current.but(**changed))

    return change


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that any engine executes from now on, but for BEGIN."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.extend([statement] if statement != "BEGIN" else [])

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


class SlowRead:
    """The next read of alerts has its rows, but waits before it hands them over: PostgreSQL lets others run then."""

    def __init__(self) -> None:
        self._reads_to_go = 0
        self._reached, self._go = gevent.event.Event(), gevent.event.Event()

    def during(self, reader: Callable[..., Any], *given: Any, reads: int = 1) -> gevent.Greenlet:
        """Start `reader` and come back while it waits for the database, at so many reads of alerts from now."""
        self._reads_to_go = reads
        greenlet = gevent.spawn(reader, *given)
        assert self._reached.wait(5), "it never read an alert"
        return greenlet

    def finish(self, greenlet: gevent.Greenlet) -> None:
        self._go.set()
        greenlet.get(timeout=5)

    def on_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not self._reads_to_go or "FROM alert" not in statement:
            return
        self._reads_to_go -= 1
        if not self._reads_to_go:
            self._reached.set()
            assert self._go.wait(5)


@pytest.fixture
def slow_read() -> Iterator[SlowRead]:
    slow = SlowRead()
    event.listen(Engine, "after_cursor_execute", slow.on_statement)
    yield slow
    event.remove(Engine, "after_cursor_execute", slow.on_statement)
