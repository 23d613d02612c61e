"""A ward under test: a real server, alarms that are repeated until answered, people who press, screens."""

import http.client
import re
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from itertools import count

from tests.faults.checker import judge
from tests.faults.history import Accepted, Fault, History, Restored, Revoked
from tests.faults.ledger import Verdict
from tests.faults.people import Presser
from tests.faults.truth import Truth, read_truth
from tests.support.alarms import alarm
from tests.support.crowd import Crowd
from tests.support.pieces import Page, read_page
from tests.support.proxy import Proxy
from tests.support.screen import Rules, Screen, Seat
from tests.support.server import Gateway, Server
from tests.support.sse import sign_in

UNITS: dict[str, tuple[str, frozenset[str | None]]] = {
    "nurse": ("demo", frozenset({"MED"})),
    "nurse2": ("demo", frozenset({"MED"})),
    "nurse-icu": ("demo", frozenset({"ICU"})),
    "charge": ("demo", frozenset({"MED", "ICU", None})),
    "physician": ("demo", frozenset({"MED", "ICU"})),
    "nurse-b": ("demo-b", frozenset({"MED"})),
}
_SENDER_OF = {"demo": "TEST_GATEWAY|BENCH", "demo-b": "GATEWAY_B|BENCH"}
_BEDS = {"MED": 12, "ICU": 8}


