"""Delivers messages over MLLP (0x0B message 0x1C 0x0D): one connection, one message at a time, until answered."""

import logging
import socket
import time
from collections import Counter
from collections.abc import Callable

START, END = b"\x0b", b"\x1c\r"
NOT_ASKED = "none asked"  # MSH-15 and MSH-16 of the message say that it wants no answer
ANSWERS = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})  # HL7 table 0008
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LOOK_UP_S = 0.25  # how often a wait looks whether it should stop
LONGEST_ANSWER_BYTES = 65_536

log = logging.getLogger(__name__)


class NoAnswer(OSError):
    """The other side hung up, kept silent, or talked without end."""


class Sender:
    """`stop` is asked between and during waits; `sleep` takes seconds. `tries`: how often a message goes out before
    it is given up; None: until it is answered. Close it when done.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        tries: int | None = None,
        stop: Callable[[], bool] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.repeats = 0
        self._address = (host, port)
        self._answer_timeout_s = answer_timeout_s
        self._tries = tries
        self._stop = stop or (lambda: False)
        self._sleep = sleep or time.sleep
        self._connection: socket.socket | None = None
        self._unread = b""

    def send(self, message: bytes) -> str | None:
        """Deliver one message and return its answer (MSA-1); a refusal (AE, AR) is an answer too. Of a message that
        wants none, NOT_ASKED.

        Without an answer the same bytes go out again on a new connection, as often as it takes. None: told to stop,
        or given up after `tries`.
        """
        pause_s, tried = FIRST_PAUSE_S, 0
        while not self._stop():
            try:
                return self._noted(self._ask(message), message)
            except OSError as trouble:
                log.warning("no answer from %s:%s (%s)", *self._address, trouble)
            self.close()
            tried += 1
            if tried == self._tries:
                return None
            self.repeats += 1
            self._pause(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._unread = None, b""

    def _ask(self, message: bytes) -> str:
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=CONNECT_TIMEOUT_S)
        self._connection.settimeout(self._answer_timeout_s)
        self._connection.sendall(START + message + END)
        if _wants_none(message):
            return NOT_ASKED
        return self._answer_to(_control_id(message), self._connection)

    def _answer_to(self, control_id: str, connection: socket.socket) -> str:
        """Answers to other messages are passed over: a late one must not be taken for ours."""
        deadline = time.monotonic() + self._answer_timeout_s
        while True:
            while END in self._unread:
                frame, self._unread = self._unread.split(END, 1)
                code, answered_id = _acknowledgement(frame)
                if answered_id == control_id and code in ANSWERS:
                    return code
            self._unread += self._read_some(connection, deadline)
            if len(self._unread) > LONGEST_ANSWER_BYTES:
                raise NoAnswer("an answer without end")

    def _read_some(self, connection: socket.socket, deadline: float) -> bytes:
        while (left_s := deadline - time.monotonic()) > 0 and not self._stop():
            connection.settimeout(min(left_s, LOOK_UP_S))
            try:
                some = connection.recv(4096)
            except TimeoutError:
                continue
            if not some:
                raise NoAnswer("the other side hung up")
            return some
        raise NoAnswer("silence")

    def _pause(self, seconds: float) -> None:
        while seconds > 0 and not self._stop():
            self._sleep(min(seconds, LOOK_UP_S))
            seconds -= LOOK_UP_S

    def _noted(self, code: str, message: bytes) -> str:
        self.answers[code] += 1
        if code != NOT_ASKED and not code.endswith("A"):
            log.warning("%s:%s answered %s to message %s", *self._address, code, _control_id(message))
        return code


def _wants_none(message: bytes) -> bool:
    return _header(message, 15) in ("NE", "ER") and _header(message, 16) in ("NE", "ER", "")


def _control_id(message: bytes) -> str:
    """MSH-10; empty where it is missing, as it is then in the answer too."""
    return _header(message, 10)


def _header(message: bytes, n: int) -> str:
    fields = message.split(b"\r", 1)[0].split(message[3:4] or b"|")
    return fields[n - 1].decode(errors="replace").strip() if len(fields) >= n else ""


def _acknowledgement(frame: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2; both empty when the frame has no MSA."""
    for segment in frame.decode(errors="replace").split("\r"):
        fields = segment.split("|")
        if fields[0] == "MSA" and len(fields) > 2:
            return fields[1].strip(), fields[2].strip()
    return "", ""
