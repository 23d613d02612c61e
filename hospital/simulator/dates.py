"""The times in an HL7 message, found and moved; birth dates and everything else stay as they are."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MOVED = {b"MSH": (7,), b"OBR": (7, 8, 14, 22), b"OBX": (14, 19), b"EVN": (2, 6)}
_TIME = re.compile(rb"([0-9]{8}|[0-9]{10}|[0-9]{12}|[0-9]{14})(\.[0-9]{1,4})?([+-][0-9]{4})?")
_FORMS = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def field(message: bytes, name: str, n: int) -> bytes:
    """The first such field, as it is written; empty when there is none."""
    row = next((row for row in message.split(b"\r") if row.startswith(name.encode())), b"").split(message[3:4])
    place = _place(name.encode(), n)
    return row[place] if place < len(row) else b""


def of_message(message: bytes) -> datetime | None:
    """When it was sent (MSH-7), else when it was observed (OBR-7); None: it does not say."""
    return _read(field(message, "MSH", 7)) or _read(field(message, "OBR", 7))


def moved(message: bytes, by: timedelta) -> bytes:
    """Each time later by so much, in the precision and the zone that it was written in."""
    separator = message[3:4]
    rows = [row.split(separator) for row in message.split(b"\r")]
    for row in rows:
        for place in (_place(row[0], n) for n in _MOVED.get(row[0], ())):
            if place < len(row):
                row[place] = _later(row[place], by)
    return b"\r".join(separator.join(row) for row in rows)


def _place(name: bytes, n: int) -> int:
    return n - 1 if name == b"MSH" else n  # MSH-1 is the separator itself


def _read(written: bytes) -> datetime | None:
    """What names no zone is read as UTC: it is moved by as much as the rest."""
    found = _TIME.fullmatch(written)
    if not found:
        return None
    digits, fraction, zone = (part.decode() if part else "" for part in found.groups())
    try:
        at = datetime.strptime(digits, _FORMS[len(digits)]).replace(tzinfo=_zone(zone))
    except ValueError:
        return None
    return at + timedelta(seconds=float(fraction or 0))


def _zone(written: str) -> timezone:
    if not written:
        return UTC
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[3:5]))
    return timezone(-offset if written[0] == "-" else offset)


def _later(written: bytes, by: timedelta) -> bytes:
    at, found = _read(written), _TIME.fullmatch(written)
    if at is None or found is None:
        return written
    digits, fraction, zone = (part.decode() if part else "" for part in found.groups())
    try:
        later = at + by
    except OverflowError:
        return written
    told = later.strftime(_FORMS[len(digits)])
    if fraction:
        told += "." + f"{later.microsecond:06}"[: len(fraction) - 1]
    return f"{told}{zone}".encode()
