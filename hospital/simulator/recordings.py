"""Opens a file that is to be played again, and reads the HL7 messages in it; `columns` reads the other kind."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hospital.simulator import dates
from hospital.simulator.columns import FIRST_LINE, read_columns
from hospital.simulator.patients import unit_of
from hospital.simulator.recording import Item, Recording, Render


class Unreadable(Exception):
    """A file is neither HL7 nor columns; the text names it."""


def open_recording(path: Path, bed: str | None, next_bed: str) -> Recording:
    """`bed`: where it plays, whatever it says itself; None: messages stay where they are, columns lie in `next_bed`.

    Raises Unreadable.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if raw.lstrip(b"\xef\xbb\xbf\x0b\r\n \t").startswith(b"MSH"):
        return read_messages(raw, bed)
    if raw.startswith(FIRST_LINE.encode()):
        return read_columns(raw.decode(errors="replace"), bed or next_bed)
    raise Unreadable(f"{path}: neither HL7 messages (MSH …) nor columns ({FIRST_LINE})")


def read_messages(raw: bytes, bed: str | None) -> Recording:
    """In the order of the file; a message that is older than the one before follows it at once."""
    recording = Recording([], None)
    first: datetime | None = None
    at_s = 0.0
    for one in split(raw):
        if dates.field(one, "MSH", 9).startswith(b"ACK"):
            recording.skipped["acknowledgements"] += 1  # nobody answers them
            continue
        when = dates.of_message(one)
        first = first or when
        if when and first:
            at_s = max(at_s, (when - first).total_seconds())
            recording.last = max(recording.last or when, when)
        recording.items.append(Item(at_s, _renderer(one, bed)))
    return recording


def split(raw: bytes) -> Iterator[bytes]:
    """The messages of a file, framed or not, with whatever line ends; each segment ends in CR."""
    lines = [line.strip(b"\x0b\x1c \t") for line in re.split(rb"[\r\n]+", raw.removeprefix(b"\xef\xbb\xbf"))]
    for block in re.split(rb"(?m)^(?=MSH)", b"\n".join(line for line in lines if line)):
        if block.startswith(b"MSH"):
            yield b"".join(line + b"\r" for line in block.split(b"\n") if line)


def _renderer(one: bytes, bed: str | None) -> Render:
    return lambda by, _: dates.moved(_laid(one, bed) if bed else one, by)


def _laid(one: bytes, bed: str) -> bytes:
    """In another bed: PV1-3; a message without PV1 gets one before its order."""
    separator, component = one[3:4], one[4:5]
    place = component.join((unit_of(bed).encode(), b"", bed.encode()))
    rows = [row.split(separator) for row in one.split(b"\r")]
    names = [row[0] for row in rows]
    if b"PV1" not in names:
        order = next((n for n, name in enumerate(names) if name in (b"ORC", b"OBR")), len(rows) - 1)
        rows.insert(order, [b"PV1", b"", b"I", place])
    else:
        visit = rows[names.index(b"PV1")]
        visit += [b""] * (4 - len(visit))
        visit[3] = place
    return b"\r".join(separator.join(row) for row in rows)
