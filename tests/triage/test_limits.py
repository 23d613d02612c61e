"""A limit that is crossed for long enough makes one alert, and a value that dances on it not fifty."""

import json
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.triage.limits import COUNTS_AT_MOST_S, DEFAULTS, Crossing, Limit, Watch, step
from hospital.triage.observation import Measured, Source, Vital
from hospital.vocabulary import Priority

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STARTED, STILL, ENDED = Crossing.STARTED, Crossing.STILL, Crossing.ENDED

LOW = Limit(Vital.SPO2, 90, None, Priority.MEDIUM, delay_s=10, hysteresis=2)
HIGH = Limit(Vital.HR, None, 130, Priority.HIGH, delay_s=10, hysteresis=5)
SOURCE = {Vital.SPO2: Source.OXIMETER, Vital.HR: Source.ECG, Vital.SBP: Source.ARTERIAL, Vital.TEMP: Source.OTHER}

Played = Sequence[tuple[float, float]]  # seconds after noon, value


def measured(limit: Limit, second: float, value: float, source: Source | None = None) -> Measured:
    return Measured(limit.vital, source or SOURCE[limit.vital], value, NOON + timedelta(seconds=second))


def play(limit: Limit, values: Played, source: Source | None = None) -> list[tuple[float, Crossing]]:
    """What happened, and at which second."""
    watch, happened = Watch(), []
    for second, value in values:
        watch, crossing = step(watch, limit, measured(limit, second, value, source))
        if crossing is not None:
            happened.append((second, crossing))
    return happened


def every_second(*values: float, start: int = 0) -> Played:
    return list(enumerate(values, start))


def turns(limit: Limit, values: Played) -> list[tuple[float, Crossing]]:
    return [(second, crossing) for second, crossing in play(limit, values) if crossing is not STILL]


# ---- Beyond and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "beyond"), [(89.9, True), (90, False), (90.1, False), (0, True)])
def test_only_strictly_below_a_low_limit_is_beyond_it(value: float, beyond: bool) -> None:
    assert LOW.is_beyond(value) is beyond


@pytest.mark.parametrize(("value", "beyond"), [(130.1, True), (130, False), (129.9, False), (0, False)])
def test_only_strictly_above_a_high_limit_is_beyond_it(value: float, beyond: bool) -> None:
    assert HIGH.is_beyond(value) is beyond


@pytest.mark.parametrize(("value", "back"), [(91.9, False), (92, True), (100, True), (90, False), (80, False)])
def test_back_above_a_low_limit_is_inside_by_the_hysteresis(value: float, back: bool) -> None:
    assert LOW.is_back(value) is back


@pytest.mark.parametrize(("value", "back"), [(125.1, False), (125, True), (80, True), (130, False), (140, False)])
def test_back_below_a_high_limit_is_inside_by_the_hysteresis(value: float, back: bool) -> None:
    assert HIGH.is_back(value) is back


def test_hysteresis_is_of_the_decimals_that_people_read() -> None:
    assert 35.1 + 0.2 > 35.3 and 36.3 - 0.1 < 36.2  # as the machine adds them
    assert Limit(Vital.TEMP, 35.1, None, Priority.LOW, 0, 0.2).is_back(35.3)
    assert Limit(Vital.TEMP, None, 36.3, Priority.LOW, 0, 0.1).is_back(36.2)


@settings(deadline=None)
@given(
    st.sampled_from([*DEFAULTS, LOW, HIGH, replace(LOW, hysteresis=0), replace(HIGH, low=0, high=None)]), st.floats()
)
def test_no_value_is_both_beyond_and_back(limit: Limit, value: float) -> None:
    assert not (limit.is_beyond(value) and limit.is_back(value))


def test_a_limit_of_zero_is_a_limit() -> None:
    assert Limit(Vital.TEMP, 0, None, Priority.LOW, 0, 0).is_beyond(-1)
    assert Limit(Vital.TEMP, None, 0, Priority.LOW, 0, 0).is_beyond(1)
    assert Limit(Vital.TEMP, None, 0, Priority.LOW, 0, 0).is_back(0)
    assert Limit(Vital.TEMP, 0, None, Priority.LOW, 0, 0).is_back(0)


