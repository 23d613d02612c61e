"""The doors: how an input is knocked with, and what an answer must never look like."""

import re
import socket
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

HUNG_AFTER_S = 30.0  # on a machine that has much else to do; how long the loop was busy is judged apart
_GOODBYES = {0, *range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}  # 0: none given, or cut off
_LINGER_0 = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Door:
    """`complaint` says what is wrong with an answer, '' if nothing is.

    `greeting`: what must be answered before the rest is said; then `tail` makes the server end the connection, whatever
    has begun. Without a greeting the end of what is said does so.
    """

    name: str
    port: int
    complaint: Callable[[bytes], str]
    greeting: bytes = b""
    tail: bytes = b""


def knock(door: Door, pieces: list[bytes]) -> str:
    """Say it, wait for the end of the answer, and judge that. '' if nothing is wrong."""
    try:
        return door.complaint(_conversation(door, pieces))
    except ConnectionRefusedError:
        return "nobody is there"
    except TimeoutError:
        return f"no end of the answer within {HUNG_AFTER_S} s"


def _conversation(door: Door, pieces: list[bytes]) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", door.port), HUNG_AFTER_S)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)  # or ports run out: each would wait a minute
        answer = b""
        with suppress(ConnectionError):  # it may hang up on us: that is an answer
            if door.greeting and pieces[0] == door.greeting:
                line.sendall(door.greeting)
                answer = line.recv(1 << 16)
                line.sendall(b"".join(pieces[1:]) + door.tail)
            else:
                for piece in pieces:
                    line.sendall(piece)
                with suppress(OSError):  # not connected: it has hung up already
                    line.shutdown(socket.SHUT_WR)
        return answer + _read(line)


def _read(line: socket.socket) -> bytes:
    answer = bytearray()
    with suppress(ConnectionError):
        while data := line.recv(1 << 16):
            answer += data
    return bytes(answer)


def no_acknowledgement(answer: bytes) -> str:
    """Each answer over MLLP is an ACK that says what became of the message, and never that our own code failed."""
    for frame in answer.split(b"\x1c\r")[:-1]:
        if b"^207^" in frame or b"|207^" in frame:
            return "our own code failed on it (207)"
        bare = frame.replace(b"\0", b"").replace(b"\xff\xfe", b"", 1)  # of wide letters, the ASCII
        if not re.match(rb"\x0bMSH\|[^\r]*\rMSA\|(AA|AE|AR|CA|CE|CR)\|", bare):
            return f"this is no acknowledgement: {frame[:200]!r}"
    return ""


def no_http(answer: bytes) -> str:
    """Whatever was asked is answered or not answered, but never with a fault of ours."""
    if answer and not re.match(rb"HTTP/1\.[01] [1-5]\d\d ", answer):
        return f"this is no answer: {answer[:200]!r}"
    return "it was answered 500" if re.search(rb"^HTTP/1\.[01] 500 ", answer, re.MULTILINE) else ""


def no_frames(answer: bytes) -> str:
    """Once the line is open the server says whole frames, unmasked, and closes with a code that means something."""
    head, _, said = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        return no_http(answer)
    return wrong_frame(said)


def wrong_frame(said: bytes) -> str:
    while said:
        kind, size, head = said[0], said[1] & 0x7F if len(said) > 1 else 0, 2
        if size > 125:
            head = 4 if size == 126 else 10
            size = int.from_bytes(said[2:head], "big")
        if kind not in (0x81, 0x88, 0x89, 0x8A) or (len(said) > 1 and said[1] & 0x80):
            return f"this is no frame of a server: {said[:60]!r}"
        if kind == 0x88 and int.from_bytes(said[head : head + 2], "big") not in _GOODBYES:
            return f"a goodbye that means nothing: {said[:60]!r}"
        said = said[head + size :]
    return ""
