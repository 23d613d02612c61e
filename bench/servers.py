"""The servers that are measured: ours as it is, and its peers, each on one core and in one process."""

import http.client
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from bench import machine
from tests.support.alarms import alarm
from tests.support.server import Server, free_port
from tests.support.sse import Stream, greeted, sign_in, until

_PEERS = Path(__file__).with_name("peers")
_NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_READY_WITHIN_S = 20.0
_GEVENT = ("-m", "gevent.monkey")  # patches before the script is loaded

# Six sign-ins of four people and three audiences; each sees the alarms of MED.
PEOPLE = ("nurse", "nurse2", "charge", "physician", "nurse", "nurse2")
# Limits that would refuse one machine that plays ten thousand, and timers that would send frames of their own.
_LIFTED = {
    "HOSPITAL_STREAMS_PER_PERSON": "100000",
    "HOSPITAL_ESCALATE_HIGH_S": "100000",
    "HOSPITAL_ESCALATE_MEDIUM_S": "100000",
    "HOSPITAL_ESCALATE_LOW_S": "100000",
}


class Measured(Protocol):
    """A running server. `requests`, `ready` and `say` are for the load client."""

    name: str
    port: int
    requests: list[str]
    ready: str
    say: bytes

    @property
    def pid(self) -> int: ...

    def publish(self) -> int:
        """Send one frame to every screen; its number."""

    def stop(self) -> None: ...


class Ours:
    """The real application: six people sign in, an alarm comes over MLLP, is stored, rendered and sent."""

    name = "this project"
    ready = "event: hello"
    say = b""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.server = Server(folder, _LIFTED | settings)
        self.server.start(*machine.on_core(machine.SERVER_CORE))
        self.port = self.server.port
        self.passes = [sign_in(self.port, name) for name in PEOPLE]
        self.requests = [request(self.port, "/live/stream?view=alerts", one.cookie) for one in self.passes]
        self.gateway = self.server.gateway()
        self._values = count(10_000)
        self._number = 0

    @property
    def pid(self) -> int:
        return self.server.pid

    def publish(self) -> int:
        """A new value of one alarm: one journal line, one frame for each audience."""
        return self._send("BENCH", bed=1)

    def raise_alarm(self) -> int:
        """An alarm that was not there before; its number is that of its alert too, if nothing else has been sent."""
        return self._send(f"BENCH-{self._number}", bed=self._number % 12 + 1)

    def restart(self) -> None:
        """Start again what was killed, with what it knew."""
        self.server.start(*machine.on_core(machine.SERVER_CORE))
        self.gateway.close()
        self.gateway = self.server.gateway()

    def _send(self, alert_id: str, bed: int) -> int:
        value = str(next(self._values) / 100)
        patient = f"47{bed:02}^^^Ward^PI||Testmann^Tilda^^^^^L||19610301|F"
        message = alarm(alert_id=alert_id, bed=f"MED^^MED-{bed:02}", patient=patient, value=value, priority="high")
        answer = self.gateway.send(message)
        assert b"MSA|AA" in answer or b"MSA|CA" in answer, answer
        self._number += 1
        return self._number

    def stop(self) -> None:
        self.gateway.close()
        self.server.stop()


class Peer:
    """A server that gets each frame by POST /publish; its body is the card of ours, with the number put in."""

    say = b""
    _path = "/stream"

    name = ""

    def __init__(self, folder: Path, card: str, command: list[str], port: int) -> None:
        self.port, self._card = port, card
        self.requests = [request(port, self._path)]
        self.ready = "event: hello"
        with (folder / f"log-{port}").open("wb") as log:
            how = [*machine.on_core(machine.SERVER_CORE), *command]
            self._process = subprocess.Popen(how, stdout=log, stderr=log)
        self._numbers = count(1)
        self._connection = self._connected()

    @property
    def pid(self) -> int:
        return self._process.pid

    def publish(self) -> int:
        number = next(self._numbers)
        self._connection.request("POST", "/publish", numbered(self._card, number).encode())
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status < 300, (self.name, answer.status)
        return number

    def stop(self) -> None:
        self._connection.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connected(self) -> http.client.HTTPConnection:
        give_up_at = time.monotonic() + _READY_WITHIN_S
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.connect()
                return connection
            except OSError:
                if time.monotonic() > give_up_at or self._process.poll() is not None:
                    raise
                time.sleep(0.05)


class BareLoop(Peer):
    """Not a peer: what the kernel takes for the writing alone."""

    name = "a bare loop of os.write"

    def __init__(self, folder: Path, card: str) -> None:
        port = free_port()
        super().__init__(folder, card, _script("bare_loop", port), port)


class FlaskQueue(Peer):
    name = "Flask, a queue per screen"

    def __init__(self, folder: Path, card: str) -> None:
        port = free_port()
        super().__init__(folder, card, _script("flask_queue", port, *_GEVENT), port)


class SocketIO(Peer):
    name = "Flask-SocketIO"
    say = b"\x81\x82\0\0\0\x0040"  # a masked text frame: join the default room
    _path = "/socket.io/?EIO=4&transport=websocket"

    def __init__(self, folder: Path, card: str) -> None:
        port = free_port()
        super().__init__(folder, card, _script("socketio_gevent", port, *_GEVENT), port)
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        self.requests = [f"{self.requests[0]}{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"]
        self.ready = '40{"sid"'


class StarletteSSE(Peer):
    name = "sse-starlette"

    def __init__(self, folder: Path, card: str) -> None:
        port = free_port()
        super().__init__(folder, card, _script("starlette_sse", port), port)


class Nchan(Peer):
    name = "nchan"

    def __init__(self, folder: Path, card: str) -> None:
        if missing := nchan_missing():
            raise NotHere(missing)
        port = free_port()
        text = (_PEERS / "nchan.conf").read_text().replace("PORT", str(port)).replace("FOLDER", str(folder))
        (folder / "nginx.conf").write_text(text)
        where = ["-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        super().__init__(folder, card, ["nginx", *where], port)
        self.ready = "\r\n\r\n"  # it says nothing until there is something to say


class NotHere(Exception):
    """This peer cannot be measured here; the text says why."""


def everyone(card: str) -> dict[str, Callable[[Path], Measured]]:
    """Ours first, then its peers, by name: what starts each in a folder of its own."""
    peers = (BareLoop, Nchan, FlaskQueue, StarletteSSE, SocketIO)
    return {Ours.name: Ours} | {peer.name: partial(peer, card=card) for peer in peers}


def nchan_missing() -> str:
    """Why nchan cannot be measured here; empty if it can."""
    if shutil.which("nginx") and _NCHAN.exists():
        return ""
    return "not here: apt-get install nginx libnginx-mod-nchan"


def card(folder: Path) -> str:
    """The HTML of a real alert's card, as it goes over the line."""
    ours = Ours(folder)
    try:
        stream = Stream(ours.port, ours.passes[0].cookie)
        greeted(stream)
        ours.publish()
        until(lambda: stream.named("frame"), stream)
        return stream.named("frame")[0].data
    finally:
        ours.stop()


def numbered(card: str, number: int) -> str:
    return re.sub(r'data-version="\d+"', f'data-version="{number}"', card)


def request(port: int, path: str, cookie: str = "") -> str:
    """An HTTP head without its empty line."""
    sent = f"Cookie: session={cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n{sent}"


def _script(name: str, port: int, *how: str) -> list[str]:
    return [sys.executable, *how, str(_PEERS / f"{name}.py"), str(port)]