# ---- Starting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "beyond"), [(LOW, 89), (HIGH, 131)])
def test_a_crossing_starts_when_the_delay_has_passed_and_goes_on(limit: Limit, beyond: float) -> None:
    assert play(limit, every_second(*[beyond] * 13)) == [(10, STARTED), (11, STILL), (12, STILL)]


@pytest.mark.parametrize(("last", "started"), [(9.999999, []), (10, [(10, STARTED)])])
def test_the_delay_is_reached_exactly(last: float, started: list[tuple[float, Crossing]]) -> None:
    assert play(LOW, [(0, 89), (last, 89)]) == started


def test_tenths_of_seconds_add_up_to_the_delay() -> None:
    assert play(LOW, [(n / 10, 89) for n in range(101)]) == [(10, STARTED)]


def test_without_a_delay_it_starts_at_once() -> None:
    assert play(replace(LOW, delay_s=0), [(0, 89)]) == [(0, STARTED)]


@pytest.mark.parametrize("inside", [90, 91, 99])
def test_a_value_that_is_back_inside_starts_the_delay_anew(inside: float) -> None:
    values = every_second(*[89] * 9, inside, *[89] * 11)
    assert play(LOW, values) == [(20, STARTED)]


def test_values_inside_say_nothing() -> None:
    assert play(LOW, every_second(*[97, 90, 100] * 10)) == []


def test_a_value_that_dances_on_its_limit_makes_one_alert() -> None:
    values = every_second(*[89] * 11, *[89, 90, 91, 90] * 100, *[92] * 9, *[89, 91] * 50)
    assert turns(LOW, values) == [(10, STARTED)]


# ---- Ending ----------------------------------------------------------------------------------------------------------

CROSSED = every_second(*[89] * 11)  # second 10: started


@pytest.mark.parametrize(("limit", "beyond", "back"), [(LOW, 89, 92), (HIGH, 131, 125)])
def test_a_crossing_ends_when_the_value_has_been_back_for_the_delay(limit: Limit, beyond: float, back: float) -> None:
    values = every_second(*[beyond] * 11, *[back] * 12)
    assert turns(limit, values) == [(10, STARTED), (21, ENDED)]
    assert play(limit, values)[-1] == (21, ENDED)  # and then nothing


@pytest.mark.parametrize("not_back", [91.9, 90, 89])
def test_a_value_that_is_not_back_starts_the_delay_anew(not_back: float) -> None:
    values = [*CROSSED, *every_second(*[92] * 10, not_back, *[92] * 11, start=11)]
    assert turns(LOW, values) == [(10, STARTED), (32, ENDED)]


def test_without_a_delay_it_ends_at_once() -> None:
    assert play(replace(LOW, delay_s=0), every_second(89, 92)) == [(0, STARTED), (1, ENDED)]


def test_after_its_end_it_starts_again_only_after_the_whole_delay() -> None:
    values = [*CROSSED, *every_second(*[92] * 11, start=11), *every_second(*[89] * 11, start=22)]
    assert turns(LOW, values) == [(10, STARTED), (21, ENDED), (32, STARTED)]


# ---- Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0, 0.5, 3600])
def test_a_value_that_is_not_newer_than_the_last_is_ignored(late: float) -> None:
    watch, _ = step(Watch(), LOW, measured(LOW, 0, 89))
    assert step(watch, LOW, measured(LOW, -late, 99)) == (watch, None)
    crossed = replace(watch, crossed=True, run=None)
    assert step(crossed, LOW, measured(LOW, -late, 99)) == (crossed, None)


def test_an_hour_without_values_counts_for_a_minute_and_does_not_start_the_delay_anew() -> None:
    limit = replace(LOW, delay_s=150)
    assert COUNTS_AT_MOST_S == 60
    assert play(limit, [(0, 89), (3600, 89), (7200, 89)]) == []
    assert play(limit, [(0, 89), (3600, 89), (7200, 89), (7229, 89)]) == []
    assert play(limit, [(0, 89), (3600, 89), (7200, 89), (7230, 89)]) == [(7230, STARTED)]
    assert play(limit, [(0, 89), (3600, 89), (7200, 89), (10800, 89)]) == [(10800, STARTED)]


