"""Codes and units mean what their tables say, and a number that could mean two things means nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.intake import codes
from hospital.intake.codes import PLAUSIBLE, Aspect, Measure, Why, canonical, observable
from hospital.triage.observation import Consciousness, Source, Vital

EPSILON = 0.001

# Written from the standards' own tables, not from the code.
MEANT = {
    (Vital.HR, Source.ECG): "147842 76282-3",
    (Vital.HR, Source.OXIMETER): "149530 8889-8",
    (Vital.HR, Source.CUFF): "149546",
    (Vital.HR, Source.ARTERIAL): "149522",
    (Vital.HR, Source.OTHER): "149514 8867-4",
    (Vital.RR, Source.ECG): "151578",
    (Vital.RR, Source.OXIMETER): "151658",
    (Vital.RR, Source.OTHER): "151562 151570 151594 151650 9279-1",
    (Vital.SPO2, Source.OXIMETER): "150456 59408-5",
    (Vital.SPO2, Source.OTHER): "2708-6",
    (Vital.SBP, Source.CUFF): "150021 150301 76534-7",
    (Vital.DBP, Source.CUFF): "150022 150302 76535-4",
    (Vital.MAP, Source.CUFF): "150023 150303 76536-2",
    (Vital.SBP, Source.ARTERIAL): "150033 150037 76215-3",
    (Vital.DBP, Source.ARTERIAL): "150034 150038 76213-8",
    (Vital.MAP, Source.ARTERIAL): "150035 150039 76214-6",
    (Vital.SBP, Source.OTHER): "150017 8480-6",
    (Vital.DBP, Source.OTHER): "150018 8462-4",
    (Vital.MAP, Source.OTHER): "150019 8478-0",
    (Vital.TEMP, Source.OTHER): "150344 150364 150368 150392 188420 188424 188428 188452 "
    "8310-5 8328-7 8329-5 8331-1 8332-9 8333-7",
}


# Codes


@pytest.mark.parametrize(
    ("code", "measure"), [(code, Measure(*what)) for what, written in MEANT.items() for code in written.split()]
)
def test_a_code_means_one_vital_sign_and_one_source(code: str, measure: Measure) -> None:
    assert observable([code]) == measure


@pytest.mark.parametrize(
    ("code", "aspect"),
    [
        ("3151-8", Aspect.OXYGEN_FLOW),
        ("3150-6", Aspect.OXYGEN_FRACTION),
        ("19994-3", Aspect.OXYGEN_FRACTION),
        ("1104441000000107", Aspect.CONSCIOUSNESS),
        ("80288-4", Aspect.CONSCIOUSNESS),
        ("67775-7", Aspect.CONSCIOUSNESS),
    ],
)
def test_oxygen_and_consciousness_have_codes_too(code: str, aspect: Aspect) -> None:
    assert observable([code]) is aspect


@pytest.mark.parametrize(
    "code",
    [
        "9269-2",
        "150388",
        "150448",
        "147232",
        "151712",
        "MDC_PULS_OXIM_SAT_O2",
        "",
        "0150456",
        "150456 ",
        "8867",
        "85354-9",
    ],
)
def test_a_glasgow_score_the_skin_and_names_are_no_vital_sign(code: str) -> None:
    assert observable([code]) is None


def test_nothing_sent_is_nothing_known() -> None:
    assert observable([]) is None


@pytest.mark.parametrize("written", [["2708-6", "59408-5"], ["59408-5", "2708-6"], ["x", "2708-6", "59408-5"]])
def test_of_two_codes_for_one_thing_the_one_that_names_its_method_is_taken(written: list[str]) -> None:
    assert observable(written) == Measure(Vital.SPO2, Source.OXIMETER)


def test_codes_that_contradict_each_other_mean_nothing() -> None:
    assert observable(["8867-4", "9279-1"]) is None
    assert observable(["8867-4", "3151-8"]) is None


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("248234008", Consciousness.ALERT),
        ("130987000", Consciousness.CONFUSION),
        ("300202002", Consciousness.VOICE),
        ("450847001", Consciousness.PAIN),
        ("422768004", Consciousness.UNRESPONSIVE),
    ],
)
def test_each_answer_of_acvpu_is_known(code: str, answer: Consciousness) -> None:
    assert codes.consciousness([code]) is answer
    assert codes.consciousness(["A", code]) is answer


def test_no_answer_and_two_answers_are_no_consciousness() -> None:
    assert codes.consciousness([]) is None
    assert codes.consciousness(["LA6560-2", "15"]) is None
    assert codes.consciousness(["248234008", "422768004"]) is None


@pytest.mark.parametrize(
    ("system", "local"), [("L", True), ("99MNDRY", True), ("99", True), ("LN", False), ("", False)]
)
def test_a_senders_own_numbers_are_not_ours(system: str, local: bool) -> None:
    assert codes.is_local(system) is local


# Devices


@pytest.mark.parametrize(
    ("first", "source"), [(69640, Source.OXIMETER), (69796, Source.ECG), (70684, Source.CUFF), (4260, Source.ECG)]
)
def test_a_device_its_mds_vmd_and_channel_measure_alike(first: int, source: Source) -> None:
    assert {codes.device(first + n) for n in range(4)} == {source}
    assert codes.device(first - 1) is None
    assert codes.device(first + 4) is None


@pytest.mark.parametrize("code", [69965, 70675, 131072 + 4262, 0])
def test_another_device_says_nothing_of_the_source(code: int) -> None:
    assert codes.device(code) is None


@pytest.mark.parametrize(
    ("source", "vitals"),
    [
        (Source.ECG, {Vital.HR, Vital.RR}),
        (Source.OXIMETER, {Vital.HR, Vital.RR, Vital.SPO2}),
        (Source.CUFF, {Vital.HR, Vital.SBP, Vital.DBP, Vital.MAP}),
        (None, set()),
    ],
)
def test_a_device_lends_its_source_only_to_what_it_can_measure(source: Source | None, vitals: set[Vital]) -> None:
    told = {vital for vital in Vital if codes.measured_with(Measure(vital, Source.OTHER), source).source is source}
    assert told == vitals
    untold = set(Vital) - vitals
    assert {codes.measured_with(Measure(vital, Source.OTHER), source).source for vital in untold} == {Source.OTHER}


def test_a_code_that_names_its_source_keeps_it() -> None:
    assert codes.measured_with(Measure(Vital.HR, Source.OXIMETER), Source.ECG) == Measure(Vital.HR, Source.OXIMETER)


# Units

CONVERSIONS: list[tuple[Vital | Aspect, float, str, float]] = [
    (Vital.TEMP, 98.6, "[degF]", 37.0),
    (Vital.TEMP, 100.4, "266560", 38.0),
    (Vital.TEMP, 95, "°F", 35.0),
    (Vital.TEMP, 101.3, "degF", 38.5),
    (Vital.TEMP, 104, "F", 40.0),
    (Vital.TEMP, 36.5, "Cel", 36.5),
    (Vital.TEMP, 36.5, "268192", 36.5),
    (Vital.TEMP, 36.5, "C", 36.5),
    (Vital.TEMP, 36.5, "degC", 36.5),
    (Vital.SBP, 16, "kPa", 120.009852),
    (Vital.SBP, 16, "265987", 120.009852),
    (Vital.DBP, 10.5, "KPA", 78.756465),
    (Vital.SBP, 117, "266016", 117),
    (Vital.SBP, 117, "mm[Hg]", 117),
    (Vital.MAP, 90, "mm Hg", 90),
    (Vital.MAP, 90, "MM[HG]", 90),
    (Vital.SPO2, 97, "%", 97),
    (Vital.SPO2, 97, "%{O2}", 97),
    (Vital.SPO2, 97, "262688", 97),
    (Vital.SPO2, 0.97, "1", 97.0),
    (Vital.SPO2, 0.57, "{fraction}", 57.0),
    (Vital.HR, 80, "264864", 80),
    (Vital.HR, 80, "{beat}/min", 80),
    (Vital.HR, 80, "{Beats}/min", 80),
    (Vital.HR, 80, "BPM", 80),
    (Vital.HR, 80, "beats/minute", 80),
    (Vital.RR, 18, "264928", 18),
    (Vital.RR, 18, "/min", 18),
    (Vital.RR, 18, "breaths/minute", 18),
    (Vital.RR, 18, "{breaths}/min", 18),
    (Aspect.OXYGEN_FLOW, 2, "L/min", 2),
    (Aspect.OXYGEN_FLOW, 2, "265216", 2),
    (Aspect.OXYGEN_FRACTION, 40, "%", 40),
    (Aspect.OXYGEN_FRACTION, 0.4, "1", 40.0),
]


@pytest.mark.parametrize(("what", "value", "unit", "kept"), CONVERSIONS)
def test_a_value_is_kept_in_the_one_unit_of_its_vital_sign(
    what: Vital | Aspect, value: float, unit: str, kept: float
) -> None:
    assert canonical(what, value, [unit]) == kept


def test_several_spellings_of_one_unit_agree() -> None:
    assert canonical(Vital.SPO2, 97, ["262688", "MDC_DIM_PERCENT", "%", "percent"]) == 97


@pytest.mark.parametrize(
    ("what", "value", "units"),
    [
        (Vital.TEMP, 36.5, ["mmHg"]),
        (Vital.SBP, 117, ["cmH2O"]),
        (Vital.SBP, 117, ["{x}"]),
        (Vital.SBP, 117, ["MDC_DIM_MMHG"]),
        (Vital.SBP, 16, ["kPa", "mmHg"]),
        (Vital.HR, 80, ["%"]),
        (Vital.SPO2, 97, ["/min"]),
        (Vital.TEMP, 37, ["268224"]),
        (Aspect.OXYGEN_FLOW, 2, ["%"]),
    ],
)
def test_a_unit_that_is_unknown_wrong_or_contradicted_is_not_taken(
    what: Vital | Aspect, value: float, units: list[str]
) -> None:
    assert canonical(what, value, units) is Why.WRONG_UNIT


@pytest.mark.parametrize("units", [[], [""], ["", ""]])
@pytest.mark.parametrize(
    ("what", "value"),
    [
        (Vital.HR, 80),
        (Vital.HR, 0),
        (Vital.RR, 18),
        (Vital.SPO2, 97),
        (Vital.SBP, 117),
        (Vital.DBP, 60),
        (Vital.TEMP, 36.5),
        (Aspect.OXYGEN_FLOW, 2),
        (Aspect.OXYGEN_FRACTION, 40),
    ],
)
def test_without_a_unit_a_number_that_can_mean_only_one_thing_is_taken(
    what: Vital | Aspect, value: float, units: list[str]
) -> None:
    assert canonical(what, value, units) == value


@pytest.mark.parametrize(
    ("what", "value"),
    [(Vital.TEMP, 98.6), (Vital.SBP, 16), (Vital.DBP, 10), (Vital.MAP, 12), (Vital.SPO2, 0.97)]
    + [(Aspect.OXYGEN_FRACTION, 0.4)],
)
def test_without_a_unit_a_number_that_may_be_meant_in_another_is_not_taken(what: Vital | Aspect, value: float) -> None:
    assert canonical(what, value, []) is Why.NO_UNIT


# Values that nobody has


@pytest.mark.parametrize("value", [-100, -999, -99.9, 32767])
@pytest.mark.parametrize("units", [[], ["268192"], ["[degF]"], ["nonsense"]])
def test_what_devices_send_for_no_value_is_no_value(value: float, units: list[str]) -> None:
    assert canonical(Vital.TEMP, value, units) is Why.NO_VALUE


UNIT = {
    Vital.HR: "/min", Vital.RR: "/min", Vital.SPO2: "%", Vital.SBP: "mmHg", Vital.DBP: "mmHg", Vital.MAP: "mmHg",
    Vital.TEMP: "Cel", Aspect.OXYGEN_FLOW: "L/min", Aspect.OXYGEN_FRACTION: "%",
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        (Vital.HR, 0, 400),
        (Vital.RR, 0, 150),
        (Vital.SPO2, 10, 100),
        (Vital.SBP, 10, 350),
        (Vital.DBP, 3, 250),
        (Vital.MAP, 3, 300),
        (Vital.TEMP, 10, 47),
        (Aspect.OXYGEN_FLOW, 0, 100),
        (Aspect.OXYGEN_FRACTION, 15, 100),
    ],
)
def test_both_ends_of_what_is_possible_are_taken_and_nothing_beyond(
    what: Vital | Aspect, low: float, high: float
) -> None:
    assert [canonical(what, value, [UNIT[what]]) for value in (low, high)] == [low, high]
    beyond = (low - EPSILON, high + EPSILON, math.inf, -math.inf, math.nan)
    assert {canonical(what, value, [UNIT[what]]) for value in beyond} == {Why.IMPOSSIBLE}


def test_a_saturation_above_100_and_a_pressure_of_nothing_are_impossible() -> None:
    assert canonical(Vital.SPO2, 100.1, ["%"]) is Why.IMPOSSIBLE
    assert canonical(Vital.SPO2, 0, ["%"]) is Why.IMPOSSIBLE
    assert canonical(Vital.SBP, 0, ["mmHg"]) is Why.IMPOSSIBLE
    assert canonical(Vital.SBP, 117, ["kPa"]) is Why.IMPOSSIBLE
    assert canonical(Vital.TEMP, 36.5, ["[degF]"]) is Why.IMPOSSIBLE
    assert canonical(Vital.TEMP, 500, []) is Why.IMPOSSIBLE


@given(
    what=st.sampled_from([*Vital, Aspect.OXYGEN_FLOW, Aspect.OXYGEN_FRACTION]),
    value=st.floats(),
    units=st.lists(st.sampled_from(["", "%", "1", "mm[Hg]", "kPa", "Cel", "[degF]", "/min", "L/min", "x"])),
)
def test_whatever_is_kept_is_possible(what: Vital | Aspect, value: float, units: list[str]) -> None:
    kept = canonical(what, value, units)
    assert isinstance(kept, Why) or PLAUSIBLE[what][0] <= kept <= PLAUSIBLE[what][1]


# Numbers and oxygen


@pytest.mark.parametrize(
    ("written", "number"),
    [("88", 88), ("36.5", 36.5), ("+5", 5), ("-5", -5), (".5", 0.5), ("5.", 5), ("999999999999", 999999999999)],
)
def test_a_plain_number_is_read(written: str, number: float) -> None:
    assert codes.number(written) == number


@pytest.mark.parametrize(
    "written",
    ["", "27~25", "88^x", "<50", "88 %", "1e3", "0x10", "nan", "inf", "1_0", "٨٨", "88\n", "1234567890123", "."],
)
def test_anything_else_is_no_number(written: str) -> None:
    assert codes.number(written) is None


@pytest.mark.parametrize(
    ("what", "value", "on_oxygen"),
    [
        (Aspect.OXYGEN_FLOW, 0, False),
        (Aspect.OXYGEN_FLOW, 0.1, True),
        (Aspect.OXYGEN_FRACTION, 21, False),
        (Aspect.OXYGEN_FRACTION, 20.9, False),
        (Aspect.OXYGEN_FRACTION, 21.1, True),
    ],
)
def test_more_than_air_is_oxygen(what: Aspect, value: float, on_oxygen: bool) -> None:
    assert codes.on_oxygen(what, value) is on_oxygen
