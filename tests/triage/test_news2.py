"""NEWS2 against the published table, typed from the chart a second time, and against cases that others wrote."""

import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.triage.latest import Latest, take
from hospital.triage.news2 import Ages, Band, Parts, Score, parts, score
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital
from hospital.vocabulary import Priority

A, C, V, P, U = Consciousness
CHART = ("respiration", "spo2", "on_oxygen", "systolic", "pulse", "consciousness", "temperature")
WELL = Parts(
    respiration=16, spo2=97, on_oxygen=False, systolic=120, pulse=70, consciousness=Consciousness.ALERT, temperature=37
)
WELL_ON_SCALE_2 = replace(WELL, spo2=90)
AGES = Ages()

# ---- The published table: first and last value of each band, and its points ------------------------------------------

BANDS: dict[str, list[tuple[float, float, int]]] = {
    "respiration": [(0, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 90, 3)],
    "spo2": [(0, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)],
    "systolic": [(0, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 300, 3)],
    "pulse": [(0, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 300, 3)],
    "temperature": [(20.0, 35.0, 3), (35.1, 36.0, 1), (36.1, 38.0, 0), (38.1, 39.0, 1), (39.1, 45.0, 2)],
}
SCALE_2: dict[bool, list[tuple[float, float, int]]] = {
    False: [(0, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 100, 0)],
    True: [(0, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 94, 1), (95, 96, 2), (97, 100, 3)],
}


def inside(band: tuple[float, float, int], unit: float) -> Iterator[tuple[float, int]]:
    """Every value that a chart has for this band."""
    first, last, points = band
    for n in range(round((last - first) / unit) + 1):
        yield round(first + n * unit, 1), points


def every_value() -> Iterator[tuple[str, float, int]]:
    for part, bands in BANDS.items():
        for band in bands:
            for value, points in inside(band, 0.1 if part == "temperature" else 1):
                yield part, value, points


def with_part(part: str, value: Any, patient: Parts = WELL) -> Parts:
    return replace(patient, **{part: value})


@pytest.mark.parametrize("part", BANDS)
def test_each_value_of_the_table_has_its_points_and_no_other_part_has_any(part: str) -> None:
    for name, value, points in every_value():
        if name == part:
            scored = score(with_part(part, value), 1)
            assert scored.points == dict.fromkeys(CHART, 0) | {part: points}, value
            assert (scored.total, scored.complete) == (points, True)


@pytest.mark.parametrize("on_oxygen", [False, True])
def test_each_saturation_has_its_points_on_scale_2(on_oxygen: bool) -> None:
    for band in SCALE_2[on_oxygen]:
        for value, points in inside(band, 1):
            scored = score(replace(WELL, spo2=value, on_oxygen=on_oxygen), 2)
            assert scored.points == dict.fromkeys(CHART, 0) | {"spo2": points, "on_oxygen": 2 if on_oxygen else 0}


@pytest.mark.parametrize("on_oxygen", [False, True, None])
def test_on_scale_1_oxygen_does_not_change_the_points_of_the_saturation(on_oxygen: bool | None) -> None:
    for band in BANDS["spo2"]:
        for value, points in inside(band, 1):
            assert score(replace(WELL, spo2=value, on_oxygen=on_oxygen), 1).points["spo2"] == points


@pytest.mark.parametrize("scale", [1, 2])
def test_the_other_parts_are_the_same_on_both_scales(scale: int) -> None:
    for part, value, points in every_value():
        if part != "spo2":
            assert score(with_part(part, value, WELL_ON_SCALE_2), scale).points[part] == points


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(("consciousness", "points"), [(A, 0), (C, 3), (V, 3), (P, 3), (U, 3)])
def test_anything_but_alert_is_three(consciousness: Consciousness, points: int, scale: int) -> None:
    assert score(replace(WELL, consciousness=consciousness), scale).points["consciousness"] == points


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(("on_oxygen", "points"), [(False, 0), (True, 2)])
def test_oxygen_is_two(on_oxygen: bool, points: int, scale: int) -> None:
    assert score(replace(WELL_ON_SCALE_2, on_oxygen=on_oxygen), scale).points["on_oxygen"] == points


def test_ninety_three_on_air_is_no_point_on_scale_2() -> None:
    assert score(replace(WELL, spo2=93), 2).total == 0


