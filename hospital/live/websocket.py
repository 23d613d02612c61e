"""A WebSocket, for screens that cannot keep an event stream: the same frames, each block a text message.

Nothing is expected from its reader. What comes is parsed all the same (masks, lengths, UTF-8: by wsproto): pings want
answers, pongs show that somebody is there, and the rest gets an `error` event and is counted. A flood ends the line.
"""

import os
import select
import socket
import time

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from hospital import meters, settings
from hospital.live import frame
from hospital.live.frame import Frame
from hospital.live.hub import RESTART
from hospital.live.line import GONE, SocketLine, borrowed

_READ_BYTES = 4_096  # at once, and no more before the loop has seen to everybody else
_MOST_SAID = 20  # pieces, pings and pongs between two beats
_NOT_HERE = frame.error("Nothing is taken on this line. Send what you want done as an HTTP request.")


class WebSocketLine(SocketLine):
    transport = "websocket"
    events = GONE | select.EPOLLIN
    __slots__ = ("_asked_at", "_heard_at", "_parser", "_said", "_size")

    def opened(self) -> None:
        self._parser = Connection(ConnectionType.SERVER)
        self._heard_at = time.monotonic()
        self._asked_at: float | None = None  # when a ping went out that is still unanswered
        self._said = 0
        self._size = 0  # of the message that has begun

    def hear(self) -> None:
        """There is something to read. Called by the loop itself: it must not wait, and takes a little at a time."""
        try:
            data = os.read(self.fd, _READ_BYTES)
        except OSError:  # nothing after all, or gone: then the loop is told of that, too
            return
        if not self.ended:  # else it had to be read: what is unread when a socket closes resets it, and our goodbye
            self._listen(data)

    def probe(self) -> None:
        """At each beat: is somebody there? Who is being waited for to take bytes is judged by that instead."""
        self._said = 0
        if self.ended or self._rest is not None:
            return
        now = time.monotonic()
        if self._asked_at is None and now - self._heard_at >= settings.current.socket_ping_s:
            self._asked_at = now
            self._interject(self._parser.send(Ping()))
        elif self._asked_at is not None and now - self._asked_at >= settings.current.dead_peer_s:
            self.give_up("silent")

    def close(self, last: Frame | None = None, code: int = RESTART) -> None:
        if last:
            self.send(last)
        if not self.ended:
            self._part(CloseConnection(code=code))

    def _encoded(self, frame: Frame) -> bytes:
        return frame.messages

    def _listen(self, data: bytes) -> None:
        self._heard_at, self._asked_at = time.monotonic(), None
        self._parser.receive_data(data)
        for event in self._parser.events():
            self._answer(event)
            if self.ended:
                return

    def _answer(self, event: Event) -> None:
        self._said += 1
        if isinstance(event, CloseConnection):  # theirs, or the parser's verdict on nonsense
            self._part(event.response())
        elif self._said > _MOST_SAID:
            self.close(code=CloseReason.POLICY_VIOLATION)
        elif isinstance(event, Ping):
            self._interject(self._parser.send(event.response()))
        elif isinstance(event, TextMessage | BytesMessage):
            self._refuse(event)

    def _refuse(self, message: TextMessage | BytesMessage) -> None:
        self._size += len(message.data)
        if self._size > settings.current.socket_message_bytes:
            self.close(code=CloseReason.MESSAGE_TOO_BIG)
        elif message.message_finished:
            self._size = 0
            meters.count("socket_messages_total")
            self.send(_NOT_HERE)

    def _interject(self, control: bytes) -> None:
        """Between two frames. Whoever takes nothing now would not see it either: it is left out."""
        if self._rest is None and (taken := self._write(control)) and taken < len(control):
            self._finish_later(memoryview(control)[taken:])

    def _part(self, goodbye: CloseConnection) -> None:
        """Say goodbye and let the peer close. In the middle of a frame there is no place for it."""
        if self._rest is not None:
            super().close()
            return
        self._write(self._parser.send(goodbye))
        if not self.ended:
            self.ended = True
            with borrowed(self.fd) as ours:
                ours.shutdown(socket.SHUT_WR)
            self._outlet.part(self)
