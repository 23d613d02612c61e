"""A fake MLLP listener for the simulator to knock at."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

END = b"\x1c\r"
Reply = Callable[[bytes], bytes | None]


class FakeIntake:
    """Answers each connection by the next of `scripts` (the last one for all further connections).

    A script gets a message without its frame and returns raw bytes to send back, or None to hang up.
    """

    def __init__(self, *scripts: Reply) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            with connection, suppress(ConnectionError):  # a stopped sender hangs up unread
                self._converse(connection, script)

    def _converse(self, connection: socket.socket, script: Reply) -> None:
        unread = b""
        while some := connection.recv(65_536):
            unread += some
            while END in unread:
                frame, unread = unread.split(END, 1)
                self.heard.append(frame)
                reply = script(frame.removeprefix(b"\x0b"))
                if reply is None:
                    return
                connection.sendall(reply)


@pytest.fixture
def intake() -> Iterator[Callable[..., FakeIntake]]:
    opened: list[FakeIntake] = []

    def open_one(*scripts: Reply) -> FakeIntake:
        opened.append(FakeIntake(*scripts))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