def test_the_worst_patient_has_twenty() -> None:
    worst = Parts(25, 83, True, 90, 131, Consciousness.UNRESPONSIVE, 35.0)
    assert score(worst, 1).total == score(worst, 2).total == 20


def test_points_stand_in_the_order_of_the_chart() -> None:
    assert tuple(score(WELL, 1).points) == tuple(score(Parts(), 2).points) == CHART
    assert tuple(field.name for field in fields(Parts)) == CHART


@pytest.mark.parametrize("scale", [0, 3, -1, 12])
def test_there_is_no_other_scale(scale: int) -> None:
    with pytest.raises(ValueError, match=f"not {scale}"):
        score(WELL, scale)


# ---- Between the bands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temperature", "points"),
    [
        (38.05, 1), (38.04, 0), (38.049999, 0), (37.5, 0), (39.05, 2), (39.04, 1),
        (36.05, 0), (36.04, 1), (35.05, 1), (35.04, 3), (35.0499, 3), (38, 0), (39, 1),
    ],
)  # fmt: skip
def test_a_temperature_is_rounded_to_a_tenth_first_halves_up(temperature: float, points: int) -> None:
    assert score(replace(WELL, temperature=temperature), 1).points["temperature"] == points


@pytest.mark.parametrize(
    ("part", "value", "points"),
    [
        ("respiration", 20.4, 0), ("respiration", 20.5, 2), ("respiration", 8.5, 1), ("respiration", 8.4, 3),
        ("respiration", 24.5, 3), ("respiration", 11.5, 0), ("spo2", 91.5, 2), ("spo2", 91.4, 3), ("spo2", 93.5, 1),
        ("spo2", 95.5, 0), ("systolic", 90.5, 2), ("systolic", 90.4, 3), ("systolic", 219.5, 3),
        ("systolic", 219.4, 0), ("pulse", 40.5, 1), ("pulse", 90.5, 1), ("pulse", 90.4, 0), ("pulse", 130.5, 3),
    ],
)  # fmt: skip
def test_everything_else_is_rounded_to_a_whole_number_halves_up(part: str, value: float, points: int) -> None:
    assert score(with_part(part, value), 1).points[part] == points


@pytest.mark.parametrize(("spo2", "on_oxygen", "points"), [(92.5, True, 1), (92.4, True, 0), (83.5, False, 2)])
def test_saturations_are_rounded_on_scale_2_too(spo2: float, on_oxygen: bool, points: int) -> None:
    assert score(replace(WELL, spo2=spo2, on_oxygen=on_oxygen), 2).points["spo2"] == points


# ---- Incomplete ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", CHART)
def test_a_missing_part_is_missing_and_never_nothing(part: str) -> None:
    scored = score(with_part(part, None), 1)
    assert scored.points[part] is None
    assert (scored.missing, scored.complete, scored.total, scored.text) == ((part,), False, 0, "≥ 0")


def test_of_a_patient_of_whom_nothing_is_known_everything_is_missing() -> None:
    for scale in (1, 2):
        scored = score(Parts(), scale)
        assert (scored.missing, scored.total, scored.text, scored.red) == (CHART, 0, "≥ 0", False)


def test_what_is_missing_is_named_in_the_order_of_the_chart() -> None:
    assert score(replace(WELL, temperature=None, respiration=None, pulse=None), 1).missing == (
        "respiration", "pulse", "temperature",
    )  # fmt: skip


def test_an_incomplete_score_is_a_lower_bound_and_acts_by_it() -> None:
    scored = score(replace(WELL, respiration=25, systolic=95, consciousness=None, on_oxygen=None), 1)
    assert (scored.text, scored.band, scored.priority) == ("≥ 5", Band.MEDIUM, Priority.MEDIUM)
    assert scored.missing == ("on_oxygen", "consciousness")


def test_a_complete_score_is_a_number() -> None:
    assert score(replace(WELL, respiration=25, systolic=95, on_oxygen=True), 1).text == "7"


@pytest.mark.parametrize("spo2", [93, 94, 95, 96, 97, 100, 92.5])
def test_on_scale_2_a_high_saturation_is_missing_while_oxygen_is_unknown(spo2: float) -> None:
    scored = score(replace(WELL, spo2=spo2, on_oxygen=None), 2)
    assert scored.points["spo2"] is None
    assert scored.missing == ("spo2", "on_oxygen")


