"""The same inputs without a network between: what reads them is called in this process, ten times as many in the time.

Judged for each: nothing but the refusals that are promised is raised, and it takes less than a tenth of a second of
this thread's processor, at its best of three (a collection of garbage is no input's fault).
"""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from hospital import clock
from hospital.intake import fhir, reports
from hospital.intake.answering import answer
from hospital.intake.fhir_entries import Invalid
from hospital.intake.hl7 import Message, Refused, check, parse
from hospital.intake.mllp import TooLarge, unframe
from hospital.intake.pcd01 import read_observations
from hospital.intake.pcd04 import orders, read_alarm, read_place, read_subject
from hospital.intake.reports import NotTaken
from hospital.live import frame
from hospital.live.hub import VIEWS, Audience, Hub, Watch
from hospital.live.outlet import Outlet
from hospital.live.websocket import WebSocketLine
from hospital.roles import Role
from tests.fuzz.besieging import LONGEST_TURN_S, Input, keep
from tests.fuzz.doors import wrong_frame

Read = Callable[[list[bytes]], str]


def drill(door: str, inputs: Iterator[Input], read: Read) -> list[str]:
    """What went wrong, with the inputs that did it."""
    found = []
    for one in inputs:
        wrong, took = _attempt(read, one)
        if took > LONGEST_TURN_S and not wrong:
            took = min(took, *(_attempt(read, one)[1] for _ in range(2)))
        if wrong or took > LONGEST_TURN_S:
            found.append(f"{one.name}, kept as {keep(door, one)}: {wrong or f'{took:.2f} s of the processor'}")
    return found


def _attempt(read: Read, one: Input) -> tuple[str, float]:
    began = time.thread_time()
    try:
        wrong = read(one.pieces)
    except Exception as error:  # whatever it is, it is the finding
        wrong = repr(error)[:300]
    return wrong, time.thread_time() - began


def messages(pieces: list[bytes]) -> str:
    """As the MLLP listener reads them, but for the database."""
    buffer = bytearray()
    try:
        for piece in pieces:
            buffer += piece
            for message in unframe(buffer):
                _read_message(message)
    except TooLarge:
        pass
    return ""


def bodies(pieces: list[bytes]) -> str:
    """As the doors for JSON and FHIR read them, but for the database."""
    body = b"".join(pieces)
    try:
        fhir.read(body)
    except Invalid as invalid:
        assert invalid.status in (400, 422)
    try:
        reports.read(body)
    except NotTaken as refused:
        assert refused.status in (400, 422)
    return ""


class Frames:
    """A line that is open already; what it says is judged, too."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.outlet = Outlet(self.hub, lambda _hospital_id: frame.resync("e-1", "slow"))
        now = clock.now()
        everyone = Audience(1, frozenset({1}), True, "en", VIEWS)
        self._watch = Watch(everyone, 1, 1, Role.NURSE, now, now, now + timedelta(hours=1))

    def __call__(self, pieces: list[bytes]) -> str:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            line = self.outlet.adopt(ours, self._watch, WebSocketLine)
            self.hub.join(line)
            theirs.setblocking(False)
            said = bytearray()
            for piece in pieces:
                for start in range(0, len(piece), 60_000):
                    theirs.send(piece[start : start + 60_000])
                    self._hear(line, theirs, said)
            self.outlet.forget(line)
        return wrong_frame(bytes(said))

    def _hear(self, line: WebSocketLine, theirs: socket.socket, said: bytearray) -> None:
        waiting = True
        while waiting:
            with socket.socket(fileno=line.fd) as ours:
                waiting = _peeks(ours)
                ours.detach()
            if waiting:
                line.hear()
        while _peeks(theirs):
            said += theirs.recv(1 << 16)


def _peeks(line: socket.socket) -> bool:
    try:
        return bool(line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def _read_message(raw: bytes) -> None:
    message = None
    try:
        message = parse(raw)
        check(message)
        _understand(message)
        answer(message, "AA", at=datetime.now(UTC))
    except Refused as refused:
        answer(message, refused.code, at=datetime.now(UTC), refused=refused)


def _understand(message: Message) -> None:
    read_subject(message)
    read_place(message)
    if message.event == "R01":
        read_observations(message, UTC)
    else:
        for order in orders(message):
            read_alarm(order, UTC)
