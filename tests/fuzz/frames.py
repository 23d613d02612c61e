"""What may come over /live/socket: handshakes good and bad, then frames that lie about what they are."""

import zlib
from collections.abc import Callable

from tests.fuzz.chance import Chance, weighted

# Ends whatever has begun: in a frame it is too much, after one it is a kind of frame that there is not.
TAIL = b"\x8f" * 9_000
_LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
_CODES = [0, 999, 1000, 1001, 1004, 1005, 1006, 1007, 1015, 1016, 2999, 3000, 4401, 4999, 5000, 65_535]
_BOMB = zlib.compress(b"\0" * 1_000_000, 9)[2:-4]


def frame(
    opcode: int, payload: bytes, *, flags: int = 0x80, mask: bytes | None = b"\0\0\0\0", length: int = -1
) -> bytes:
    """`length`: what it says of itself, -1: the truth; `mask` None: none."""
    said = len(payload) if length < 0 else length
    bit = 0x80 if mask is not None else 0
    if said < 126:
        head = bytes([flags | opcode, bit | said])
    elif said < 65_536:
        head = bytes([flags | opcode, bit | 126]) + said.to_bytes(2, "big")
    else:
        head = bytes([flags | opcode, bit | 127]) + said.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def conversation(chance: Chance) -> bytes:
    return b"".join(weighted(chance, _SAYINGS)(chance) for _ in range(chance.size(12)))


def handshake(cookie: str) -> bytes:
    return b"\r\n".join(_lines(cookie)) + b"\r\n\r\n"


def knock(chance: Chance, cookie: str) -> list[bytes]:
    """The handshake, and what is said after it. Good as a rule."""
    return [_spoilt_handshake(chance, cookie) if chance.one_in(6) else handshake(cookie), conversation(chance)]


def _lines(cookie: str) -> list[bytes]:
    lines = [b"GET /live/socket?view=alerts HTTP/1.1", b"Host: test", b"Connection: Upgrade", b"Upgrade: websocket"]
    lines += [b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    return [*lines, b"Cookie: session=" + cookie.encode()]


def _spoilt_handshake(chance: Chance, cookie: str) -> bytes:
    lines = _lines(cookie)
    for _ in range(chance.size(3)):
        at = chance.randrange(len(lines))
        line = lines[at]
        lines[at] = chance.choice(
            [
                chance.spoil(line),
                line + b"\r\n" + line,
                line.upper(),
                line.replace(b":", b"\t:"),
                line + b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                line + b"\r\nSec-WebSocket-Protocol: " + b"a," * chance.size(3_000),
                line.replace(b"?view=alerts", b"?view=board&view=patients&after=" + b"9" * chance.size(5_000)),
                b"Sec-WebSocket-Key: " + chance.odd_word(),
                b"Origin: " + chance.choice([b"null", b"http://[", chance.odd_word()]),
            ]
        )
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _mask(chance: Chance) -> bytes | None:
    return None if chance.one_in(20) else chance.randbytes(4)


def _good(chance: Chance) -> bytes:
    return frame(chance.choice([1, 2, 9, 10]), chance.odd_word()[:120], mask=_mask(chance))


def _lie(chance: Chance) -> bytes:
    """Its length is not the truth, or not written as it must be."""
    length, payload = chance.choice(_LENGTHS), chance.randbytes(chance.size(300))
    if chance.one_in(2):
        return frame(chance.choice([0, 1, 2, 8, 9, 10]), payload, length=length, mask=_mask(chance))
    kind, size = chance.choice([(126, 2), (127, 8)])
    return bytes([0x81, 0x80 | kind]) + len(payload).to_bytes(size, "big") + b"\0\0\0\0" + payload


def _odd_kind(chance: Chance) -> bytes:
    return frame(chance.randrange(16), chance.odd_word(), flags=chance.randrange(16) << 4, mask=_mask(chance))


def _pieces(chance: Chance) -> bytes:
    """A message in pieces, with something else between them, or a control frame that is in pieces itself."""
    text = chance.odd_word() * chance.size(200)
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.size(20)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    frames = [frame(chance.choice([1, 2, 9, 8]) if n == 0 else 0, part, flags=0) for n, part in enumerate(parts)]
    if chance.one_in(2):
        frames.insert(chance.randrange(len(frames) + 1), _good(chance))
    return b"".join(frames) + frame(0, b"", flags=0x80 if chance.one_in(2) else 0)


def _goodbye(chance: Chance) -> bytes:
    code = chance.choice(_CODES).to_bytes(2, "big")
    return frame(8, chance.choice([b"", b"\x03", code, code + chance.odd_word(), code + b"\xff" * 120])[:125])


def _bomb(_chance: Chance) -> bytes:
    return frame(1, _BOMB, flags=0xC0)


def _pings(chance: Chance) -> bytes:
    return frame(9, chance.randbytes(chance.size(125))) * chance.choice([20, 21, 1_000])


def _long(chance: Chance) -> bytes:
    return frame(1, chance.choice([b"x", b"\xff", "é".encode(), b"\0"]) * chance.size(70_000))


def _bad_letters(chance: Chance) -> bytes:
    return frame(
        1, chance.choice([b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\xff"]) * chance.size(20)
    )


def _noise(chance: Chance) -> bytes:
    return chance.choice([b"", b"GET / HTTP/1.1\r\n\r\n"]) + chance.randbytes(chance.size(3_000))


def _spoilt(chance: Chance) -> bytes:
    return chance.spoil(b"".join(_good(chance) for _ in range(3)))


_SAYINGS: list[tuple[int, Callable[[Chance], bytes]]] = [
    (30, _good),
    (15, _lie),
    (10, _odd_kind),
    (15, _pieces),
    (8, _goodbye),
    (2, _bomb),
    (1, _pings),
    (3, _long),
    (6, _bad_letters),
    (6, _noise),
    (10, _spoilt),
]