def test_on_scale_2_any_other_saturation_counts_while_oxygen_is_unknown() -> None:
    for band in SCALE_2[True][:4]:
        for spo2, points in inside(band, 1):
            scored = score(replace(WELL, spo2=spo2, on_oxygen=None), 2)
            assert (scored.points["spo2"], scored.missing) == (points, ("on_oxygen",))
    assert score(replace(WELL, spo2=92.4, on_oxygen=None), 2).points["spo2"] == 0


# ---- The answer ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    band: Band
    risk: str
    hours: int
    priority: Priority | None
    says: str


ROUTINE = Answer(Band.LOW, "Low", 12, None, "Continue routine NEWS monitoring")
LOW = Answer(Band.LOW, "Low", 4, None, "Inform registered nurse, who must assess the patient")
RED = Answer(Band.LOW_MEDIUM, "Low-medium", 1, Priority.LOW, "who will review and decide whether escalation")
MEDIUM = Answer(Band.MEDIUM, "Medium", 1, Priority.MEDIUM, "urgent assessment by a clinician or team with core")
HIGH = Answer(Band.HIGH, "High", 0, Priority.HIGH, "at least at specialist registrar level")
SAYINGS = {answer.says for answer in (ROUTINE, LOW, RED, MEDIUM, HIGH)}


def scored(*points: int | None) -> Score:
    return Score(dict(zip(CHART, (*points, 0, 0, 0, 0, 0, 0, 0), strict=False)))


@pytest.mark.parametrize(
    ("points", "answer"),
    [
        ((0,), ROUTINE),
        ((1,), LOW), ((2,), LOW), ((2, 1), LOW), ((2, 2), LOW),
        ((3,), RED), ((0, 0, 0, 3), RED), ((3, 1), RED), ((1, 0, 0, 0, 0, 3), RED),
        ((2, 2, 1), MEDIUM), ((3, 2), MEDIUM), ((3, 3), MEDIUM), ((2, 2, 2), MEDIUM),
        ((2, 2, 2, 1), HIGH), ((3, 3, 1), HIGH), ((3, 3, 2, 3, 3, 3, 3), HIGH),
        ((None,), LOW), ((None,) * 7, LOW), ((None, 1), LOW),
        ((None, 3), RED), ((3, 1, None), RED), ((3, 2, None), MEDIUM), ((3, 3, None), MEDIUM), ((3, 3, 1, None), HIGH),
    ],
)  # fmt: skip
def test_each_band_has_its_answer(points: tuple[int | None, ...], answer: Answer) -> None:
    """12 hours are for a complete 0 only."""
    got = scored(*points)
    assert (got.band, got.risk, got.priority) == (answer.band, answer.risk, answer.priority)
    assert got.observe_within == timedelta(hours=answer.hours)
    assert {saying for saying in SAYINGS if saying in got.response} == {answer.says}


@pytest.mark.parametrize("points", [(3,), (3, 2), (3, 3, 3), (None, 3), (0, 0, 0, 0, 0, 0, 3)])
def test_three_in_a_single_part_is_red_whatever_the_total(points: tuple[int | None, ...]) -> None:
    assert scored(*points).red is True


@pytest.mark.parametrize("points", [(0,), (2, 1), (2, 2, 2, 2), (None,), (1, 2)])
def test_three_in_many_parts_is_not_red(points: tuple[int | None, ...]) -> None:
    assert scored(*points).red is False