def test_two_values_an_hour_apart_are_not_an_hour() -> None:
    assert play(replace(LOW, delay_s=3600), [(0, 89), (3600, 89)]) == []


def test_a_sender_that_speaks_every_two_minutes_is_heard() -> None:
    assert play(LOW, [(0, 89), (120, 89)]) == [(120, STARTED)]
    assert turns(LOW, [(0, 89), (120, 89), (240, 95), (360, 95)]) == [(120, STARTED), (360, ENDED)]


def test_a_cuff_waits_for_no_delay() -> None:
    pressure = Limit(Vital.SBP, 90, None, Priority.MEDIUM, delay_s=10, hysteresis=5)
    values: Played = [(0, 89), (1800, 94), (3600, 95), (5400, 120)]
    assert play(pressure, values, Source.CUFF) == [(0, STARTED), (1800, STILL), (3600, ENDED)]
    assert play(pressure, values[:1], Source.ARTERIAL) == []


# ---- Keeping ---------------------------------------------------------------------------------------------------------


def test_its_stored_form_is_this() -> None:
    watch = Watch(NOON, crossed=True, run=timedelta(seconds=1.5))
    stored = {"at": "2026-11-22T12:00:00+00:00", "crossed": True, "run_s": 1.5}
    assert json.loads(json.dumps(watch.to_json())) == stored
    assert Watch.from_json(stored) == watch


def test_an_empty_column_is_a_new_watch() -> None:
    assert Watch() == Watch(at=None, crossed=False, run=None)
    assert Watch.from_json({}) == Watch() == Watch.from_json(Watch().to_json())


def test_a_run_that_has_only_begun_is_kept() -> None:
    watch = Watch(NOON, run=timedelta(0))
    assert Watch.from_json(watch.to_json()) == watch


# ---- Any course ------------------------------------------------------------------------------------------------------

gaps_ms = st.one_of(st.integers(0, 3_000), st.integers(0, 200_000))
courses = st.lists(st.tuples(gaps_ms, st.integers(86, 94)), max_size=60)
limits = st.builds(
    Limit,
    vital=st.just(Vital.SPO2),
    low=st.just(90.0),
    high=st.none(),
    priority=st.sampled_from(Priority),
    delay_s=st.sampled_from([0, 1, 5, 100]),
    hysteresis=st.sampled_from([0, 1, 3]),
)


