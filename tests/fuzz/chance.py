"""Chance that can be had again: a seed and a number make an input, and what every door is fed spoils it alike."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

NUMBERS = ["0", "-1", "00", "2147483648", "4294967296", str(2**63 - 1), str(2**63), str(2**64), "-" + str(2**63)]
NUMBERS += ["1e309", "-1e309", "1e-400", "NaN", "Infinity", "0x7f", "1_000", "٣", "9" * 400, "0." + "3" * 300, "1E9999"]
WORDS = ["\0", "\x1b[2J\x1b]0;x\x07", "\u202e\u2066", "\u2028\x85\x0b", "<script>alert(1)</script>", "\"'><img src=x>"]
WORDS += ["=cmd|'/C calc'!A0", "%s%n%x", "{{7*7}}", "${jndi:x}", "../../../../etc/passwd", "' OR 1=1 --", "\ufeff"]
WORDS += ["\U0001f600" * 3, "e" + "\u0301" * 200, "A" * 300, "A" * 5_000, "\r\n\r\n", "\t \t"]
BYTES = [b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x80", b"\x80", b"\xff\xfe", b"\0", b"\x0b", b"\x1c"]
BYTES += [b"\x1c\r", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"%00", b"\x7f", b"\x1a", b"\\", b'"']


class Chance(Random):
    """One input's own: the same seed, door and number give the same again, whatever was made before."""

    def __init__(self, seed: int, door: str, number: int) -> None:
        super().__init__(f"{seed}/{door}/{number}")

    def one_in(self, n: int) -> bool:
        return self.random() * n < 1

    def size(self, most: int) -> int:
        """Small as a rule, `most` now and then: each power of two is as likely as the next."""
        return min(most, int(2 ** (self.random() * most.bit_length())))

    def odd_word(self) -> bytes:
        kind = self.randrange(4)
        if kind == 0:
            return self.choice(NUMBERS).encode()
        if kind == 1:
            return self.choice(WORDS).encode()
        return self.choice(BYTES) * self.size(3) if kind == 2 else self.randbytes(self.size(40))

    def spoil(self, data: bytes, times: int | None = None) -> bytes:
        """Something in it is changed, doubled, lost, moved or put in between, once or a few times."""
        for _ in range(times or self.size(6)):
            data = self.choice(SPOILERS)(self, data)
        return data

    def span(self, data: bytes) -> tuple[int, int]:
        start = self.randrange(len(data) + 1)
        return start, min(len(data), start + self.size(64))

    def pieces(self, data: bytes) -> list[bytes]:
        """As a network may deliver it."""
        cuts = sorted(self.randrange(len(data) + 1) for _ in range(self.size(4)))
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def weighted(chance: Chance, choices: Sequence[tuple[int, T]]) -> T:
    return chance.choices([one for _, one in choices], [weight for weight, _ in choices])[0]


def _flip(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([(data[at : at + 1] or b"\0")[0] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _put_in(chance: Chance, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.odd_word() + data[at:]


def _replace(chance: Chance, data: bytes) -> bytes:
    start, end = chance.span(data)
    return data[:start] + chance.odd_word() + data[end:]


def _lose(chance: Chance, data: bytes) -> bytes:
    start, end = chance.span(data)
    return data[:start] + data[end:]


def _double(chance: Chance, data: bytes) -> bytes:
    start, end = chance.span(data)
    return data[:start] + data[start:end] * chance.size(50) + data[end:]


def _move(chance: Chance, data: bytes) -> bytes:
    start, end = chance.span(data)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _cut_off(chance: Chance, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


SPOILERS: list[Callable[[Chance, bytes], bytes]] = [_flip, _put_in, _put_in, _replace, _replace, _lose, _double, _move]
SPOILERS += [_cut_off]
