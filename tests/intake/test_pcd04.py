"""An alarm is read from PCD-04 as its sender meant it, in every spelling that senders use."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.intake.hl7 import Message, Refused, check, parse
from hospital.intake.pcd04 import orders, read_alarm, read_place, read_subject
from hospital.triage.alarm import Alarm, Place, Subject
from hospital.vocabulary import AlertKind, Priority

BERLIN = ZoneInfo("Europe/Berlin")
SHARED = Path(__file__).parents[3] / "shared/data/hl7v2"
UUID = "3d313edb-6fab-4718-9d38-82262c83aea5"

MSH = r"MSH|^~\&|GATE|NORTH|||20260301120000||ORU^R40^ORU_R40|42|P|2.6"
OBR = "OBR|1||A7^GATE|196616^MDC_EVT_ALARM^MDC|||20260301115900"
LOW = "OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1|Low SpO2"
SPO2 = "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2|88|262688^MDC_DIM_PERCENT^MDC|90-96"
PUMP = "OBX|2|CWE|68480^MDC_ATTR_ALERT_SOURCE^MDC|1.2|69985^MDC_DEV_PUMP_INFUS_MDS^MDC"


def message(*lines: str) -> Message:
    return parse("\r".join([MSH, *lines]).encode())


def alarm(*lines: str) -> Alarm:
    return read_alarm(message(OBR, *lines), BERLIN)


def obx(identifier: str, value: str, kind: str = "ST", interpretation: str = "", at: str = "") -> str:
    return f"OBX|9|{kind}|{identifier}|1.9|{value}|||{interpretation}|||F|||{at}"


def metric(value: str = "88", unit: str = "262688^MDC_DIM_PERCENT^MDC", limits: str = "90-96") -> Alarm:
    return alarm(LOW, f"OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2|{value}|{unit}|{limits}")


def test_a_whole_alarm_is_read() -> None:
    lines = [LOW, SPO2, obx("68481^MDC_ATTR_EVENT_PHASE^MDC", "start"), obx("68482^MDC_ATTR_ALARM_STATE^MDC", "active")]
    lines += [obx("68484^MDC_ATTR_ALARM_PRIORITY^MDC", "PH"), obx("68485^MDC_ATTR_ALERT_TYPE^MDC", "SP")]
    assert alarm(*lines) == Alarm(
        alert_id="A7",
        event_code=196670,
        source_code=150456,
        text="Low SpO2",
        kind=AlertKind.PHYSIOLOGICAL,
        priority=Priority.HIGH,
        phase="start",
        state="active",
        value="88",
        unit="%",
        low=90.0,
        high=96.0,
        observed_at=datetime(2026, 3, 1, 10, 59, tzinfo=UTC),
        condition="spo2-low",
    )


def test_an_alarm_with_nothing_but_its_event_is_read() -> None:
    bare = read_alarm(parse(rb"MSH|^~\&|||||||ORU^R40|42|P|2.6" + b"\rOBR|1||A7\rOBX|1|ST|196670"), BERLIN)
    assert bare == Alarm(
        alert_id="A7",
        event_code=196670,
        source_code=None,
        text="Event 196670",
        kind=AlertKind.TECHNICAL,
        priority=None,
        phase=None,
        state=None,
        value=None,
        unit=None,
        low=None,
        high=None,
        observed_at=None,
    )


@pytest.mark.parametrize(
    ("event", "metric", "condition"),
    [
        ("196670^MDC_EVT_LO", "150456", "spo2-low"),
        ("196648^MDC_EVT_HI", "147842", "hr-high"),
        ("196648^MDC_EVT_HI", "149530", "hr-high"),
        ("196680^MDC_EVT_LEAD_OFF", "147842", None),
        ("196670^MDC_EVT_LO", "151712", None),
    ],
)
def test_what_our_rules_have_a_word_for_is_the_same_condition(event: str, metric: str, condition: str | None) -> None:
    told = alarm("OBR|1||A7", f"OBX|1|ST|{event}^MDC||Text", f"OBX|2|NM|{metric}^X^MDC||88|262688^MDC_DIM_PERCENT^MDC")
    assert told.condition == condition


# Refusals


def refusal(*lines: str) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        read_alarm(orders(message(*lines))[0], BERLIN)
    assert refused.value.reason.endswith(".")
    return refused.value.code, refused.value.hl7_error, refused.value.location


def test_an_alarm_without_an_order_segment_is_refused() -> None:
    assert refusal(LOW, SPO2) == ("AE", "100", "OBR")


def test_each_order_of_a_message_is_an_alarm_of_its_own_with_what_stands_before_the_first() -> None:
    both = orders(message("PV1||I|MED^^MED-07", "OBR|1||A1", LOW, "OBR|2||A2", LOW, SPO2))
    assert [read_alarm(order, BERLIN).alert_id for order in both] == ["A1", "A2"]
    assert [read_alarm(order, BERLIN).value is None for order in both] == [True, False]
    assert [read_place(order).bed for order in both] == ["MED-07", "MED-07"]


@pytest.mark.parametrize("order", ["OBR|1", "OBR|1||^GATE", 'OBR|1||""', "OBR|1||" + "|" * 26 + "^&GATE"])
def test_an_alarm_without_an_identifier_is_refused(order: str) -> None:
    assert refusal(order, LOW) == ("AE", "101", "OBR^1^3")


@pytest.mark.parametrize(
    "code",
    ["196607", "262144", "68481", "0^MDCX_EVT_ALERT_ADVISORY", "MDC_EVT_LO", "", "196670x", "1966700000", "-196670"],
)
def test_an_alarm_without_an_event_of_the_code_system_is_refused(code: str) -> None:
    assert refusal(OBR, f"OBX|1|ST|{code}^MDC_EVT_LO^MDC||Low SpO2", SPO2) == ("AE", "101", "OBX^1^3")


# Who it is: the identifier of the alert


@pytest.mark.parametrize(
    ("obr_3", "obr_29", "alert_id"),
    [
        ("A7", "", "A7"),
        ("A7^GATE^0001^EUI-64", "", "A7"),
        ("A7^GATE", "^B8&GATE&0001&EUI-64", "B8"),
        ("A7^GATE", "^B8", "B8"),
        ("A7^GATE", "C9&ORDERS^B8&GATE", "B8"),
        ("A7^GATE", "C9&ORDERS", "C9"),
        ("A7^GATE", "C9&ORDERS^", "C9"),
        ("", "^B8&GATE", "B8"),
        (f"0^{UUID}^0001^EUI-64", "", f"0^{UUID}"),
        (f"1^{UUID}^0001^EUI-64", f"^0&{UUID}&0001&EUI-64", f"0^{UUID}"),
        ("A7", f"0&urn:uuid:{UUID}", f"0^urn:uuid:{UUID}"),
        (f"A7^{UUID.upper()}", "", f"A7^{UUID.upper()}"),
        ("A7", f"0&{UUID}^", f"0^{UUID}"),
        (f"A7^{UUID}0", "", "A7"),
        (f"^{UUID}", "^B8", "B8"),
    ],
)
def test_an_alert_is_named_by_its_parent_else_by_its_order(obr_3: str, obr_29: str, alert_id: str) -> None:
    order = f"OBR|1||{obr_3}|196616" + "|" * 25 + obr_29
    assert read_alarm(message(order, LOW), BERLIN).alert_id == alert_id


# What it says: event and text


@pytest.mark.parametrize("code", ["196608", "262143"])
def test_the_event_is_known_by_its_partition(code: str) -> None:
    assert alarm(f"OBX|1|ST|{code}||Odd").event_code == int(code)


def test_the_event_may_stand_after_other_observations() -> None:
    read = alarm("OBX|1||69837^MDC_DEV^MDC|1.0.0.0", SPO2, LOW, "OBX|4|ST|196680^MDC_EVT_LEAD_OFF^MDC||Lead off")
    assert (read.event_code, read.text) == (196670, "Low SpO2")


@pytest.mark.parametrize(
    ("kind", "value", "event_code", "text"),
    [
        ("CWE", "196940^MDC_EVT_FLUID_LINE_OCCL^MDC^^^^^^Occlusion", 196940, "Occlusion"),
        ("ST", "196940^MDC_EVT_FLUID_LINE_OCCL^MDC^^^^^^Occlusion", 196940, "Occlusion"),
        ("CWE", "196940^MDC_EVT_FLUID_LINE_OCCL^MDC", 196940, "Fluid line occl"),
        ("CWE", "196940^Line blocked^MDC", 196940, "Line blocked"),
        ("CWE", "196940", 196940, "Alarm"),
        ("CWE", "0^Odd", 196616, "Odd"),
        ("CWE", "0", 196616, "Alarm"),
        ("CWE", "OCCL^Line blocked^L", 196616, "Line blocked"),
        ("CE", "OCCL", 196616, "OCCL"),
        ("CE", "OCCL^Line blocked", 196616, "Line blocked"),
        ("CNE", "OCCL^Line blocked", 196616, "Line blocked"),
        ("CF", "OCCL^Line blocked", 196616, "Line blocked"),
        ("ST", "Pump: line blocked & stopped", 196616, "Pump: line blocked & stopped"),
        ("TX", "a^b", 196616, "a^b"),
        ("ST", "", 196616, "Alarm"),
    ],
)
def test_an_alarm_event_says_in_its_value_which_it_is(kind: str, value: str, event_code: int, text: str) -> None:
    read = alarm(obx("196616^MDC_EVT_ALARM^MDC", value, kind))
    assert (read.event_code, read.text) == (event_code, text)


@pytest.mark.parametrize(
    ("identifier", "kind", "value", "text"),
    [
        ("196670^MDC_EVT_LO^MDC", "ST", "Low SpO2", "Low SpO2"),
        ("196670^MDC_EVT_LO^MDC", "ST", r"SpO2 \T\ HR low", "SpO2 & HR low"),
        ("196670^MDC_EVT_LO^MDC", "CWE", "150456^MDC_PULS_OXIM_SAT_O2^MDC^^^^^^SpO2 low", "SpO2 low"),
        ("196670^MDC_EVT_LO^MDC", "ST", "", "Lo"),
        ("196680^MDC_EVT_LEAD_OFF^MDC", "ST", '""', "Lead off"),
        ("196680^Lead RA off^MDC", "ST", "", "Lead RA off"),
        ("196680^MDC_LEAD_OFF^MDC", "ST", "", "Lead off"),
        ("196680", "ST", "", "Event 196680"),
    ],
)
def test_any_other_event_has_its_code_in_the_identifier(identifier: str, kind: str, value: str, text: str) -> None:
    read = alarm(obx(identifier, value, kind))
    assert (read.event_code, read.text) == (int(identifier[:6]), text)


# What it is about: source, value, unit, limits


@pytest.mark.parametrize(("code", "found"), [("131072", True), ("196607", True), ("131071", False), ("262688", False)])
def test_a_metric_is_known_by_its_partition(code: str, found: bool) -> None:
    read = alarm(LOW, f"OBX|2|NM|{code}||88")
    assert (read.source_code, read.value) == ((int(code), "88") if found else (None, None))
    assert read.kind is (AlertKind.PHYSIOLOGICAL if found else AlertKind.TECHNICAL)


def test_the_first_metric_is_the_source() -> None:
    read = alarm(SPO2, LOW, "OBX|3|NM|149530^MDC_PULS_OXIM_PULS_RATE^MDC||55|264864|60-")
    assert (read.source_code, read.value, read.low) == (150456, "88", 90.0)


@pytest.mark.parametrize(
    ("value", "source_code"),
    [("69985^MDC_DEV_PUMP_INFUS_MDS^MDC", 69985), ("150456", 150456), ("42", None), ("65535", None), ("65536", 65536),
     ("", None), ("Pump", None)],
)  # fmt: skip
def test_a_source_that_is_no_metric_is_named_in_its_value(value: str, source_code: int | None) -> None:
    read = alarm(LOW, obx("68480^MDC_ATTR_ALERT_SOURCE^MDC", value, "CWE"))
    assert (read.source_code, read.value, read.unit, read.low, read.high) == (source_code, None, None, None, None)
    assert read.kind is AlertKind.TECHNICAL


def test_a_metric_is_preferred_to_a_source_facet() -> None:
    assert alarm(LOW, PUMP, SPO2).source_code == 150456


@pytest.mark.parametrize(
    "value", ["88", "+88", "-1", "88.", "88.25", ".5", "0", "-99", "-100.1", "32766", "32768", "9" * 12]
)
def test_a_plain_number_is_a_value(value: str) -> None:
    assert metric(value).value == value


@pytest.mark.parametrize(
    "value",
    ["", '""', "-100", "-100.0", "-999", "-99.9", "-99.90", "32767", "32767.0", "27~25", "88^%", "^88", "<88",
     "88 %", "8 8",
     "1e3", "nan", "inf", "--", ".", "-", "٨٨", "9" * 13, "1." + "0" * 13],
)  # fmt: skip
def test_anything_else_is_no_value_but_still_an_alarm(value: str) -> None:
    read = metric(value)
    assert read.value is None
    assert (read.unit, read.low, read.kind) == ("%", 90.0, AlertKind.PHYSIOLOGICAL)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("262688^MDC_DIM_PERCENT^MDC", "%"), ("266016", "mmHg"), ("264864^x", "/min"),
        ("264928^MDC_DIM_RESP_PER_MIN", "/min"),
        ("268192^MDC_DIM_DEGC^MDC", "°C"), ("%", "%"), ("mm[Hg]^mm[Hg]^UCUM", "mmHg"), ("{beat}/min", "/min"),
        ("/min", "/min"), ("Cel^Celsius", "°C"), ("[degF]", "°F"),
        ("264338^MDC_DIM_MILLI_SEC^MDC", "MDC_DIM_MILLI_SEC"),
        ("264338", "264338"), ("kPa", "kPa"), ("^kPa", "kPa"), ("cel", "cel"), ("", None), ('""', None),
    ],
)  # fmt: skip
def test_a_unit_is_written_as_on_a_monitor(written: str, unit: str | None) -> None:
    assert metric(unit=written).unit == unit


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("90-96", 90, 96), (" 90 - 96 ", 90, 96), ("36.5-38.05", 36.5, 38.05), ("90-90", 90, 90), ("0-0", 0, 0),
        ("90-", 90, None), ("90 -", 90, None), ("0-", 0, None), ("-10-5", -10, 5), ("-10--5", -10, -5),
        ("-10-", -10, None),
        ("<500", None, 500), ("< 500", None, 500), ("<=500", None, 500), (">60", 60, None), (">= 60", 60, None),
        (">-5", -5, None), ("<0", None, 0), (".5-1", 0.5, 1), ("-100-50", None, 50), ("50-32767", 50, None),
        ("<32767", None, None), (">-999", None, None),
        ("", None, None), ('""', None, None), ("-", None, None), ("90", None, None), ("-96", None, None),
        ("96-90", None, None), ("90--5", None, None), ("<130 optimal", None, None), ("90-96 %", None, None),
        ("x90-96", None, None), ("90-96~80-85", None, None), ("90^96", None, None), ("normal", None, None),
        ("<", None, None),
    ],
)  # fmt: skip
def test_limits_are_read_and_never_guessed(written: str, low: float | None, high: float | None) -> None:
    read = metric(limits=written)
    assert (read.low, read.high) == (low, high)


# Phase, state, priority, type


@pytest.mark.parametrize(
    ("written", "word"),
    [("start", "start"), ("START", "start"), (" end ", "end"), ("start_only^x", "start_only"), ("odd", "odd"),
     ("", None),
     ('""', None)],
)  # fmt: skip
def test_phase_and_state_are_small_words(written: str, word: str | None) -> None:
    read = alarm(LOW, obx("68481", written), obx("68482", "latched"))
    assert (read.phase, read.state) == (word, "latched")
    read = alarm(LOW, obx("68481", "present"), obx("68482", written))
    assert (read.phase, read.state) == ("present", word)


def test_facets_are_known_by_number_even_when_short_of_a_field_or_a_name() -> None:
    read = alarm(
        LOW, "OBX|3|ST|68482^X||active||||||F", "OBX|5|ST|68481|1.5|start|||||F", "OBX|5|ST|68483^Y|1|enabled|||||F"
    )
    assert (read.phase, read.state) == ("start", "active")


def test_numbers_that_only_look_like_facets_are_none() -> None:
    read = alarm(LOW, obx("684810^MDC_ATTR_EVENT_PHASE^MDC", "start"), obx("68165^MDC_ATTR_EVENT_PHASE^MDC", "end"))
    assert read.phase is None


def test_of_two_facets_alike_the_first_counts() -> None:
    assert alarm(LOW, obx("68481", "start"), obx("68481", "end")).phase == "start"


@pytest.mark.parametrize(
    ("written", "priority"),
    [("PH", Priority.HIGH), ("PM", Priority.MEDIUM), ("PL", Priority.LOW), ("pl", Priority.LOW),
     ("PH^x", Priority.HIGH),
     ("PN", None), ("20", None), ("H", None), ("", None)],
)  # fmt: skip
def test_a_priority_has_a_facet_of_its_own(written: str, priority: Priority | None) -> None:
    assert alarm(LOW, obx("68484", written)).priority is priority


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("SP", AlertKind.PHYSIOLOGICAL),
        ("ST", AlertKind.TECHNICAL),
        ("SA", AlertKind.ADVISORY),
        ("sa", AlertKind.ADVISORY),
    ],
)
def test_a_type_has_a_facet_of_its_own_whatever_the_source(written: str, kind: AlertKind) -> None:
    assert alarm(LOW, SPO2, obx("68485", written)).kind is kind
    assert alarm(LOW, PUMP, obx("68485", written)).kind is kind


@pytest.mark.parametrize("unknown", ["SX", "", "physiological"])
def test_a_missing_or_unknown_type_follows_the_source(unknown: str) -> None:
    assert alarm(LOW, SPO2, obx("68485", unknown)).kind is AlertKind.PHYSIOLOGICAL
    assert alarm(LOW, PUMP, obx("68485", unknown)).kind is AlertKind.TECHNICAL


@pytest.mark.parametrize(
    ("interpretation", "priority", "kind"),
    [
        ("L~PM~SP", Priority.MEDIUM, AlertKind.PHYSIOLOGICAL),
        ("SA~PM", Priority.MEDIUM, AlertKind.ADVISORY),
        ("ST", None, AlertKind.TECHNICAL),
        ("PH", Priority.HIGH, None),
        ("L", None, None),
        ("PN~ST", None, AlertKind.TECHNICAL),
        ("pl^low~sa", Priority.LOW, AlertKind.ADVISORY),
        ("PMSP", None, None),
    ],
)
def test_priority_and_type_may_stand_in_any_order_beside_event_or_source(
    interpretation: str, priority: Priority | None, kind: AlertKind | None
) -> None:
    event = obx("196670", "Low", interpretation=interpretation)
    read = alarm(event, SPO2)
    assert (read.priority, read.kind) == (priority, kind or AlertKind.PHYSIOLOGICAL)
    read = alarm(LOW, obx("150456", "88", interpretation=interpretation))
    assert (read.priority, read.kind) == (priority, kind or AlertKind.PHYSIOLOGICAL)
    read = alarm(LOW, obx("68480", "69985", interpretation=interpretation))
    assert (read.priority, read.kind) == (priority, kind or AlertKind.TECHNICAL)


def test_the_event_is_heard_before_the_source() -> None:
    read = alarm(obx("150456", "88", interpretation="PL~ST"), obx("196670", "Low", interpretation="PH~SA"))
    assert (read.priority, read.kind) == (Priority.HIGH, AlertKind.ADVISORY)


def test_a_facet_of_its_own_is_heard_before_what_stands_beside() -> None:
    event = obx("196670", "Low", interpretation="PL~ST")
    read = alarm(event, obx("68484", "PH"), obx("68485", "SA"))
    assert (read.priority, read.kind) == (Priority.HIGH, AlertKind.ADVISORY)
    assert alarm(event, obx("68484", "PN")).priority is None
    assert alarm(event, obx("68484", "20")).priority is Priority.LOW


def test_what_stands_beside_other_facets_is_not_heard() -> None:
    assert alarm(LOW, obx("68481", "start", interpretation="PH~SA")).priority is None


# When


@pytest.mark.parametrize(
    ("event_at", "source_at", "order_at", "expected"),
    [
        ("20260301115701", "20260301115702", "20260301115703", (11, 57, 1)),
        ("20260301115701^S", "20260301115702", "20260301115703", (11, 57, 1)),
        ("", "20260301115702^S", "20260301115703", (11, 57, 2)),
        ("", "", "20260301115703^S", (11, 57, 3)),
        ("noon", "20260301115702", "20260301115703", (11, 57, 2)),
        ("", "", "20260301115703", (11, 57, 3)),
        ("20261301", "2026x", "20260301115703", (11, 57, 3)),
        ("", "", "", (12, 0, 0)),
        ("x", "x", "x", (12, 0, 0)),
    ],
)
@pytest.mark.parametrize("source", ["150456", "68480"])
def test_the_nearest_time_that_can_be_read_is_taken(
    source: str, event_at: str, source_at: str, order_at: str, expected: tuple[int, int, int]
) -> None:
    lines = [f"OBR|1||A7|196616|||{order_at}", obx("196670", "Low", at=event_at), obx(source, "88", at=source_at)]
    assert read_alarm(message(*lines), BERLIN).observed_at == datetime(2026, 3, 1, *expected, tzinfo=BERLIN)


def test_a_time_with_its_own_zone_does_not_use_the_senders() -> None:
    read = alarm(obx("196670", "Low", at="20260301115701-0600"))
    assert read.observed_at == datetime(2026, 3, 1, 17, 57, 1, tzinfo=UTC)


# Who and where


def subject(pid: str) -> Subject | None:
    return read_subject(message(pid))


def test_a_patient_is_read() -> None:
    assert subject("PID|||77^^^North^MR||Hon^Amy^B^^^^L||19610301000000-0600|F") == Subject(
        "77", "North", "Hon, Amy", date(1961, 3, 1), "F"
    )


@pytest.mark.parametrize(
    "pid", ["PV1||I|MED", "PID", "PID|||", 'PID|||""||Hon^Amy', "PID|||^^^North||Hon", "PID||77|~^^^X||Hon"]
)
def test_a_patient_without_an_identifier_is_nobody(pid: str) -> None:
    assert subject(pid) is None


def test_the_first_identifier_that_is_one_counts_with_its_own_authority() -> None:
    read = subject("PID|||^^^South~77^^^North&1.2.3&ISO~88^^^East")
    assert read is not None and (read.identifier, read.authority) == ("77", "North")


@pytest.mark.parametrize(
    ("identifier", "authority"), [("77", None), ("77^^^^AN", None), ("77^^^&1.2.3&ISO", "1.2.3"), ('77^^^""', None)]
)
def test_an_authority_that_was_not_sent_is_none(identifier: str, authority: str | None) -> None:
    read = subject(f"PID|||{identifier}")
    assert read is not None and read.authority == authority


@pytest.mark.parametrize(
    ("written", "name"),
    [("Hon^Amy", "Hon, Amy"), ("Hon&van&Hon^Amy", "Hon, Amy"), ("Hon", "Hon"), ("^Amy", "Amy"), ("", ""),
     ('Hon^""', "Hon"),
     ("Hon^Amy~Alias^Ann", "Hon, Amy")],
)  # fmt: skip
def test_a_name_is_family_then_given(written: str, name: str) -> None:
    read = subject(f"PID|||77||{written}")
    assert read is not None and read.name == name


@pytest.mark.parametrize(
    ("written", "birth_date"),
    [("19610301", date(1961, 3, 1)), ("196103011200", date(1961, 3, 1)), ("1961", None), ("196103", None),
     ("19610230", None), ("1961-03-01", None), ("", None), ('""', None), ("x19610301", None)],
)  # fmt: skip
def test_a_birth_date_is_a_whole_date_or_none(written: str, birth_date: date | None) -> None:
    read = subject(f"PID|||77||Hon||{written}")
    assert read is not None and read.birth_date == birth_date


@pytest.mark.parametrize(
    ("written", "sex"), [("F", "F"), ("female", "F"), ("M^Male^HL70001", "M"), ("", ""), ('""', "")]
)
def test_sex_is_one_letter(written: str, sex: str) -> None:
    read = subject(f"PID|||77||Hon|||{written}")
    assert read is not None and read.sex == sex


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("HO Surgery^OR^1", Place("HO Surgery", "OR", "1")),
        ("CU1^^Bed001^TAM", Place("CU1", "", "Bed001")),
        ("MED&1.2&ISO^3&x", Place("MED", "3", "")),
        ("^^^Toronto", Place("", "", "")),
        ("A^1^2~B^3^4", Place("A", "1", "2")),
        ("", Place("", "", "")),
    ],
)
def test_a_place_is_unit_room_and_bed(written: str, place: Place) -> None:
    assert read_place(message(f"PV1||I|{written}")) == place


def test_a_message_without_a_visit_has_no_place() -> None:
    assert not read_place(message("PID|||77")).known


# Anything at all


@given(st.lists(st.text(alphabet='|^~&\\-.0123456789PMSTx"', max_size=60), max_size=4))
def test_an_alarm_of_any_shape_is_read_or_refused(tails: list[str]) -> None:
    odd = message("OBR|1||A7" + "|" * 5, *(f"OBX|1|NM|{tail}" for tail in tails), *(f"PID|||{tail}" for tail in tails))
    read_subject(odd)
    read_place(odd)
    try:
        assert read_alarm(odd, BERLIN).text
    except Refused as refused:
        assert refused.location == "OBX^1^3"


# The messages of real devices

MINDRAY = Alarm(
    "1", 196670, 150456, "Low SpO2", AlertKind.PHYSIOLOGICAL, Priority.MEDIUM, "start", "active", "88", "%", 90.0, 96.0,
    datetime(2012, 1, 11, 21, 4, 57, tzinfo=UTC), "spo2-low",
)  # fmt: skip
BBRAUN_START = Alarm(
    "E0001_27", 196940, 69985, "Occlusion", AlertKind.TECHNICAL, None, "start", "active", None, None, None, None,
    datetime(2012, 1, 9, 23, 54, 17, tzinfo=UTC),
)  # fmt: skip
BBRAUN_END = Alarm(
    "E0001_27", 196940, 69985, "Occlusion", AlertKind.TECHNICAL, None, "end", "inactive", None, None, None, None,
    datetime(2012, 1, 9, 23, 54, 26, tzinfo=UTC),
)  # fmt: skip
DRAEGER = Alarm(
    f"0^{UUID}", 196916, None, "CO2 Sensor unplugged", AlertKind.PHYSIOLOGICAL, Priority.LOW, "start", "active",
    None, None,
    None, None, datetime(2019, 11, 27, 15, 5, 43, tzinfo=UTC),
)  # fmt: skip
ALBERT = Subject("HO2009001", "Hospital", "Hon, Albert", date(1899, 12, 30), "M")
AMY = Subject("HO2009003", "AA1", "Hon, Amy", date(1961, 3, 1), "F")
SIMULATED = Subject("8888", None, "Data, Simulated", None, "")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample messages are not here")
@pytest.mark.parametrize(
    ("name", "expected", "patient", "place"),
    [
        ("pcd04_mindray_low_spo2_start.hl7", MINDRAY, ALBERT, "HO Surgery / OR / 1"),
        ("pcd04_bbraun_occlusion_start.hl7", BBRAUN_START, AMY, "HO 3 West ICU / 10 / 1"),
        ("pcd04_bbraun_occlusion_end.hl7", BBRAUN_END, AMY, "HO 3 West ICU / 10 / 1"),
        ("draeger_pcd04_alarm.txt", DRAEGER, SIMULATED, "CU1 / – / Bed001"),
    ],
)
def test_each_sample_alarm_is_read_as_expected(name: str, expected: Alarm, patient: Subject, place: str) -> None:
    sample = parse((SHARED / name).read_bytes())
    check(sample)
    assert read_alarm(sample, BERLIN) == expected
    assert read_subject(sample) == patient
    assert read_place(sample).label == place
