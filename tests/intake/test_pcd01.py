"""Readings are taken from ORU^R01 as their sender meant them, and nothing else is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import example, given
from hypothesis import strategies as st

from hospital.intake.codes import Why
from hospital.intake.hl7 import Message, Refused, parse
from hospital.intake.pcd01 import Readings, read_observations
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital

BERLIN = ZoneInfo("Europe/Berlin")
SHARED = Path(__file__).parents[3] / "shared/data/hl7v2"

MSH = r"MSH|^~\&|GATE|NORTH|||20260301120000||ORU^R01^ORU_R01|42|P|2.6"
OBR = "OBR|1||A7^GATE|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||20260301115900"
SENT = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
ORDERED = datetime(2026, 3, 1, 10, 59, tzinfo=UTC)

HR, SPO2, RR = "147842^MDC_ECG_HEART_RATE^MDC", "150456^MDC_PULS_OXIM_SAT_O2^MDC", "151562^MDC_RESP_RATE^MDC"
BEATS, PERCENT = "264864^MDC_DIM_BEAT_PER_MIN^MDC", "262688^MDC_DIM_PERCENT^MDC"
ACVPU, FLOW, FIO2 = "1104441000000107^ACVPU^SCT", "3151-8^Inhaled oxygen flow rate^LN", "3150-6^FiO2^LN"


def message(*lines: str) -> Message:
    return parse("\r".join([MSH, *lines]).encode())


def read(*lines: str) -> Readings:
    return read_observations(message(*lines), BERLIN)


def obx(
    code: str, value: str = "", unit: str = "", *, kind: str = "NM", status: str = "F", at: str = "", path: str = ""
) -> str:
    return f"OBX|1|{kind}|{code}|{path}|{value}|{unit}|||||{status}|||{at}"


def only(readings: Readings) -> ObservationSet:
    assert len(readings.sets) == 1
    return readings.sets[0]


def values(readings: Readings) -> list[tuple[Vital, Source, float]]:
    return [(one.vital, one.source, one.value) for one in only(readings).measured]


def skipped(*lines: str) -> Why:
    """Why the one result of these lines is skipped."""
    readings = read(OBR, *lines)
    assert readings.sets == ()
    assert readings.skipped == 1
    ((why, count),) = readings.reasons.items()
    assert count == 1
    return why


def test_a_whole_set_is_read() -> None:
    lines = [obx(HR, "80", BEATS), obx(SPO2, "97", PERCENT), obx("8480-6^Systolic^LN", "16", "kPa", status="R")]
    lines += [obx(FLOW, "2", "L/min"), obx(ACVPU, "300202002^Responds to voice^SCT", kind="CWE")]
    assert read(OBR, *lines) == Readings(
        sets=(
            ObservationSet(
                at=ORDERED,
                measured=(
                    Measured(Vital.HR, Source.ECG, 80, ORDERED, verified=True),
                    Measured(Vital.SPO2, Source.OXIMETER, 97, ORDERED, verified=True),
                    Measured(Vital.SBP, Source.OTHER, 120.009852, ORDERED, verified=False),
                ),
                consciousness=Consciousness.VOICE,
                on_oxygen=True,
            ),
        ),
        skipped=0,
        reasons={},
    )


def test_a_message_without_results_holds_nothing() -> None:
    assert read("PV1||I|MED^^MED-07") == Readings((), 0, {})


def test_the_same_patient_said_twice_is_taken_but_two_patients_are_refused() -> None:
    first, again, other = "PID|1||1001^^^MR||Roe^Ann", "PID|2||1001^^^MR||Roe^Ann", "PID|2||1002^^^MR||Roe^Ann"
    assert values(read(first, OBR, again, obx(HR, "80", BEATS))) == [(Vital.HR, Source.ECG, 80)]
    with pytest.raises(Refused) as refused:
        read(first, OBR, obx(HR, "80", BEATS), other, OBR, obx(HR, "120", BEATS))
    assert (refused.value.code, refused.value.hl7_error, refused.value.location) == ("AE", "100", "PID^2")
    assert "1002" not in refused.value.reason


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7])
def test_any_difference_between_two_patients_counts(n: int) -> None:
    fields = ["PID", "1", "a", "b", "c", "d", "mother", "e"]
    other = fields.copy()
    other[n] = "x"
    with pytest.raises(Refused):
        read("|".join(fields), OBR, "|".join(other))


# Codes


@pytest.mark.parametrize(
    "code",
    ["147842^MDC_ECG_HEART_RATE^MDC", "147842^MDC_ECG_CARD_BEAT_RATE^MDC", "147842", "147842^Respiration^LN"]
    + ["7^HR^L^147842^MDC_ECG_HEART_RATE^MDC", "76282-3^Heart rate by EKG^LN", "HR^Puls^99X^76282-3^Heart rate^LN"],
)
def test_a_code_is_matched_by_number_in_either_triplet(code: str) -> None:
    assert values(read(OBR, obx(code, "80", BEATS))) == [(Vital.HR, Source.ECG, 80)]


@pytest.mark.parametrize(
    "code",
    ["2552^HRTRTMON", "^MDC_ECG_HEART_RATE^MDC", "147842^Kalium^L", "147842^Kalium^99LAB", "x^y^z^147842^Kalium^99LAB"]
    + ["x^147842^MDC", "147232^MDC_ECG_TIME_PD_QT_GL^MDC", "147842^MDC_ECG_HEART_RATE^MDC^9279-1^Breaths^LN", ""],
)
def test_names_local_codes_and_contradictions_are_skipped(code: str) -> None:
    assert skipped(obx(code, "80", BEATS)) is Why.UNKNOWN


def test_each_skipped_result_is_counted_with_its_reason() -> None:
    lines = [obx("1234^x", "1"), obx("5678^y", "2"), obx(HR), obx(HR, "80", BEATS)]
    readings = read(OBR, *lines)
    assert (readings.skipped, readings.reasons) == (3, {Why.UNKNOWN: 2, Why.NO_VALUE: 1})


# Values


@pytest.mark.parametrize("kind", ["NM", "ST", "st"])
def test_a_number_is_a_number_whether_sent_as_number_or_text(kind: str) -> None:
    assert values(read(OBR, obx(HR, "80.5", BEATS, kind=kind))) == [(Vital.HR, Source.ECG, 80.5)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("27~25", "NM"), ("80^x", "NM"), ("80&1", "NM"), ("<80", "ST"), ("80 bpm", "ST"), ("Sinus", "ST"), ("1^2^3", "NA")]
    + [("80", "SN"), ("80", "TX"), ("80", "CWE"), ("80", ""), ("https://x.org^^SD^PICT", "RP"), ("8e1", "NM")],
)
def test_what_is_not_one_plain_number_is_skipped(value: str, kind: str) -> None:
    assert skipped(obx(HR, value, BEATS, kind=kind)) is Why.NO_NUMBER


@pytest.mark.parametrize("value", ["", '""', "-100", "-999", "-99.9", "32767"])
def test_an_empty_value_or_a_sentinel_is_no_value(value: str) -> None:
    assert skipped(obx(HR, value, BEATS)) is Why.NO_VALUE


def test_an_impossible_value_is_skipped() -> None:
    assert skipped(obx(SPO2, "130", PERCENT)) is Why.IMPOSSIBLE


@pytest.mark.parametrize(
    "unit",
    ["266560^MDC_DIM_FAHR^MDC", "[degF]", "^[degF]^UCUM", "x^y^z^[degF]", "x^y^z^^[degF]^UCUM", "°F"],
)
def test_a_unit_is_found_wherever_it_stands_and_converted(unit: str) -> None:
    assert values(read(OBR, obx("150344^MDC_TEMP^MDC", "100.4", unit))) == [(Vital.TEMP, Source.OTHER, 38)]


def test_an_unknown_unit_is_not_taken_and_a_missing_one_only_where_it_is_clear() -> None:
    assert skipped(obx(SPO2, "97", "266016^MDC_DIM_MMHG^MDC")) is Why.WRONG_UNIT
    assert skipped(obx("150021^x^MDC", "16")) is Why.NO_UNIT
    assert values(read(OBR, obx(SPO2, "97"))) == [(Vital.SPO2, Source.OXIMETER, 97)]


# Status


@pytest.mark.parametrize(
    ("status", "verified"), [("F", True), ("C", True), ("R", False), ("X", False), ("", False), ("f", True)]
)
def test_final_and_corrected_are_verified_the_rest_is_marked(status: str, verified: bool) -> None:
    (one,) = only(read(OBR, obx(HR, "80", BEATS, status=status))).measured
    assert one == Measured(Vital.HR, Source.ECG, 80, ORDERED, verified, corrects=status == "C")


@pytest.mark.parametrize("status", ["D", "W", "N", "P", "S", "I", "O", "U", "?"])
def test_any_other_status_is_not_taken(status: str) -> None:
    assert skipped(obx(HR, "80", BEATS, status=status)) is Why.STATUS


@pytest.mark.parametrize("status", ["D", "W"])
def test_a_deletion_takes_back_what_stands_before_it(status: str) -> None:
    readings = read(OBR, obx(HR, "80", BEATS), obx(SPO2, "97", PERCENT), obx(HR, "80", BEATS, status=status))
    assert values(readings) == [(Vital.SPO2, Source.OXIMETER, 97)]
    assert readings.reasons == {Why.STATUS: 1}


def test_a_deletion_takes_back_nothing_else() -> None:
    lines = [obx(HR, "80", BEATS, at="20260301115800"), obx("149530^x^MDC", "81", BEATS), obx(HR, status="D")]
    readings = read(OBR, *lines)
    assert [one.measured[0].value for one in readings.sets] == [80, 81]


@pytest.mark.parametrize(("code", "value", "kind"), [(ACVPU, "248234008^Alert^SCT", "CWE"), (FLOW, "2", "NM")])
def test_consciousness_and_oxygen_can_be_taken_back_too(code: str, value: str, kind: str) -> None:
    assert len(read(OBR, obx(code, value, kind=kind)).sets) == 1
    assert read(OBR, obx(code, value, kind=kind), obx(code, value, kind=kind, status="D")).sets == ()


def test_a_correction_replaces_and_one_that_cannot_be_read_leaves_nothing() -> None:
    assert values(read(OBR, obx(HR, "80", BEATS), obx(HR, "88", BEATS, status="C"))) == [(Vital.HR, Source.ECG, 88)]
    assert read(OBR, obx(HR, "80", BEATS), obx(HR, "?", BEATS, status="C")).sets == ()


def test_a_later_result_that_cannot_be_read_replaces_nothing() -> None:
    assert values(read(OBR, obx(HR, "80", BEATS), obx(HR, "-999", BEATS))) == [(Vital.HR, Source.ECG, 80)]


def test_of_one_thing_twice_at_one_time_the_last_is_taken() -> None:
    assert values(read(OBR, obx(HR, "80", BEATS), obx(HR, "90", BEATS))) == [(Vital.HR, Source.ECG, 90)]


def test_one_vital_sign_from_two_sources_is_two_values() -> None:
    both = read(OBR, obx(HR, "80", BEATS), obx("149530^x^MDC", "81", BEATS))
    assert values(both) == [(Vital.HR, Source.ECG, 80), (Vital.HR, Source.OXIMETER, 81)]


# Times


@pytest.mark.parametrize(
    ("own", "ordered", "at"),
    [
        ("20260301115000", "20260301115900", datetime(2026, 3, 1, 10, 50, tzinfo=UTC)),
        ("20260301115000+0000", "20260301115900", datetime(2026, 3, 1, 11, 50, tzinfo=UTC)),
        ("", "20260301115900", ORDERED),
        ("yesterday", "20260301115900", ORDERED),
        ("", "", SENT),
        ("", "yesterday", SENT),
    ],
)
def test_the_results_own_time_is_taken_before_the_orders_and_the_messages(own: str, ordered: str, at: datetime) -> None:
    one = only(read(f"OBR|1||A|B|||{ordered}", obx(HR, "80", BEATS, at=own)))
    assert (one.at, one.measured[0].at) == (at, at)


def test_each_order_has_its_own_time_and_a_result_before_the_first_has_the_messages() -> None:
    lines = [obx(HR, "70", BEATS), OBR, obx(HR, "80", BEATS), "OBR|2||A|B|||20260301115930", obx(HR, "90", BEATS)]
    lines += ["OBR|3", obx(SPO2, "97", PERCENT)]
    later = datetime(2026, 3, 1, 10, 59, 30, tzinfo=UTC)
    told = [(one.at, [value.value for value in one.measured]) for one in read(*lines).sets]
    assert told == [(ORDERED, [80]), (later, [90]), (SENT, [70, 97])]


def test_results_of_one_time_are_one_set_whatever_order_they_came_in() -> None:
    readings = read(OBR, obx(HR, "80", BEATS), "OBR|2||A|B|||20260301105900Z", "OBR|3||A|B|||20260301105900+0000",
                    obx(SPO2, "97", PERCENT))  # fmt: skip
    assert values(readings) == [(Vital.HR, Source.ECG, 80), (Vital.SPO2, Source.OXIMETER, 97)]


def test_a_result_without_any_time_is_skipped() -> None:
    bare = parse(rb"MSH|^~\&|||||||ORU^R01|42|P|2.6" + f"\r{obx(HR, '80', BEATS)}".encode())
    assert read_observations(bare, BERLIN) == Readings((), 1, {Why.NO_TIME: 1})


# Devices: MDS, VMD, channel

ECG, OXIMETER, CUFF = "69798^MDC_DEV_ECG_VMD^MDC", "69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC", "70686^NONINV_VMD^MDC"
MDS, CHANNEL = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC", "70675^MDC_DEV_PULS_CHAN^MDC"
PULSE = "149514^MDC_PULS_RATE^MDC"


def pulse_in(*devices: str, path: str = "1.2.3.4") -> Source:
    readings = read(OBR, *devices, obx(PULSE, "80", BEATS, path=path))
    assert readings.skipped == 0
    return only(readings).measured[0].source


@pytest.mark.parametrize(
    ("devices", "source"),
    [
        ([], Source.OTHER),
        ([obx(MDS, path="1.0.0.0"), obx(CHANNEL, path="1.2.3.0")], Source.OTHER),
        ([obx(ECG, path="1.2.0.0")], Source.ECG),
        ([obx(ECG, path="1.2")], Source.ECG),
        ([obx("4262^MDC_DEV_ECG_VMD^MDC", path="1.2.0.0")], Source.ECG),
        ([obx(CUFF, path="1.2.0.0"), obx(CHANNEL, path="1.2.3.0")], Source.CUFF),
        ([obx(ECG, path="1.2.0.0"), obx("69643^x^MDC", path="1.2.3.0")], Source.OXIMETER),
        ([obx("69641^x^MDC", path="1.0.0.0")], Source.OXIMETER),
        ([obx(ECG, path="1.1.0.0"), obx(CUFF, path="1.3.0.0")], Source.OTHER),
        ([obx(ECG, path="2.2.0.0")], Source.OTHER),
        ([obx(ECG, path="1.2.0.0"), obx(MDS, path="1.2.0.0")], Source.OTHER),
        ([obx(ECG, path="")], Source.OTHER),
    ],
)
def test_a_pulse_is_from_the_nearest_device_above_it(devices: list[str], source: Source) -> None:
    assert pulse_in(*devices) is source


@pytest.mark.parametrize("path", ["", "x", "1.2", "9.2.3.4", "1..2.3"])
def test_a_path_that_leads_nowhere_tells_no_source(path: str) -> None:
    assert pulse_in(obx(ECG, path="1.2.0.0"), path=path) is Source.OTHER


def test_the_code_tells_the_source_before_the_device_does() -> None:
    readings = read(OBR, obx(ECG, path="1.2.0.0"), obx("149530^x^MDC", "80", BEATS, path="1.2.3.4"))
    assert values(readings) == [(Vital.HR, Source.OXIMETER, 80)]


def test_devices_are_remembered_over_the_orders_of_a_message() -> None:
    assert pulse_in(obx(CUFF, path="1.2.0.0"), "OBR|2||A|B|||20260301115900") is Source.CUFF


def test_a_result_is_no_device_though_its_code_looks_like_one() -> None:
    assert skipped(obx("4262^MDC_DEV_ECG_VMD^MDC", "First line", kind="TX")) is Why.UNKNOWN
    assert skipped(obx("4262^Stage^L", path="1.2.0.0")) is Why.UNKNOWN
    assert skipped(obx("131072^MDC_ECG_LEAD^MDC", path="1.2.0.0")) is Why.UNKNOWN


# Oxygen and consciousness


@pytest.mark.parametrize(
    ("lines", "on_oxygen"),
    [
        ([obx(FLOW, "0", "L/min")], False),
        ([obx(FLOW, "0.5", "L/min")], True),
        ([obx(FLOW, "2")], True),
        ([obx(FIO2, "21", "%")], False),
        ([obx(FIO2, "40", "%")], True),
        ([obx("19994-3^Setting^LN", "0.28", "1")], True),
        ([obx(FLOW, "0", "L/min"), obx(FIO2, "40", "%")], True),
        ([obx(FIO2, "40", "%"), obx(FLOW, "0", "L/min")], True),
        ([obx(FLOW, "2", "L/min"), obx(FLOW, "0", "L/min")], False),
    ],
)
def test_air_or_oxygen(lines: list[str], on_oxygen: bool) -> None:
    assert only(read(OBR, *lines)) == ObservationSet(ORDERED, on_oxygen=on_oxygen)


def test_oxygen_that_was_not_measured_is_not_known() -> None:
    assert only(read(OBR, obx(HR, "80", BEATS))).on_oxygen is None
    assert skipped(obx(FLOW, "-100", "L/min")) is Why.NO_VALUE


@pytest.mark.parametrize("kind", ["CE", "CWE", "CNE", "CF"])
@pytest.mark.parametrize("code", [ACVPU, "80288-4^AVPU^LN", "x^y^99Z^67775-7^Responsiveness^LN"])
def test_consciousness_is_read_from_a_coded_answer(code: str, kind: str) -> None:
    one = only(read(OBR, obx(code, "A^Alert^L^248234008^Mentally alert^SCT", kind=kind)))
    assert one == ObservationSet(ORDERED, consciousness=Consciousness.ALERT)


@pytest.mark.parametrize(
    ("value", "kind"), [("248234008", "ST"), ("A", "ST"), ("A^Alert^99X", "CWE"), ("248234008^x^L", "CWE"), ("", "CWE")]
)
def test_any_other_answer_is_no_consciousness(value: str, kind: str) -> None:
    assert skipped(obx(ACVPU, value, kind=kind)) is Why.UNKNOWN


def test_a_glasgow_score_is_not_acvpu() -> None:
    assert skipped(obx("9269-2^Glasgow coma score total^LN", "15", "{score}")) is Why.UNKNOWN


# The messages of others, and two other readers


def shared(name: str) -> bytes:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{file.name} is not here: the shared data lies beside the project, not in it")
    return file.read_bytes()


def test_a_philips_monitor_has_two_sets_and_every_value_is_unverified() -> None:
    readings = read_observations(parse(shared("pcd01_philips_physiological_monitor.hl7")), UTC)
    cuff, now = datetime(2015, 1, 22, 11, 50, tzinfo=UTC), datetime(2015, 1, 22, 18, 26, 56, tzinfo=UTC)
    pressures = ((Vital.SBP, 117), (Vital.DBP, 82), (Vital.MAP, 90))
    rest = ((Vital.HR, Source.ECG, 80), (Vital.RR, Source.ECG, 30), (Vital.SPO2, Source.OXIMETER, 99))
    assert readings == Readings(
        sets=(
            ObservationSet(cuff, tuple(Measured(vital, Source.CUFF, value, cuff, False) for vital, value in pressures)),
            ObservationSet(now, tuple(Measured(*one, now, False) for one in rest)),
        ),
        skipped=4,
        reasons={Why.UNKNOWN: 4},
    )


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("ORU-multiline-short.hl7", {Why.UNKNOWN: 3}),
        ("linuxforhealth_01.hl7", {Why.UNKNOWN: 1}),
        ("linuxforhealth_02.hl7", {Why.UNKNOWN: 1}),
        ("linuxforhealth_03.hl7", {Why.UNKNOWN: 1}),
        ("linuxforhealth_04.hl7", {Why.UNKNOWN: 1}),
        ("linuxforhealth_05.hl7", {Why.UNKNOWN: 2}),
        ("linuxforhealth_06.hl7", {Why.UNKNOWN: 1}),
        ("ms_oru_r01_01.hl7", {Why.UNKNOWN: 3, Why.NO_NUMBER: 1, Why.STATUS: 1}),
    ],
)
def test_reports_and_laboratory_values_are_skipped(name: str, reasons: dict[Why, int]) -> None:
    readings = read_observations(parse(shared(name)), BERLIN)
    assert readings == Readings((), sum(reasons.values()), reasons)


OURS = "\r".join([MSH, OBR, obx(HR, "80", BEATS), obx(SPO2, "96.5", PERCENT), obx("150021^x^MDC", "117", "mmHg")])


Reader = Callable[[str], Iterator[tuple[str, str]]]


def as_hl7_reads(text: str) -> Iterator[tuple[str, str]]:
    for segment in hl7.parse(text).segments("OBX"):
        yield str(segment[3]).partition("^")[0], str(segment[5])


def as_hl7apy_reads(text: str) -> Iterator[tuple[str, str]]:
    for segment in parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False).obx:
        yield segment.obx_3.value.partition("^")[0], segment.obx_5.value


@pytest.mark.parametrize("reader", [as_hl7_reads, as_hl7apy_reads])
@pytest.mark.parametrize("name", ["ours", "pcd01_philips_physiological_monitor.hl7"])
def test_values_equal_what_two_other_readers_read(name: str, reader: Reader) -> None:
    text = OURS if name == "ours" else shared(name).decode().replace("\r\n", "\r").replace("\n", "\r")
    ours = {value for one in read_observations(parse(text.encode()), UTC).sets for value in one.measured}
    codes = {"147842": Vital.HR, "150456": Vital.SPO2, "151562": Vital.RR}
    codes |= {"150021": Vital.SBP, "150022": Vital.DBP, "150023": Vital.MAP}
    theirs = {(codes[code], float(value)) for code, value in reader(text) if code in codes}
    assert {(value.vital, value.value) for value in ours} == theirs
    assert len(theirs) >= 3


# Anything at all


@given(st.lists(st.text(st.sampled_from("0123456789.-|^~&\\OBXRPIDNMSTF\r147842150456%"), max_size=60), max_size=8))
@example([obx(HR, "80", BEATS, at="99999999")])
@example(["OBX|1|NM|147842|" + "9" * 5000 + "|80"])
def test_no_message_breaks_the_reader(lines: list[str]) -> None:
    try:
        readings = read(*lines)
    except Refused:
        return
    assert readings.skipped == sum(readings.reasons.values())
    assert all(one.measured or one.consciousness or one.on_oxygen is not None for one in readings.sets)


@given(st.binary())
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    try:
        read_observations(parse(MSH.encode() + b"\rOBX|1|" + raw), BERLIN)
    except Refused:
        return