def after(course: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gaps and values to milliseconds and values; a gap of 0 is a value that comes twice."""
    moments, at = [], 0
    for gap, value in course:
        at += gap
        moments.append((at, value))
    return moments


def by_hand(limit: Limit, moments: list[tuple[int, int]]) -> list[tuple[int, Crossing]]:
    """The rule told otherwise: look back from each value over all that came before it."""
    assert limit.low is not None
    seen: list[tuple[int, int]] = []
    happened: list[tuple[int, Crossing]] = []
    crossed, since = False, 0  # since: how many of the seen are before the last turn
    for at, value in moments:
        if seen and at <= seen[-1][0]:
            continue
        seen.append((at, value))
        run: list[int] = []
        for moment, earlier in reversed(seen[since:]):
            if (earlier >= limit.low + limit.hysteresis) if crossed else (earlier < limit.low):
                run.append(moment)
            else:
                break
        watched = sum(min(later - sooner, 60_000) for later, sooner in pairwise(run))
        if run and watched >= limit.delay_s * 1000:
            crossed, since = not crossed, len(seen)
            happened.append((at, STARTED if crossed else ENDED))
    return happened


@settings(deadline=None)
@given(limits, courses)
def test_any_course_turns_as_by_hand(limit: Limit, course: list[tuple[int, int]]) -> None:
    moments = after(course)
    played = turns(limit, [(at / 1000, value) for at, value in moments])
    assert played == [(at / 1000, crossing) for at, crossing in by_hand(limit, moments)]


@settings(deadline=None)
@given(limits, courses)
def test_a_high_limit_is_the_mirror_of_a_low_one(limit: Limit, course: list[tuple[int, int]]) -> None:
    mirror = replace(limit, low=None, high=110.0)
    values = [(at / 1000, value) for at, value in after(course)]
    assert play(mirror, [(at, 200 - value) for at, value in values]) == play(limit, values)


@settings(deadline=None)
@given(limits, courses)
def test_starts_and_ends_alternate_and_are_still_in_between(limit: Limit, course: list[tuple[int, int]]) -> None:
    happened = [crossing for _, crossing in play(limit, [(at / 1000, value) for at, value in after(course)])]
    assert happened[:1] in ([], [STARTED])
    for before, now in pairwise(happened):
        assert (before is ENDED) == (now is STARTED)


@settings(deadline=None)
@given(limits, courses)
def test_a_watch_that_is_stored_after_each_value_turns_the_same(limit: Limit, course: list[tuple[int, int]]) -> None:
    watch = stored = Watch()
    for at, value in after(course):
        value_now = measured(limit, at / 1000, value)
        watch, crossing = step(watch, limit, value_now)
        stored, as_stored = step(Watch.from_json(json.loads(json.dumps(stored.to_json()))), limit, value_now)
        assert (stored, as_stored) == (watch, crossing)


# ---- Limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(None, None), (90.0, 100.0), (0.0, 0.0)])
def test_a_limit_has_one_side(low: float | None, high: float | None) -> None:
    with pytest.raises(ValueError, match="one side"):
        Limit(Vital.SPO2, low, high, Priority.LOW, 0, 0)


@pytest.mark.parametrize(("delay_s", "hysteresis"), [(-1, 0), (0, -1), (-0.1, 1)])
def test_a_delay_or_hysteresis_below_zero_is_refused(delay_s: float, hysteresis: float) -> None:
    with pytest.raises(ValueError, match="less than 0"):
        Limit(Vital.SPO2, 90, None, Priority.LOW, delay_s, hysteresis)


def test_a_value_of_another_vital_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="hr is not what spo2-low-medium limits"):
        step(Watch(), LOW, measured(HIGH, 0, 80))


def test_neither_a_limit_nor_a_watch_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        LOW.low = 80  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Watch().crossed = True  # type: ignore[misc]


def test_limits_are_named_by_what_they_limit_and_how_urgent_it_is() -> None:
    assert (LOW.name, LOW.condition) == ("spo2-low-medium", "spo2-low")
    assert (HIGH.name, HIGH.condition) == ("hr-high-high", "hr-high")


def test_the_limits_that_a_new_unit_gets_are_these() -> None:
    assert {limit.name: (limit.low, limit.high, limit.delay_s, limit.hysteresis) for limit in DEFAULTS} == {
        "spo2-low-medium": (90, None, 15, 1),
        "spo2-low-high": (85, None, 10, 1),
        "hr-high-medium": (None, 130, 15, 5),
        "hr-high-high": (None, 150, 10, 5),
        "hr-low-medium": (45, None, 15, 3),
        "hr-low-high": (38, None, 5, 3),
        "rr-high-medium": (None, 28, 30, 2),
        "rr-low-high": (8, None, 15, 1),
        "sbp-low-medium": (90, None, 15, 5),
        "sbp-low-high": (75, None, 10, 5),
        "sbp-high-medium": (None, 200, 15, 5),
        "temp-high-low": (None, 39.5, 0, 0.5),
    }
    assert len({limit.name for limit in DEFAULTS}) == len(DEFAULTS)


def test_of_two_limits_of_one_condition_the_farther_one_is_the_more_urgent() -> None:
    for near in DEFAULTS:
        for far in DEFAULTS:
            if near.condition == far.condition and far.priority.is_above(near.priority):
                beyond_far = far.low - 1 if far.low is not None else (far.high or 0) + 1
                assert far.is_beyond(beyond_far) and near.is_beyond(beyond_far)
                assert far.delay_s <= near.delay_s