@pytest.mark.parametrize(
    ("thing", "name"), [(WELL, "pulse"), (AGES, "fast_s"), (scored(3), "points"), (scored(3)._answer, "priority")]
)
def test_nothing_of_a_score_changes(thing: object, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(thing, name, None)


def test_bands_are_spelt_like_this() -> None:
    assert [band.value for band in Band] == ["low", "low-medium", "medium", "high"]


# ---- Any patient -----------------------------------------------------------------------------------------------------

patients = st.builds(
    Parts,
    respiration=st.none() | st.floats(0, 80),
    spo2=st.none() | st.floats(50, 100),
    on_oxygen=st.none() | st.booleans(),
    systolic=st.none() | st.floats(30, 280),
    pulse=st.none() | st.floats(0, 250),
    consciousness=st.none() | st.sampled_from(Consciousness),
    temperature=st.none() | st.floats(25, 44),
)
scales = st.sampled_from([1, 2])
PRIORITIES = [None, Priority.LOW, Priority.MEDIUM, Priority.HIGH]


@settings(deadline=None)
@given(patients, scales)
def test_a_total_is_what_its_parts_add_up_to_and_never_more_than_twenty(patient: Parts, scale: int) -> None:
    got = score(patient, scale)
    present = [points for points in got.points.values() if points is not None]
    assert 0 <= got.total == sum(present) <= 20
    assert len(got.missing) + len(present) == 7
    assert got.complete == (got.missing == ())
    assert got.text == (str(got.total) if got.complete else f"≥ {got.total}")


@settings(deadline=None)
@given(patients, scales, st.sampled_from(CHART))
def test_a_part_that_goes_missing_never_raises_anything(patient: Parts, scale: int, part: str) -> None:
    before, after = score(patient, scale), score(replace(patient, **{part: None}), scale)
    assert part in after.missing and not after.complete
    assert after.total <= before.total
    assert set(before.missing) <= set(after.missing)
    assert list(Band).index(after.band) <= list(Band).index(before.band)


@settings(deadline=None)
@given(patients, scales)
def test_filling_in_what_is_missing_never_lowers_the_bound(patient: Parts, scale: int) -> None:
    bound = score(patient, scale).total
    for on_oxygen, consciousness in product([False, True], Consciousness):
        filled = replace(
            patient,
            on_oxygen=on_oxygen if patient.on_oxygen is None else patient.on_oxygen,
            consciousness=patient.consciousness or consciousness,
        )
        assert score(filled, scale).total >= bound


points_of_all = st.lists(st.none() | st.integers(0, 3), min_size=7, max_size=7)


@settings(deadline=None)
@given(points_of_all, st.integers(0, 6))
def test_more_points_never_mean_a_lower_band_or_a_later_look(points: list[int | None], which: int) -> None:
    lower = points[which] or 0
    now = scored(*[lower if n == which else p for n, p in enumerate(points)])
    worse = scored(*[min(lower + 1, 3) if n == which else p for n, p in enumerate(points)])
    assert list(Band).index(worse.band) >= list(Band).index(now.band)
    assert worse.observe_within <= now.observe_within
    assert PRIORITIES.index(worse.priority) >= PRIORITIES.index(now.priority)


# ---- From what is known ----------------------------------------------------------------------------------------------

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def known_since(at: datetime) -> Latest:
    every = (
        Measured(Vital.RR, Source.OTHER, 16, at),
        Measured(Vital.SPO2, Source.OXIMETER, 97, at),
        Measured(Vital.SBP, Source.CUFF, 120, at),
        Measured(Vital.DBP, Source.CUFF, 75, at),
        Measured(Vital.MAP, Source.CUFF, 90, at),
        Measured(Vital.HR, Source.ECG, 70, at),
        Measured(Vital.TEMP, Source.OTHER, 37, at),
    )
    return take(Latest(), ObservationSet(at, every, Consciousness.ALERT, on_oxygen=False))


SLOW_ONLY = replace(WELL, respiration=None, spo2=None, pulse=None)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), WELL),
        (timedelta(minutes=15), WELL),
        (timedelta(minutes=15) + TICK, SLOW_ONLY),
        (timedelta(hours=12), SLOW_ONLY),
        (timedelta(hours=12) + TICK, Parts()),
    ],
)
def test_exactly_as_old_as_the_setting_still_counts_and_older_is_missing(age: timedelta, expected: Parts) -> None:
    assert parts(known_since(NOON - age), NOON, AGES) == expected


@pytest.mark.parametrize(("age_s", "expected"), [(10, WELL), (11, SLOW_ONLY), (20, SLOW_ONLY), (21, Parts())])
def test_the_ages_are_settings(age_s: int, expected: Parts) -> None:
    assert parts(known_since(NOON - timedelta(seconds=age_s)), NOON, Ages(fast_s=10, slow_s=20)) == expected


def test_slow_parts_may_not_be_allowed_less_than_fast_ones() -> None:
    assert (Ages(fast_s=60, slow_s=60).slow_s, AGES.fast_s, AGES.slow_s) == (60, 900, 43_200)
    with pytest.raises(ValueError, match="shorter"):
        Ages(fast_s=61, slow_s=60)


def test_nothing_is_known_of_a_new_patient() -> None:
    assert parts(Latest(), NOON, AGES) == Parts()


