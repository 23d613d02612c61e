"""What an MLLP listener may be sent: good messages spoilt, messages that nobody would send, frames good and bad."""

from collections.abc import Callable

from tests.fuzz.chance import Chance, weighted
from tests.support.alarms import alarm
from tests.support.readings import reading

START, END = b"\x0b", b"\x1c\x0d"
_LARGEST = 1 << 18  # bytes, of what is repeated; now and then far beyond, up to what the listener takes
_CHARSETS = (b"8859/1", b"UNICODE UTF-8", b"UNICODE UTF-16", b"ASCII", b"BIG-5", b"ISO IR87", b"GB 18030-2000", b"~~")


def knock(chance: Chance) -> bytes:
    """Everything that one connection says."""
    return b"".join(_framed(chance, message(chance)) for _ in range(chance.size(3) if chance.one_in(4) else 1))


def message(chance: Chance) -> bytes:
    """One without its frame."""
    return weighted(chance, _KINDS)(chance)


def _good(chance: Chance) -> bytes:
    """Few alerts, about which much is said: their number must not be what makes anything slow."""
    if chance.one_in(3):
        return reading(bed=f"MED^^MED-{chance.randrange(1, 13):02d}", hr=chance.randrange(20, 250))
    return alarm(
        bed=f"MED^^MED-{chance.randrange(1, 13):02d}",
        alert_id=f"A{chance.randrange(20)}",
        phase=chance.choice(["start", "update", "continue", "end"]),
        priority=chance.choice(["high", "medium", "low", None]),
        value=str(chance.randrange(60, 100)),
    )


def _spoilt(chance: Chance) -> bytes:
    return chance.spoil(_good(chance))


def _spoilt_field(chance: Chance) -> bytes:
    """Only one field, so that all before it is read."""
    rows = [row.split(b"|") for row in _good(chance).split(b"\r")[:-1]]
    for _ in range(chance.size(4)):
        row = chance.choice(rows)
        row[chance.randrange(1, len(row))] = _odd_field(chance)
    return b"".join(b"|".join(row) + b"\r" for row in rows)


def _odd_field(chance: Chance) -> bytes:
    return weighted(
        chance,
        [
            (8, chance.odd_word()),
            (2, chance.choice([b"^", b"~", b"&", b"\\", b"|"]) * chance.size(2_000)),
            (2, b"~".join(chance.odd_word() for _ in range(chance.size(50)))),
            (2, b"\\" + chance.choice([b"X", b".br", b"F", b"H", b"Z", b"C2842"]) + chance.odd_word() + b"\\"),
            (1, b"\\X" + b"e2" * chance.size(500) + b"\\"),
            (
                1,
                chance.choice(
                    [b"99991231235959.9999+1400", b"00010101", b"20260230", b"2026", b"0", b"2026112324+9999"]
                ),
            ),
            (1, chance.choice([b"90-", b"-", b"<", b">1e99", b"1-2-3", b"9" * 13 + b"-1", b"--5--4"])),
        ],
    )


def _endless(chance: Chance) -> bytes:
    """One thing again and again: segments, orders, fields, repetitions, escapes, line ends."""
    most = (1 << 20) + 100 if chance.one_in(25) else _LARGEST if chance.one_in(8) else 20_000
    good = _good(chance)
    what = chance.choice(
        [
            b"OBX|",
            b"OBX|1|ST|196670^MDC_EVT_LO^MDC||x\r",
            b"OBR|1||A\r",
            b"PID|||1\r",
            b"\r",
            b"\n",
            b"|",
            b"~",
            b"^",
            b"&",
            b"\\",
            b"\\E",
            b"\\X41\\",
            b"\\X4",
            b"NTE|1||x\r",
            b"A\r",
            b"MSH|",
            b" ",
            b"\0",
            b"OBX|1|NM|147842^^MDC||72|264864^^MDC|||||F|||2026\r",
            b"\xff",
            good,
        ]
    )
    at = good.find(b"\r", chance.randrange(len(good))) + 1
    return good[:at] + what * (chance.size(most) // len(what) + 1) + good[at:]


def _odd_encoding(chance: Chance) -> bytes:
    good = _good(chance)
    kind = chance.randrange(4)
    if kind == 0:
        marks = bytes(chance.choice(rb"!#$%()*+,-./:;<=>?@[]^_`{}~|&\A" + b"\x80") for _ in range(chance.size(8)))
        return good.replace(b"|^~\\&|", b"|" + marks + b"|", 1)
    if kind == 1:
        return good.replace(b"UNICODE UTF-8", chance.choice(_CHARSETS)).replace(b"Testmann", b"T\xe9st\x80mann")
    if kind == 2:
        return good.decode().encode(chance.choice(["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-7"]))
    return good.replace(b"|", bytes([chance.randrange(256)]))


def _noise(chance: Chance) -> bytes:
    return chance.choice(
        [b"", b"MSH", b"MSH|", b"MSH|^~\\&", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"]
    ) + chance.randbytes(chance.size(4_000))


_KINDS: list[tuple[int, Callable[[Chance], bytes]]] = [
    (10, _good),
    (30, _spoilt),
    (35, _spoilt_field),
    (2, _endless),
    (10, _odd_encoding),
    (8, _noise),
]


def _framed(chance: Chance, message: bytes) -> bytes:
    if chance.one_in(5):
        start = chance.choice([START, b"", START * 2, START * chance.size(300), b"\x0b\x0c", b"stray"])
        end = chance.choice(
            [END, b"", b"\x1c", b"\x0d", b"\x1c\n", END * chance.size(300), b"\x1c\x1c\r", b"\x1c\r\x0b"]
        )
        return start + message + end
    return START + message + END
