"""A WebSocket as a browser holds it, over a plain socket: wsproto checks every byte, every message is an event."""

import base64
import os
import socket
from urllib.parse import urlencode

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from tests.support.sse import Ear, connected

HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


class Reader(Ear):
    """After the handshake. `texts`: whole messages; `code`: of the server's goodbye; `answers`: pings get pongs."""

    def __init__(self, made: socket.socket) -> None:
        super().__init__(made)
        self.texts: list[str] = []
        self.pings = 0
        self.pongs: list[bytes] = []
        self.code: int | None = None
        self.answers = True
        self._begun = ""
        self._parser = Connection(ConnectionType.CLIENT)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def say(self, event: Event) -> None:
        self.socket.send(self._parser.send(event))

    def say_goodbye(self, code: int = 1000) -> None:
        self.say(CloseConnection(code))

    def _understand(self, data: bytes) -> None:
        if data:
            self._parser.receive_data(data)
        for event in self._parser.events():
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            self._begun += event.data
            if event.message_finished:
                self.texts.append(self._begun)
                self.reader.feed(f"{self._begun}\n\n".encode())
                self._begun = ""
        elif isinstance(event, Ping):
            self.pings += 1
            if self.answers:
                self.say(event.response())
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self.code = event.code
        else:
            assert not isinstance(event, BytesMessage), "the server sends text"


class Socket(Reader):
    """GET /live/socket. `status` is 0 until the head is there; 101: open."""

    def __init__(
        self,
        port: int,
        cookie: str | None,
        *views: str,
        after: str | None = None,
        receive_buffer_bytes: int = 0,
        **headers: str,
    ) -> None:
        super().__init__(connected(port, receive_buffer_bytes))
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head = b""
        query = urlencode([*(("view", view) for view in views or ("alerts",)), *([("after", after)] if after else [])])
        sent = HANDSHAKE | {"Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Host": "test"}
        sent |= {"Cookie": f"session={cookie}"} if cookie else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"GET /live/socket?{query} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value)]
        self.socket.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    @property
    def body(self) -> bytes:
        return bytes(self.raw).partition(b"\r\n\r\n")[2]

    def _understand(self, data: bytes) -> None:
        if not self.status:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            first, *rows = head.decode().split("\r\n")
            self.status = int(first.split()[1])
            self.headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
        if self.status == 101 and data:
            super()._understand(data)
