"""The acknowledgement that answers a message: which one is due, and how it is written."""

from datetime import UTC, datetime
from uuid import uuid4

from hospital.intake.hl7 import CHARSETS, CONTROLS, WIDE, Message, Refused, Segment

_CHARSET_NAMES = {codec: name for name, codec in CHARSETS.items() if codec not in ("ascii", "utf-8")}
_CHARSET_NAMES |= {"ascii": "ASCII", "utf-8": "UNICODE UTF-8"}
_CHARSET_NAMES |= {codec: f"UNICODE {codec[:6].upper()}" for codec in WIDE.values()}
_ERRORS = {  # HL7 table 0357
    "100": "Segment sequence error", "101": "Required field missing", "102": "Data type error",
    "103": "Table value not found", "200": "Unsupported message type", "201": "Unsupported event code",
    "202": "Unsupported processing id", "203": "Unsupported version id", "204": "Unknown key identifier",
    "205": "Duplicate key identifier", "206": "Application record locked", "207": "Application internal error",
}  # fmt: skip
_ESCAPED = {"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\", "\n": "\\.br\\", "\t": " "}


def acceptance(message: Message) -> str | None:
    """What says that it was taken: CA or AA by MSH-15 and MSH-16; None: the sender wants no answer to a success."""
    if message.header(15) in ("AL", "SU"):
        return "CA"
    if message.header(15) in ("NE", "ER"):
        return "AA" if message.header(16) in ("AL", "SU") else None
    return "AA"


def answer(message: Message | None, code: str, *, at: datetime, refused: Refused | None = None) -> bytes:
    """The acknowledgement, unframed, in the character set of the message. `at` has a zone. None: nothing was read."""
    message = message or (refused.header if refused else None)
    charset = message.encoding.charset if message else "utf-8"
    segments = [_answer_header(message, charset, at), f"MSA|{code}|{_escape(message.control_id) if message else ''}"]
    if refused:
        error = f"{refused.hl7_error}^{_ERRORS.get(refused.hl7_error, '')}^HL70357"
        reason = _escape(refused.reason)
        segments.append(f"ERR||{refused.location}|{error}|E|||{reason}|{reason}")
    return "".join(f"{segment}\r" for segment in segments).encode(charset, "replace")


def _answer_header(message: Message | None, charset: str, at: datetime) -> str:
    parties = [_party(message.segments[0], n) if message else "" for n in (5, 6, 3, 4)]
    event = _escape(message.event) if message else ""
    processing_id = _escape(message.processing_id) if message else ""
    version = _escape(message.version) if message else ""
    fields = ["MSH", "^~\\&", *parties, at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"), ""]
    fields += [f"ACK^{event}^ACK" if event else "ACK", uuid4().hex[:20], processing_id or "P", version or "2.6"]
    return "|".join([*fields, "", "", "", "", "", _CHARSET_NAMES[charset]])


def _party(header: Segment, n: int) -> str:
    return "^".join(_escape(header.component(n, component)) for component in (1, 2, 3)).rstrip("^")


def _escape(text: str) -> str:
    return "".join(_ESCAPED.get(char, char) for char in text.translate(CONTROLS))
