"""HL7 v2 as it is really sent: a tolerant reader of any message."""

import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

# HL7 table 0211. What is called UNICODE here comes in single bytes: the wide forms are known by their first bytes.
CHARSETS = {f"8859/{n}": f"iso8859-{n}" for n in range(1, 16) if n != 12} | {
    "ASCII": "ascii", "US-ASCII": "ascii", "IR6": "ascii", "UTF-8": "utf-8", "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8", "UNICODE UTF-16": "utf-8", "UNICODE UTF-32": "utf-8",
    "GB 18030-2000": "gb18030", "BIG-5": "big5", "KS X 1001": "euc_kr",
}  # fmt: skip
WIDE = {
    b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"M\0\0\0": "utf-32-le", b"\0\0\0M": "utf-32-be",
    b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"M\0": "utf-16-le", b"\0M": "utf-16-be",
}  # fmt: skip

# Whoever knocks can send a message whose parts take minutes to go through. Nothing that is meant has so many.
MOST_SEGMENTS, MOST_ORDERS = 2_000, 50
_MOST_FIELDS, _MOST_REPETITIONS = 100, 50  # what comes behind them is not read
_MOST_MARKS = 10  # the five characters of MSH-2, each written twice
_LONGEST_FIELD = 10_000  # characters of one that is read

_STRAY = b" \t\r\n\x0b\xef\xbb\xbf"  # blanks, the start of an MLLP frame, the UTF-8 byte order mark
# And what turns the direction of what stands beside it: a name must not be able to turn "84 < 90" round.
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
CONTROLS = {n: None for n in (*range(32), *range(127, 160), *_TURNING) if chr(n) not in "\n\t"}
_VERSION = re.compile(r"2\.[1-9](\.[0-9]{1,2})?")
_TIME = re.compile(  # what follows is only there with what comes before it
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]+))?)?)?)?)?)?"
    r"(?:([+-])([01][0-9]|2[0-3])([0-5][0-9]))?"
)


class Refused(Exception):
    """A message that is not taken. `code`: AE or AR; `hl7_error`: HL7 table 0357; `location`: as ERR-2, or ''.

    `reason` may be shown and sent: it never holds what the message said. `header`: what could still be read of a
    message that could not be parsed, so that the answer can name it.
    """

    def __init__(self, code: str, hl7_error: str, location: str, reason: str, header: "Message | None" = None) -> None:
        super().__init__(reason)
        self.code = code
        self.hl7_error = hl7_error
        self.location = location
        self.reason = reason
        self.header = header