@pytest.mark.parametrize(("vital", "part"), [(Vital.SBP, "systolic"), (Vital.TEMP, "temperature")])
def test_a_line_taken_out_hours_ago_does_not_hide_the_value_of_a_moment_ago(vital: Vital, part: str) -> None:
    def value_when(line_age: timedelta, other_age: timedelta) -> object:
        line = Measured(vital, Source.ARTERIAL, 39, NOON - line_age)
        other = Measured(vital, Source.CUFF, 36, NOON - other_age)
        return getattr(parts(take(Latest(), ObservationSet(NOON, (line, other))), NOON, AGES), part)

    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert value_when(15 * minute, minute) == 39  # live, so the better source
    assert value_when(15 * minute + TICK, minute) == 36
    assert value_when(3 * hour, 2 * hour) == 36
    assert value_when(2 * hour, 3 * hour) == 39


def test_the_pulse_is_that_of_the_first_fresh_source() -> None:
    ecg = Measured(Vital.HR, Source.ECG, 70, NOON - timedelta(minutes=15))
    oximeter = Measured(Vital.HR, Source.OXIMETER, 140, NOON)
    latest = take(Latest(), ObservationSet(NOON, (oximeter, ecg)))
    assert parts(latest, NOON, AGES).pulse == 70
    assert parts(latest, NOON + TICK, AGES).pulse == 140


# ---- Cases that others wrote -----------------------------------------------------------------------------------------

FILES = Path(__file__).parents[3] / "shared" / "data" / "news2"
NOT_HERE = "the shared NEWS2 cases are not beside this checkout"
GIVEN = {  # the file's name of an input, and its part
    "Systolic BP": "systolic", "spO2": "spo2", "Heart rate": "pulse", "Temperature": "temperature",
    "Respiration rate": "respiration", "Supplemental oxygen": "on_oxygen", "Consciousness": "consciousness",
}  # fmt: skip
EXPECTED = {
    "Pulse": "pulse", "Temperature": "temperature", "Systolic blood pressure": "systolic",
    "Respiratory rate": "respiration", "SpO2": "spo2",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    name: str
    given: dict[str, str]
    expected: dict[str, str]

    @property
    def patient(self) -> Parts:
        read = {part: self.given[name] for name, part in GIVEN.items()}
        return Parts(
            **{part: float(read[part]) for part in ("respiration", "spo2", "systolic", "pulse", "temperature")},
            on_oxygen={"0": False, "2": True}[read["on_oxygen"]],
            consciousness={"0": Consciousness.ALERT, "3": Consciousness.CONFUSION}[read["consciousness"]],
        )

    @property
    def scale(self) -> int:
        return {"0": 1, "1": 2}[self.given["Hypercapnic respiratory failure"]]


def cases() -> list[Case]:
    """Each line of a case is 'gt0007|spO2: 98,%' or 'gt0027|Pulse: 1|local::at0032|41-50 or 91-110 bpm|'."""
    text = "".join(file.read_text() for file in sorted(FILES.glob("*.yml")))
    return [
        Case(blocks[0].splitlines()[0].strip(), _lines(blocks[0]), _lines(blocks[1]))
        for blocks in (case.split("expected_output:") for case in re.split(r"^  - id: ", text, flags=re.MULTILINE)[1:])
    ]


def _lines(block: str) -> dict[str, str]:
    return {name: re.split(r"[,|]", value)[0] for name, value in re.findall(r"gt\d+\|([^:|]+): (.+)", block)}


@pytest.mark.skipif(not FILES.is_dir(), reason=NOT_HERE)
def test_there_are_nineteen_cases() -> None:
    assert len(cases()) == len({case.name for case in cases()}) == 19


@pytest.mark.skipif(not FILES.is_dir(), reason=NOT_HERE)
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_that_others_wrote_has_its_total_points_and_risk(case: Case) -> None:
    got = score(case.patient, case.scale)
    assert got.complete
    assert got.total == int(case.expected["Total score"])
    assert {part: got.points[part] for part in EXPECTED.values()} == {
        part: int(case.expected[name]) for name, part in EXPECTED.items()
    }
    assert got.points["on_oxygen"] == int(case.given["Supplemental oxygen"])
    assert got.points["consciousness"] == int(case.given["Consciousness"])
    assert list(Band).index(got.band) == int(case.expected["Clinical risk"])  # 0 Low, 1 Low-Medium, 2 Medium, 3 High
    hours = {"0": 12, "1": 4, "2": 1, "3": 0}[case.expected["Frequency of monitoring"]]
    assert got.observe_within == timedelta(hours=hours)
