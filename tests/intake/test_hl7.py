"""HL7 v2 is read as it is really sent, refused with a reason, and answered so that any sender can read it."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.intake.answering import acceptance, answer
from hospital.intake.hl7 import Message, Refused, check, parse, read_time

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=BERLIN)
MSH = r"MSH|^~\&|GATE^00A0^EUI-64|NORTH|ALERTS^0009^EUI-64|SOUTH|20260301120000||ORU^R40^ORU_R40|42|P|2.6"
SHARED = Path(__file__).parents[3] / "shared/data/hl7v2"


def read(*lines: str, charset: str = "utf-8") -> Message:
    return parse("\r".join(lines).encode(charset))


def with_header(n: int, text: str) -> str:
    """The MSH of these tests with another field n."""
    fields = MSH.split("|") + [""] * 10
    fields[n - 1] = text
    return "|".join(fields)


def refusal(raw: bytes) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        check(parse(raw))
    assert refused.value.reason.endswith(".")
    return refused.value.code, refused.value.hl7_error, refused.value.location


# Splitting


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n", "\r \n\n"])
def test_segments_may_end_in_any_way(end: str) -> None:
    message = parse(end.join([MSH, "PID|||77", "PV1||I|MED^3^1", ""]).encode())
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "PV1"]
    assert message.segment("PID").field(3) == "77"
    assert message.segment("PV1").component(3, 3) == "1"


@pytest.mark.parametrize("stray", [b" ", b"\r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n ", b"\x0b"])
def test_what_stands_before_the_header_is_passed_over(stray: bytes) -> None:
    assert parse(stray + MSH.encode() + b"\r  PID|||77").segment("PID").field(3) == "77"


def test_the_header_says_who_and_what() -> None:
    message = read(MSH)
    assert (message.type, message.event, message.control_id) == ("ORU", "R40", "42")
    assert (message.version, message.processing_id) == ("2.6", "P")
    assert (message.application, message.facility) == ("GATE", "NORTH")
    assert message.sent_at(BERLIN) == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_the_header_counts_its_separator_as_its_first_field() -> None:
    header = read(MSH).segment("MSH")
    assert header.field(1) == "|"
    assert header.field(3) == "GATE^00A0^EUI-64"
    assert (header.component(3, 2), header.component(3, 3), header.component(3, 4)) == ("00A0", "EUI-64", "")


def test_a_small_processing_id_is_meant_as_a_capital() -> None:
    assert read(with_header(11, "p^T")).processing_id == "P"


def test_parts_are_counted_from_one() -> None:
    segment = read(MSH, "PID|a|b1^b2~c1^c2a&c2b|last").segment("PID")
    assert segment.field(2) == "b1^b2~c1^c2a&c2b"
    assert [segment.component(2, 1), segment.component(2, 2)] == ["b1", "b2"]
    assert [segment.component(2, 1, rep=2), segment.component(2, 2, rep=2)] == ["c1", "c2a"]
    assert segment.component(2, 2, rep=2, sub=2) == "c2b"
    assert [segment.repetitions(n) for n in (1, 2, 9)] == [1, 2, 0]
    assert segment.field(3) == "last"


def test_what_is_absent_reads_empty() -> None:
    message = read(MSH, "PID|a")
    pid = message.segment("PID")
    assert [pid.field(2), pid.component(1, 2), pid.component(1, 1, rep=2), pid.component(1, 1, sub=2)] == [""] * 4
    assert message.segment("PV1").field(3) == ""
    assert message.all("PV1") == []


def test_the_first_of_several_segments_is_found_and_all_are_kept() -> None:
    message = read(MSH, "OBX|1", "NTE|1", "OBX|2")
    assert message.segment("OBX").field(1) == "1"
    assert [segment.field(1) for segment in message.all("OBX")] == ["1", "2"]


def test_a_null_reads_empty() -> None:
    pid = read(MSH, 'PID|""|Hon^""^x| "" ').segment("PID")
    assert [pid.field(1), pid.component(2, 2), pid.component(2, 3), pid.field(3)] == ["", "", "x", ""]


# Separators and escapes


@pytest.mark.parametrize("marks", ["^~\\&", "^~\\\\&", "^~\\&#", "^~\\\\&#", "^^~\\&"])
def test_encoding_characters_are_read_in_each_usual_spelling(marks: str) -> None:
    segment = read(with_header(2, marks), "PID|a^b&c~d\\T\\e").segment("PID")
    assert [segment.component(1, 2), segment.component(1, 2, sub=2), segment.component(1, 1, rep=2)] == [
        "b",
        "c",
        "d&e",
    ]


def test_other_separators_are_obeyed() -> None:
    segment = read("MSH$*%!/$GATE", "PID$a*b/c%d!F!!S!!R!!T!!E!|^").segment("PID")
    assert [segment.component(1, 2, sub=2), segment.component(1, 1, rep=2)] == ["c", "d$*%/!|^"]


@pytest.mark.parametrize("marks", ["", "^~\\", "^~\\&#%", "^~\\&amp;", "^~\\ ", "^~\\é"])
def test_a_message_without_its_encoding_characters_is_refused(marks: str) -> None:
    assert refusal(with_header(2, marks).encode()) == ("AE", "102", "MSH^1^2")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\F\\S\\T\\R\\E\ ", "|^&~\\"),
        (r"a\.br\b", "a\nb"),
        (r"\X41\ \X4142\ \XC3A9\ \Xc3a9\ ", "A AB é é"),
        (r"\X4\ \XZZ\ \X\ \XFF\ ", r"\X4\ \XZZ\ \X\ \XFF" + "\\"),
        (r"\H\bold\N\ \.sp2\ \Z1\ ", r"\H\bold\N\ \.sp2\ \Z1" + "\\"),
        (r"C:\temp\E\x", r"C:\temp" + "\\x"),
        (r"\P\ ", r"\P" + "\\"),
        (r"\E\F\E\ ", "\\F\\"),
        ("a\x00\x07\tb\x1b\x7f\x9fc", "a\tbc"),
        (r"a\X0D0A\b\X0B\c", "a\nbc"),
    ],
)
def test_escapes_are_read_and_unknown_ones_left(written: str, meant: str) -> None:
    assert read(MSH, f"NTE|1||{written}").segment("NTE").field(3) == meant


def test_the_truncation_character_has_an_escape_where_there_is_one() -> None:
    assert read(with_header(2, "^~\\&#"), r"NTE|a\P\b").segment("NTE").field(1) == "a#b"


# Character sets


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"), ("", "iso8859-1"), ("US-ASCII", "utf-8"), ("ISO IR6", "utf-8"), ("UNICODE UTF-32", "utf-8"),
         ("ASCII", "utf-8"), ("8859/1", "iso8859-1"), ("8859/15", "iso8859-15"),
        ("ISO 8859-1", "iso8859-1"), ("iso-8859-15", "iso8859-15"), ("UTF-8", "utf-8"), ("UNICODE UTF-8", "utf-8"),
        ("UNICODE", "utf-8"), ("UNICODE UTF-16", "utf-8"), ("UNICODE UTF-8~8859/1", "utf-8"),
        ("UNICODE UTF-16", "utf-16"), ("UNICODE UTF-16", "utf-16-le"), ("UNICODE", "utf-16-be"), ("8859/1", "utf-16"),
        ("UNICODE UTF-32", "utf-32"), ("UNICODE UTF-32", "utf-32-le"), ("UNICODE UTF-32", "utf-32-be"),
    ],
)  # fmt: skip
def test_text_is_read_in_the_character_set_of_the_message(declared: str, codec: str) -> None:
    message = read(with_header(18, declared), "PID|||7||Müßig^Zoé", charset=codec)
    assert message.segment("PID").component(5, 1) == "Müßig"
    assert message.segment("PID").component(5, 2) == "Zoé"


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [("8859/7", "iso8859-7", "Ωμέγα"), ("8859/5", "iso8859-5", "Ж"), ("8859/15", "iso8859-15", "€"),
     ("BIG-5", "big5", "許功蓋"), ("GB 18030-2000", "gb18030", "汉"), ("KS X 1001", "euc_kr", "한")],
)  # fmt: skip
def test_names_of_the_world_are_read_and_answered(declared: str, codec: str, text: str) -> None:
    message = read(with_header(18, declared).replace("|42|", f"|{text}|"), f"NTE|{text}", charset=codec)
    assert message.segment("NTE").field(1) == text
    answered = answer(message, "AA", at=NOON).decode(codec)
    assert f"MSA|AA|{text}\r" in answered
    assert answered.split("\r")[0].split("|")[17] == declared


@pytest.mark.parametrize("declared", ["EBCDIC", "8859/12", "8859/16", "8859/99", "UTF-7", "ISO IR87"])
def test_an_unknown_character_set_is_refused(declared: str) -> None:
    assert refusal(with_header(18, declared).encode()) == ("AE", "103", "MSH^1^18")


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("ASCII", b"\xff"),
        ("UNICODE UTF-8", b"\xe9"),
        ("UNICODE", b"\xe9"),
        ("8859/7", b"\xff"),
        ("8859/3", b"\xa5"),
        ("8859/7", b"\xd2\xae"),
    ],
)
def test_bytes_that_do_not_fit_the_character_set_are_refused(declared: str, text: bytes) -> None:
    assert refusal(with_header(18, declared).encode() + b"\rNTE|" + text) == ("AE", "102", "MSH^1^18")
    assert refusal(MSH.encode("utf-16-le") + b"M") == ("AE", "102", "MSH^1^18")


# What is refused


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n ", b"hello", b"PID|||77", b"MSH", b"MSHA^~\\&A", b"MSH ^~\\&", b"msh|^~\\&|", b"FHS|^~\\&|x"]
)
def test_what_does_not_begin_with_a_header_is_rejected(raw: bytes) -> None:
    assert refusal(raw) == ("AR", "100", "MSH")


def test_two_messages_in_one_frame_are_refused_before_their_patients_mix() -> None:
    raw = "\r".join([MSH, "PID|||1", MSH.replace("|42|", "|43|"), "PID|||2"]).encode()
    with pytest.raises(Refused) as refused:
        parse(raw)
    assert (refused.value.code, refused.value.hl7_error, refused.value.location) == ("AE", "100", "MSH^2")
    assert b"MSA|AE|42\r" in answer(None, "AE", at=NOON, refused=refused.value)


@pytest.mark.parametrize("kind", ["ADT^A01", "ORM^O01", "", "^R40", "ACK^R40", "ORA^R41", "oru^R40"])
def test_a_type_other_than_an_observation_is_rejected(kind: str) -> None:
    assert refusal(with_header(9, kind).encode()) == ("AR", "200", "MSH^1^9")


@pytest.mark.parametrize("kind", ["ORU^R30", "ORU^R41", "ORU^R42", "ORU^A01", "ORU^^ORU_R30"])
def test_an_event_other_than_alarm_or_observation_is_rejected(kind: str) -> None:
    assert refusal(with_header(9, kind).encode()) == ("AR", "201", "MSH^1^9")


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("ORU^R40^ORU_R40", "R40"),
        ("ORU^R01", "R01"),
        ("ORU", "R01"),
        ("ORU^^ORU_R40", "R40"),
        ("ORU^R40^ORU_R01", "R40"),
    ],
)
def test_alarms_and_observations_are_taken(kind: str, event: str) -> None:
    message = read(with_header(9, kind))
    check(message)
    assert message.event == event


def test_only_an_observation_has_an_event_that_goes_without_saying() -> None:
    assert read(with_header(9, "ACK")).event == ""


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.3.1", "2.5.1", "2.6", "2.7", "2.8.2", "2.9", "2.6^USA"])
def test_versions_from_the_first_to_the_last_are_taken(version: str) -> None:
    check(read(with_header(12, version)))


@pytest.mark.parametrize("version", ["2.0", "2.10", "3.0", "2", "2.", "2.6x", "12.6", "2.6.", "2.6.123", "26"])
def test_other_versions_are_rejected(version: str) -> None:
    assert refusal(with_header(12, version).encode()) == ("AR", "203", "MSH^1^12")


def test_a_missing_version_is_an_error() -> None:
    assert refusal(with_header(12, "").encode()) == ("AE", "101", "MSH^1^12")


def test_a_missing_control_id_is_an_error() -> None:
    assert refusal(with_header(10, "").encode()) == ("AE", "101", "MSH^1^10")


@pytest.mark.parametrize(
    ("kind", "expected"), [("ACK", True), ("ACK^R40^ACK", True), ("ORA^R41", True), ("ORU^R40", False), ("MCF", False)]
)
def test_an_acknowledgement_is_known_as_one(kind: str, expected: bool) -> None:
    assert read(with_header(9, kind)).is_acknowledgement is expected


# Times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("202607", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("20260704", datetime(2026, 7, 3, 22, tzinfo=UTC)),
        ("2026070410", datetime(2026, 7, 4, 8, tzinfo=UTC)),
        ("202607041015", datetime(2026, 7, 4, 8, 15, tzinfo=UTC)),
        ("20260704101530", datetime(2026, 7, 4, 8, 15, 30, tzinfo=UTC)),
        ("20260704101530.5", datetime(2026, 7, 4, 8, 15, 30, 500000, tzinfo=UTC)),
        ("20260704101530.0123456789", datetime(2026, 7, 4, 8, 15, 30, 12345, tzinfo=UTC)),
        ("20260704101530+0000", datetime(2026, 7, 4, 10, 15, 30, tzinfo=UTC)),
        ("20260704101530-0630", datetime(2026, 7, 4, 16, 45, 30, tzinfo=UTC)),
        ("20260704101530.25+0545", datetime(2026, 7, 4, 4, 30, 30, 250000, tzinfo=UTC)),
        ("202607041015+2359", datetime(2026, 7, 3, 10, 16, tzinfo=UTC)),
        ("2026-0600", datetime(2026, 1, 1, 6, tzinfo=UTC)),
    ],
)
def test_a_time_of_any_precision_is_read(text: str, moment: datetime) -> None:
    read_moment = read_time(text, BERLIN)
    assert read_moment == moment
    assert read_moment is not None and read_moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "20", "20261", "20261301", "20260230", "2026070424", "202607041060", "20260704101560", "00000101", "yesterday",
     "2026070410.5", "20260704101530.", "20260704101530+2400", "20260704101530+0060", "20260704101530 0100",
     "00010101+1400", "999912312359-1400", "2026-07-04", "20260704101530Z", "٢٠٢٦"],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    assert read_time(text, BERLIN) is None


# Answers


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [
        ("AL", "NE", "CA"), ("AL", "AL", "CA"), ("AL", "", "CA"), ("SU", "", "CA"), ("SU", "AL", "CA"),
        ("", "", "AA"), ("", "AL", "AA"), ("", "NE", "AA"), ("XX", "NE", "AA"),
        ("NE", "AL", "AA"), ("NE", "SU", "AA"), ("ER", "AL", "AA"), ("ER", "SU", "AA"),
        ("NE", "NE", None), ("NE", "ER", None), ("NE", "", None), ("ER", "NE", None), ("ER", "", None),
    ],
)  # fmt: skip
def test_a_success_is_told_as_the_sender_wants_it(accept: str, application: str, code: str | None) -> None:
    fields = with_header(15, accept).split("|")
    fields[15] = application
    assert acceptance(read("|".join(fields))) == code


def test_an_acceptance_goes_back_to_whoever_sent_it() -> None:
    raw = answer(read(MSH), "CA", at=NOON)
    header, said, rest = raw.decode().split("\r")
    fields = header.split("|")
    assert fields[:9] == ["MSH", "^~\\&", "ALERTS^0009^EUI-64", "SOUTH", "GATE^00A0^EUI-64", "NORTH",
                          "20260301110005+0000", "", "ACK^R40^ACK"]  # fmt: skip
    assert fields[10:] == ["P", "2.6", "", "", "", "", "", "UNICODE UTF-8"]
    assert (said, rest) == ("MSA|CA|42", "")


def test_each_answer_has_its_own_short_control_id() -> None:
    ids = {answer(read(MSH), "CA", at=NOON).split(b"|")[9] for _ in range(50)}
    assert len(ids) == 50
    assert all(len(control_id) == 20 for control_id in ids)


def test_an_answer_keeps_version_and_processing_id_of_the_message() -> None:
    message = read(r"MSH|^~\&|||||||ORU|7|T|2.3.1||||||ASCII")
    fields = answer(message, "AA", at=NOON).decode().split("\r")[0].split("|")
    assert fields[2:6] == ["", "", "", ""]
    assert (fields[8], fields[10], fields[11], fields[17]) == ("ACK^R01^ACK", "T", "2.3.1", "ASCII")


def test_a_message_that_could_not_be_read_is_answered_all_the_same() -> None:
    with pytest.raises(Refused) as refused:
        parse(b"hello")
    header, said, error, rest = answer(None, "AR", at=NOON, refused=refused.value).decode().split("\r")
    fields = header.split("|")
    assert (fields[2:6], fields[8], fields[10], fields[11]) == ([""] * 4, "ACK", "P", "2.6")
    assert fields[17] == "UNICODE UTF-8"
    assert (said, rest) == ("MSA|AR|", "")
    reason = "The message does not begin with an MSH segment."
    assert error == f"ERR||MSH|100^Segment sequence error^HL70357|E|||{reason}|{reason}"


def test_a_refusal_for_its_character_set_still_names_the_message() -> None:
    raw = with_header(18, "EBCDIC").replace("|42|", "|né|").encode("iso8859-1")
    with pytest.raises(Refused) as refused:
        parse(raw)
    answered = answer(None, refused.value.code, at=NOON, refused=refused.value).decode("iso8859-1")
    assert "MSA|AE|né\r" in answered
    assert "ERR||MSH^1^18|103^Table value not found^HL70357|E|" in answered


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("100", "Segment sequence error"), ("101", "Required field missing"), ("102", "Data type error"),
        ("103", "Table value not found"), ("200", "Unsupported message type"), ("201", "Unsupported event code"),
        ("202", "Unsupported processing id"), ("203", "Unsupported version id"), ("204", "Unknown key identifier"),
        ("205", "Duplicate key identifier"), ("206", "Application record locked"),
        ("207", "Application internal error"), ("999", ""),
    ],
)  # fmt: skip
def test_an_error_is_named_as_in_the_table(error: str, text: str) -> None:
    refused = Refused("AE", error, "OBR^1^3", "x.")
    assert (
        f"ERR||OBR^1^3|{error}^{text}^HL70357|E|||x.|x.\r" in answer(read(MSH), "AE", at=NOON, refused=refused).decode()
    )


def test_all_that_an_answer_repeats_is_escaped() -> None:
    message = read(with_header(3, r"G\F\A\S\T\T\E\E\ ").replace("|42|", r"|4\F\2\X0D\\.br\\R\ |"))
    refused = Refused("AE", "207", "", "a|b^c&d~e\\f\ng\rh\x0bi\x1cj\tk")
    header, said, error, rest = answer(message, "AE", at=NOON, refused=refused).decode().split("\r")
    assert header.split("|")[4] == r"G\F\A\S\T\T\E\E" + "\\"
    assert said == r"MSA|AE|4\F\2\.br\\R" + "\\"
    assert error.endswith(r"|a\F\b\S\c\T\d\R\e\E\f\.br\ghij k")
    assert rest == ""


def test_what_the_character_set_cannot_write_is_replaced_in_an_answer() -> None:
    refused = Refused("AE", "207", "", "Für später.")
    answered = answer(read(with_header(18, "ASCII")), "AE", at=NOON, refused=refused)
    assert answered.endswith(b"|F?r sp?ter.|F?r sp?ter.\r")


def test_an_answer_to_nothing_needs_no_refusal() -> None:
    assert answer(None, "AE", at=NOON).endswith(b"\rMSA|AE|\r")


def test_an_answer_is_in_utf_16_where_the_message_is() -> None:
    answered = answer(read(MSH, charset="utf-16-le"), "AA", at=NOON).decode("utf-16-le")
    assert answered.endswith("|UNICODE UTF-16\rMSA|AA|42\r")


# Anything at all


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: MSH.encode() + tail))
def test_any_bytes_are_read_or_refused_and_answered(raw: bytes) -> None:
    try:
        message = parse(raw)
    except Refused as refused:
        assert refused.code in ("AE", "AR")
        assert answer(None, refused.code, at=NOON, refused=refused).endswith(b"\r")
        return
    assert len(message.segments) <= len(raw)
    assert all(len(s.field(n)) <= len(raw) for s in message.segments for n in range(len(s.raw)))
    assert parse(answer(message, "AA", at=NOON)).is_acknowledgement


@given(st.text(max_size=60))
def test_what_an_answer_says_is_read_back_as_it_was_meant(text: str) -> None:
    refused = Refused("AE", "207", "", text)
    error = parse(answer(read(MSH), "AE", at=NOON, refused=refused)).segment("ERR")
    expected = "".join(c for c in text if c == "\n" or not (ord(c) < 32 and c != "\t" or 127 <= ord(c) < 160))
    assert error.field(8) == expected.replace("\t", " ").strip() or expected.strip() == '""'


SAMPLES = {
    "ORU-multiline-short.hl7": ("ORU", "R01", "MSGID00231", "T", "AA", 8),
    "draeger_ack_watchdog.txt": ("ACK", "R40", "", "", "AA", 2),
    "draeger_pcd04_alarm.txt": ("ORU", "R40", "0", "D", "CA", 13),
    "linuxforhealth_01.hl7": ("ORU", "R01", "218374717", "P", "AA", 11),
    "linuxforhealth_02.hl7": ("ORU", "R01", "2847970-201111211031", "P", "CA", 8),
    "linuxforhealth_03.hl7": ("ORU", "R01", "2847970-201111211031", "P", "CA", 9),
    "linuxforhealth_04.hl7": ("ORU", "R01", "2847970-201111211031", "P", "CA", 8),
    "linuxforhealth_05.hl7": ("ORU", "R01", "MSGID000005", "T", "AA", 5),
    "linuxforhealth_06.hl7": ("ORU", "R01", "MSGID006552", "T", "AA", 5),
    "ms_oru_r01_01.hl7": ("ORU", "R01", "2.16.840.1.114222.4.3.3.5.1.2-20120314235954.325", "T", "CA", 29),
    "pcd01_philips_physiological_monitor.hl7": ("ORU", "R01", "HP0122182658686QQ000CND119C0WS61", "P", "CA", 21),
    "pcd04_bbraun_occlusion_end.hl7": ("ORU", "R40", "6346172846620706282", "P", "CA", 9),
    "pcd04_bbraun_occlusion_start.hl7": ("ORU", "R40", "6346172845752460251", "P", "CA", 9),
    "pcd04_mindray_low_spo2_start.hl7": ("ORU", "R40", "1", "P", "CA", 9),
    "sample_unix.hl7": ("ADT", "A01", "102", "T", "CA", 8),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample messages are not here")
@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_read_and_answered(name: str) -> None:
    message = parse((SHARED / name).read_bytes())
    kind, event, control_id, processing_id, code, segments = SAMPLES[name]
    assert (message.type, message.event, message.control_id) == (kind, event, control_id)
    assert (message.processing_id, acceptance(message)) == (processing_id, code)
    assert len(message.segments) == segments
    if kind == "ORU":
        check(message)
    else:
        assert refusal((SHARED / name).read_bytes()) == ("AR", "200", "MSH^1^9")
