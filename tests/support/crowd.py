"""Many screens in one process: one thread, one epoll set, no greenlet for any of them. Cheap enough for thousands."""

import heapq
import os
import resource
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from itertools import count
from typing import Any, TypeVar

from tests.faults.history import Closed, History, Opened
from tests.support.lines import Exchange, Fetching, Socket, Streaming
from tests.support.pieces import Page, read_page
from tests.support.screen import Rules, Screen, Seat
from tests.support.server import PATIENCE_S

T = TypeVar("T")

_LOOK_EVERY_S = 0.5
_AT_ONCE = 512


class Crowd:
    """Screens at 127.0.0.1:`port`. Needs close(). `screens` may be read by any thread; do() changes them."""

    def __init__(
        self, port: int, *, history: History | None = None, rules: Rules | None = None, receive_buffer_bytes: int = 0
    ) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65_536)), hard))
        self.port, self.history, self.rules = port, history, rules or Rules()
        self.receive_buffer_bytes = receive_buffer_bytes
        self.screens: list[Screen] = []
        self._numbers = count(1)
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._exchanges: dict[int, Exchange] = {}
        self._posted: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._running = True
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self._thread.start()

    # ---- For tests, from any thread ----------------------------------------------------------------------------------

    def open(
        self,
        seat: Seat,
        how_many: int = 1,
        *,
        kind: type[Screen] = Screen,
        page: Page | None = None,
        port: int = 0,
        every_s: float = 0.001,
        **how: Any,
    ) -> list[Screen]:
        """Screens that begin with `page`, or each with its own, one after the other.

        `port`: another door than the crowd's (a proxy).
        """
        made = []
        for _ in range(how_many):
            name = f"{seat.name}-{next(self._numbers)}"
            network = self if not port else _Door(self, port)
            made.append(kind(network, seat, name, **{"history": self.history, "rules": self.rules} | how))
        self.do(lambda: self._begin(made, page, every_s))
        return made

    def leave(self, screens: Iterable[Screen]) -> None:
        """These screens go, as tabs that are closed."""
        gone = list(screens)
        self.do(lambda: self._leave(gone))

    def do(self, call: Callable[[], T]) -> T:
        """Run this in the crowd's thread, and wait for it."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(call())
            except BaseException as error:  # raised where it was asked for
                done.set_exception(error)

        self._posted.append(run)
        os.eventfd_write(self._bell, 1)
        return done.result(30)

    def wait(self, condition: Callable[[], object], within_s: float = PATIENCE_S, why: str = "") -> None:
        """Wait until it is so. Raises AssertionError, and what went wrong in the crowd itself."""
        until = time.monotonic() + within_s
        while not condition():
            if self.failure is not None:
                raise self.failure
            assert time.monotonic() < until, f"not within {within_s} s: {why or condition}; {self.states()}"
            time.sleep(0.01)

    def wait_live(self, within_s: float = PATIENCE_S) -> None:
        self.wait(lambda: all(screen.state == "live" for screen in list(self.screens)), within_s, "not all live")

    def states(self) -> dict[str, int]:
        told: dict[str, int] = {}
        for screen in list(self.screens):
            told[screen.state] = told.get(screen.state, 0) + 1
        return told

    def pause(self, screen: Screen) -> None:
        """It reads no more, though its machine takes what its receive buffer holds."""
        self.do(lambda: self._epoll.modify(self._fd_of(screen), 0))

    def go_on(self, screen: Screen) -> None:
        """It reads again; if it has given its line up meanwhile, it has come back by itself."""
        if screen.line is not None:
            self.do(lambda: self._epoll.modify(self._fd_of(screen), select.EPOLLIN))

    def stay_on(self, processor: int) -> None:
        """Its thread runs on this processor only, so that a server can have another."""
        self.do(lambda: os.sched_setaffinity(0, {processor}))

    def close(self) -> None:
        """Once or more often."""
        if not self._running:
            return
        self._running = False
        os.eventfd_write(self._bell, 1)
        self._thread.join(10)
        for exchange in list(self._exchanges.values()):
            exchange.socket.close()
        self._epoll.close()
        os.close(self._bell)
        if self.failure is not None:
            raise self.failure

    # ---- For its screens, in its own thread --------------------------------------------------------------------------

    def listen(self, screen: Screen, port: int = 0) -> "Exchange":
        kind = Socket if screen.transport == "socket" else Streaming
        return self._add(kind(screen, port or self.port, self.receive_buffer_bytes, self._gone))

    def fetch(self, screen: Screen, done: Callable[[int, str | None], None], port: int = 0) -> None:
        self._add(Fetching(screen.seat.cookie, port or self.port, _path(screen), done, self._gone))

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._numbers), call))

    def _add(self, exchange: Exchange) -> Exchange:
        self._exchanges[exchange.fd] = exchange
        self._epoll.register(exchange.fd, select.EPOLLOUT)
        return exchange

    def _gone(self, exchange: Exchange) -> None:
        self._epoll.unregister(exchange.fd)
        del self._exchanges[exchange.fd]
        exchange.socket.close()

    def _fd_of(self, screen: Screen) -> int:
        assert isinstance(screen.line, Exchange), f"{screen.name} has no line"
        return screen.line.fd

    def _begin(self, screens: list[Screen], page: Page | None, every_s: float) -> None:
        for number, screen in enumerate(screens):
            self.screens.append(screen)
            seat = screen.seat
            if screen.history is not None:
                screen.history.note(
                    Opened(screen=screen.name, hospital=seat.hospital, units=seat.units, session=seat.cookie)
                )
            self.after(number * every_s, lambda screen=screen: self._first(screen, page))  # type: ignore[misc]

    def _first(self, screen: Screen, page: Page | None) -> None:
        """A tab that cannot load is loaded again, by whoever sits there."""

        def done(status: int, text: str | None) -> None:
            if screen.closed:
                return
            if status == 200 and text is not None:
                screen.begin(read_page(text))
            else:
                self.after(0.5, lambda: self._first(screen, None))

        if page is not None:
            screen.begin(page)
        elif not screen.closed:
            screen.network.fetch(screen, done)

    def _leave(self, screens: list[Screen]) -> None:
        for screen in screens:
            screen.close()
            if screen.history is not None:
                screen.history.note(Closed(screen=screen.name))
        gone = set(map(id, screens))
        self.screens = [screen for screen in self.screens if id(screen) not in gone]

    def _run(self) -> None:
        next_look = time.monotonic() + _LOOK_EVERY_S
        try:
            while self._running:
                now = time.monotonic()
                due = min([next_look, *(timer[0] for timer in self._timers[:1])])
                self._turn(max(0.0, due - now))
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + _LOOK_EVERY_S
                    for screen in list(self.screens):
                        screen.look(time.monotonic())
        except BaseException as error:  # told to the test by wait() and close()
            self.failure = error

    def _turn(self, timeout_s: float) -> None:
        for fd, events in self._epoll.poll(timeout_s, _AT_ONCE):
            if fd == self._bell:
                os.eventfd_read(self._bell)
            elif (exchange := self._exchanges.get(fd)) is not None and exchange.ready(events) == "connected":
                self._epoll.modify(fd, select.EPOLLIN)
        while self._posted:
            self._posted.popleft()()
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()


class _Door:
    """The same crowd through another port."""

    def __init__(self, crowd: Crowd, port: int) -> None:
        self._crowd, self._port = crowd, port
        self.after = crowd.after

    def listen(self, screen: Screen) -> Exchange:
        return self._crowd.listen(screen, self._port)

    def fetch(self, screen: Screen, done: Callable[[int, str | None], None]) -> None:
        self._crowd.fetch(screen, done, self._port)


def _path(screen: Screen) -> str:
    """The page whose stream this is."""
    view = screen.query.partition("view=")[2].partition("&")[0]
    return f"/{view.replace('patient:', 'patients/')}"


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