@dataclass(frozen=True)
class Encoding:
    """How one message is written: its separators, and the Python name of its character set."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str
    charset: str

    def decode(self, raw: str) -> str:
        """The text meant: escapes read, an HL7 null ("") as empty, no control characters but newline and tab."""
        raw = raw[:_LONGEST_FIELD]
        if raw.strip() == '""':
            return ""
        if self.escape not in raw and raw.isprintable():
            return raw.strip()  # nearly all there is, in a quarter of the time
        mark = re.escape(self.escape)
        text = re.sub(rf"{mark}(\.br|[FSTREP]|X(?:[0-9A-Fa-f]{{2}})+){mark}", self._unescape, raw)
        return text.translate(CONTROLS).strip()

    def _unescape(self, found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("X"):
            try:
                return bytes.fromhex(name[1:]).decode(self.charset)
            except UnicodeDecodeError:
                return found[0]
        meant = {"F": self.field, "S": self.component, "R": self.repetition, "E": self.escape, "T": self.subcomponent}
        return (meant | {".br": "\n", "P": self.truncation}).get(name) or found[0]


@dataclass(frozen=True)
class Segment:
    """One segment. Numbers count from 1 as in HL7, in MSH too; what is absent reads ''."""

    name: str
    raw: tuple[str, ...]
    encoding: Encoding

    def field(self, n: int) -> str:
        """The whole field as one text, separators within it included."""
        return self.encoding.decode(self._raw(n))

    def component(self, n: int, component: int, rep: int = 1, sub: int = 1) -> str:
        repetition = _part(self._raw(n), self.encoding.repetition, rep)
        whole = _part(repetition, self.encoding.component, component)
        return self.encoding.decode(_part(whole, self.encoding.subcomponent, sub))

    def repetitions(self, n: int) -> int:
        """How many there are to be read."""
        raw = self._raw(n)
        return min(raw.count(self.encoding.repetition) + 1, _MOST_REPETITIONS) if raw else 0

    def _raw(self, n: int) -> str:
        return self.raw[n] if n < len(self.raw) else ""


def _part(text: str, separator: str, n: int) -> str:
    parts = text.split(separator, n)
    return parts[n - 1] if n <= len(parts) else ""


@dataclass(frozen=True)
class Message:
    """A message that could be split; `check` says whether we take it."""

    segments: tuple[Segment, ...]
    encoding: Encoding

    def all(self, name: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.name == name]

    def segment(self, name: str) -> Segment:
        """The first of that name; an empty one when there is none."""
        return next(iter(self.all(name)), Segment(name, (name,), self.encoding))

    def header(self, n: int) -> str:
        return self.segments[0].component(n, 1)

    @property
    def type(self) -> str:
        return self.header(9)

    @property
    def event(self) -> str:
        """MSH-9.2, else what the structure (MSH-9.3) names; an ORU that names none is an R01."""
        structure = self.segments[0].component(9, 3).partition("_")[2]
        return self.segments[0].component(9, 2) or structure or ("R01" if self.type == "ORU" else "")

    @property
    def control_id(self) -> str:
        return self.header(10)

    @property
    def processing_id(self) -> str:
        return self.header(11).upper()

    @property
    def version(self) -> str:
        return self.header(12)

    @property
    def application(self) -> str:
        return self.header(3)

    @property
    def facility(self) -> str:
        return self.header(4)

    @property
    def is_acknowledgement(self) -> bool:
        """An answer to something we sent: it is never answered itself."""
        return self.type in ("ACK", "ORA")

    def sent_at(self, zone: tzinfo) -> datetime | None:
        return read_time(self.header(7), zone)


def parse(raw: bytes) -> Message:
    """Split one unframed message. Raises Refused, nothing else."""
    wide = next((codec for start, codec in WIDE.items() if raw.startswith(start)), None)
    if wide:
        return _split(*_decode(raw, (wide,), None))
    raw = raw.lstrip(_STRAY)
    header = _split(re.split(rb"[\r\n]", raw, maxsplit=1)[0].decode("iso8859-1"), "iso8859-1")
    return _split(*_decode(raw, _charsets(header), header))


def _charsets(header: Message) -> tuple[str, ...]:
    """What to try, in order: MSH-18, first repetition."""
    declared = header.header(18).upper()
    if not declared:
        return ("utf-8", "iso8859-1")
    charset = CHARSETS.get(re.sub(r"^ISO[ _-]?", "", declared).replace("8859-", "8859/"))
    if charset is None:
        raise Refused("AE", "103", "MSH^1^18", "The character set named in MSH-18 is not known.", header)
    return (charset, "utf-8") if charset == "ascii" else (charset,)


def _decode(raw: bytes, charsets: tuple[str, ...], header: Message | None) -> tuple[str, str]:
    for charset in charsets:
        try:
            return raw.decode(charset), charset
        except UnicodeDecodeError:
            continue
    raise Refused("AE", "102", "MSH^1^18", "The bytes do not fit the character set (MSH-18).", header)


def _split(text: str, charset: str) -> Message:
    pieces = re.split(r"[\r\n]+", text, maxsplit=MOST_SEGMENTS)
    lines = [line.lstrip() for line in pieces if line.strip()]
    if not lines or not re.match(rf"MSH[{re.escape(string.punctuation)}]", lines[0]):
        raise Refused("AR", "100", "MSH", "The message does not begin with an MSH segment.")
    encoding = _encoding(lines[0], charset)
    if len(pieces) > MOST_SEGMENTS:
        header = Message((_segment(lines[0], encoding),), encoding)
        raise Refused("AE", "100", "", f"There are more than {MOST_SEGMENTS} segments: send several messages.", header)
    segments = tuple(_segment(line, encoding) for line in lines)
    if [segment.name for segment in segments].count("MSH") > 1:  # reading on would mix two patients
        header = Message(segments[:1], encoding)
        raise Refused("AE", "100", "MSH^2", "There is more than one MSH segment: send one message at a time.", header)
    return Message(segments, encoding)


def _encoding(line: str, charset: str) -> Encoding:
    sent = line.split(line[3], 2)[1][: _MOST_MARKS + 1]
    marks = list(dict.fromkeys(sent))  # `^~\\&` is `^~\&`, written by someone who escaped it twice
    if len(sent) > _MOST_MARKS or len(marks) not in (4, 5) or not set(marks) <= set(string.punctuation):
        raise Refused("AE", "102", "MSH^1^2", "MSH-2 must hold the four encoding characters, or five with truncation.")
    component, repetition, escape, subcomponent, *truncation = marks
    return Encoding(line[3], component, repetition, escape, subcomponent, "".join(truncation), charset)


def _segment(line: str, encoding: Encoding) -> Segment:
    fields = line.split(encoding.field, _MOST_FIELDS)[:_MOST_FIELDS]
    name = fields[0]
    if name == "MSH":  # MSH-1 is the separator itself
        fields.insert(1, encoding.field)
    return Segment(name, tuple(fields), encoding)


def check(message: Message) -> None:
    """Raise Refused for what we do not take: anything but ORU^R40 and ORU^R01, of HL7 2.1 to 2.9, with an MSH-10."""
    if message.type != "ORU":
        raise Refused("AR", "200", "MSH^1^9", "Only ORU messages are taken (MSH-9).")
    if message.event not in ("R40", "R01"):
        raise Refused("AR", "201", "MSH^1^9", "Only the events R40 (alarm) and R01 (observation) are taken (MSH-9).")
    if not message.version:
        raise Refused("AE", "101", "MSH^1^12", "The version is missing (MSH-12).")
    if not _VERSION.fullmatch(message.version):
        raise Refused("AR", "203", "MSH^1^12", "Only HL7 versions 2.1 to 2.9 are taken (MSH-12).")
    if not message.control_id:
        raise Refused("AE", "101", "MSH^1^10", "The message control id is missing (MSH-10).")


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """An HL7 timestamp of any precision, in UTC; `zone` holds where it names none. None: absent or unreadable."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    if sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        zone = timezone(-offset if sign == "-" else offset)
    try:
        local = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
                         int(f"{fraction or 0:0<6}"[:6]), zone)  # fmt: skip
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