class Floor:
    """Everything that is noted goes into `history`. Needs close()."""

    def __init__(
        self, server: Server, cookies: dict[str, str], *, rules: Rules | None = None, receive_buffer_bytes: int = 0
    ) -> None:
        """`cookies`: of people who have signed in already."""
        self.server = server
        self._cookies = cookies
        self.rules = rules or Rules()
        self.beat_s = float(server.environment.get("HOSPITAL_BEAT_S", "5"))
        self.history = History()
        self.crowd = Crowd(
            server.port, history=self.history, rules=self.rules, receive_buffer_bytes=receive_buffer_bytes
        )
        self._alarms = count(1)
        self._proxies: list[Proxy] = []
        self._tokens: dict[str, str] = {}

    # ---- People and screens ------------------------------------------------------------------------------------------

    def seat(self, name: str) -> Seat:
        """A demo person, signed in."""
        return Seat(name, self._cookies[name], *UNITS[name])

    def sign_in(self, name: str) -> Seat:
        """A session of its own, for who will lose it."""
        return Seat(name, sign_in(self.server.port, name).cookie, *UNITS[name])

    def open(self, *names: str, each: int = 1, **how: object) -> list[Screen]:
        """Screens of these people; back when all of them are live."""
        made = []
        for name in names:
            made += self.crowd.open(self.seat(name), each, **how)  # type: ignore[arg-type]
        self.crowd.wait(lambda: all(screen.state == "live" for screen in made), 30, "a screen did not open")
        return made

    def page_of(self, seat: Seat) -> Page:
        """The page that a crowd may begin with: fetched once for all."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)) as connection:
            connection.request("GET", "/alerts", headers={"Cookie": f"session={seat.cookie}"})
            return read_page(connection.getresponse().read().decode())

    def presser(self, name: str, port: int = 0, seat: Seat | None = None, expires_after_s: float = 0) -> Presser:
        """Someone who presses buttons; `port`: through that proxy."""
        seat, within_s = seat or self.seat(name), expires_after_s or self.rules.sent_within
        if seat.cookie not in self._tokens:  # the page is loaded once, as in life
            self._tokens[seat.cookie] = self.page_of(seat).token
        return Presser(seat, self._tokens[seat.cookie], port or self.server.port, self.history, within_s)

    def proxy(self) -> Proxy:
        """A network to the server that can be made bad."""
        self._proxies.append(Proxy(self.server.port))
        return self._proxies[-1]

    # ---- Alarms ------------------------------------------------------------------------------------------------------

    def alarm(self, unit: str = "MED", hospital: str = "demo", **how: object) -> str:
        """One more alarm, handed in until it is answered; its name. Its text says whose it is."""
        name = self.new_name(unit, hospital)
        self.hand_in(name, self.message(name, **how))
        return name

    def new_name(self, unit: str = "MED", hospital: str = "demo") -> str:
        return f"mark-{hospital}-{unit}-{next(self._alarms)}"

    def message(self, name: str, **how: object) -> bytes:
        _, hospital, unit, number = name.replace("demo-b", "demo_b").split("-")
        bed = f"{unit}^^{unit}-{int(number) % _BEDS[unit] + 1:02d}"
        sender = _SENDER_OF[hospital.replace("_", "-")]
        told = {"alert_id": name, "control_id": name, "bed": bed, "text": f"SpO2 low {name}", "patient": None}
        return alarm(**{"sender": sender, "priority": "high", **told, **how})  # type: ignore[arg-type]

    def hand_in(self, name: str, message: bytes, within_s: float = 60.0) -> None:
        """As a gateway does: again and again until it is answered."""
        until = time.monotonic() + within_s
        while True:
            try:
                with closing(Gateway(self.server.mllp_port, timeout_s=8)) as gateway:
                    answer = gateway.send(message)
            except OSError:
                assert time.monotonic() < until, f"{name} was never answered"
                time.sleep(0.05)
                continue
            assert re.search(rb"MSA\|[AC]A\|", answer), answer
            hospital = name.removeprefix("mark-").rpartition("-")[0].rpartition("-")[0]
            control_id = message.split(b"|")[9].decode()
            self.history.note(Accepted(hospital=hospital, control_id=control_id, alert_id=name))
            return

    def alert_id(self, name: str) -> int:
        """The number of the alert that this alarm became."""
        with closing(sqlite3.connect(self.server.folder / "hospital.db")) as database:
            (found,) = database.execute("SELECT max(id) FROM alert WHERE sender_alert_id = ?", (name,)).fetchone()
        return int(found)

    # ---- Faults ------------------------------------------------------------------------------------------------------

    def fault(self, what: str, for_s: float = 0.0) -> None:
        self.history.note(Fault(what=what, until=time.monotonic() + for_s))

    def sign_out(self, seat: Seat) -> None:
        """End this session; what its screens do from now on is judged."""
        self.presser(seat.name, seat=seat).sign_out()
        self.history.note(Revoked(session=seat.cookie))

    def arm(self, what: str) -> None:
        """Let a point of tests/faults/twists.py do its harm once, the next time that it is reached."""
        self.fault(what)
        (self.server.folder / f"armed-{what}").touch()

    @cached_property
    def backup(self) -> Callable[..., None]:
        """Take a backup now; call it to put it back while the server is down."""
        file, since = self.server.folder / "backup.db", time.monotonic()
        with closing(sqlite3.connect(self.server.folder / "hospital.db")) as database:
            database.execute("VACUUM INTO ?", (str(file),))
        with closing(sqlite3.connect(file)) as copy:
            heads = copy.execute("SELECT code, epoch, head FROM hospital").fetchall()

        def put_back(epoch: str | None = "restored") -> None:
            self.fault("a backup put back")
            kept = self.server.folder / "hospital.db"
            for part in ("-wal", "-shm"):
                kept.with_name(kept.name + part).unlink(missing_ok=True)
            shutil.copy(file, kept)
            if epoch is not None:
                with closing(sqlite3.connect(kept)) as database:
                    database.execute("UPDATE hospital SET epoch = ?", (epoch,))
                    database.commit()
            for hospital, old, head in heads:
                self.history.note(Restored(hospital=hospital, epoch=old, head=head, since=since))

        return put_back

    # ---- The end -----------------------------------------------------------------------------------------------------

    def settle(self, within_s: float = 45.0) -> None:
        """Wait until every screen is live and has everything, or until it is no use: the checker then says why."""
        until = time.monotonic() + within_s
        while time.monotonic() < until and not self._is_settled():
            time.sleep(0.05)

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        self._proxies.clear()
        self.crowd.close()

    def verdicts(self, truth: Truth | None = None) -> list[Verdict]:
        self.history.end()
        return judge(self.history, truth or self.truth(), self.rules, self.beat_s)

    def truth(self) -> Truth:
        return read_truth(self.server.folder)

    def _is_settled(self) -> bool:
        truth = self.truth()
        heads = {hospital: (truth.epochs[hospital], len(lines)) for hospital, lines in truth.lines.items()}
        return all(
            screen.state == "signed-out"
            or (screen.state == "live" and (screen.cursor.epoch, screen.cursor.number) == heads[screen.seat.hospital])
            for screen in list(self.crowd.screens)
        )


def twisted(*names: str) -> tuple[str, ...]:
    """A wrapper for Server.start that starts it by itself, with these twists (tests/faults/twists.py)."""
    return (sys.executable, "-m", "tests.faults.twists", *names, "--")


def add_second_gateway(server: Server) -> None:
    """Before its start: a sender of the second hospital, known by its header."""
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database:
        database.execute(
            "INSERT INTO sender"
            " (hospital_id, name, application, facility, authority, training, created_at, addresses, told_over)"
            " SELECT id, 'Gateway B', 'GATEWAY_B', 'BENCH', 'GATEWAY_B', 0, '2026-01-01 00:00:00', '', 0 FROM hospital"
            " WHERE code = 'demo-b'"
        )
        database.commit()


class Going(threading.Thread):
    """Does something again and again beside the test until stop(); what goes wrong in it is raised there."""

    def __init__(self, what: Callable[[], object], every_s: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self._what, self._every_s = what, every_s
        self._enough = threading.Event()
        self._failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            while not self._enough.wait(self._every_s()):
                self._what()
        except BaseException as error:  # raised by stop()
            self._failure = error

    def stop(self) -> None:
        self._enough.set()
        self.join(90)
        if self._failure is not None:
            raise self._failure
