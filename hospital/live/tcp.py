"""What the system knows of a TCP connection, whoever has not looked at it yet."""

import socket
import struct
from typing import Any

_INFO = struct.Struct("=B 51x I")  # its state, and how many ms ago its last bytes came
_ESTABLISHED = 1


def is_up(of: Any) -> bool:
    """Its peer has not gone, and has not said that it will."""
    return _info(of)[0] == _ESTABLISHED


def silent_ms(of: Any) -> int:
    """How long ago its last bytes came, however long they lay before anybody read them."""
    return _info(of)[1]


def _info(of: Any) -> tuple[int, int]:
    if of.family not in (socket.AF_INET, socket.AF_INET6):
        return _ESTABLISHED, 0
    state, since_ms = _INFO.unpack(of.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    return state, since_ms
