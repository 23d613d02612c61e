"""What is known of a patient now, whatever order it arrived in."""

import json
import random
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.triage.latest import Latest, Seen, current, newest, still, take
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source, Vital

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TICK = timedelta(microseconds=1)


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def measured(vital: Vital, source: Source, value: float, at: datetime = NOON) -> Measured:
    return Measured(vital, source, value, at)


def known(*every: Measured) -> Latest:
    return take(Latest(), ObservationSet(NOON, every))


# ---- Taking ----------------------------------------------------------------------------------------------------------


def test_of_a_new_patient_nothing_is_known() -> None:
    assert (dict(Latest().measured), Latest().consciousness, Latest().on_oxygen) == ({}, None, None)


def test_a_newer_value_replaces_an_older_one_of_the_same_source_only() -> None:
    ecg, cuff = measured(Vital.HR, Source.ECG, 80, ago(minutes=2)), measured(Vital.HR, Source.CUFF, 81, ago(minutes=2))
    newer = measured(Vital.HR, Source.ECG, 90, ago(minutes=1))
    assert dict(take(known(ecg, cuff), ObservationSet(NOON, (newer,))).measured) == {
        (Vital.HR, Source.ECG): newer,
        (Vital.HR, Source.CUFF): cuff,
    }


@pytest.mark.parametrize("late", [timedelta(0), TICK, timedelta(hours=1)])
def test_an_older_or_equally_old_value_never_replaces_one(late: timedelta) -> None:
    shown = measured(Vital.SPO2, Source.OXIMETER, 97)
    after = take(known(shown), ObservationSet(NOON, (measured(Vital.SPO2, Source.OXIMETER, 60, NOON - late),)))
    assert after.measured[Vital.SPO2, Source.OXIMETER] == shown


def test_a_value_keeps_its_own_time_and_not_that_of_its_set() -> None:
    cuff = measured(Vital.SBP, Source.CUFF, 117, ago(minutes=10))
    assert known(cuff).measured[Vital.SBP, Source.CUFF].at == ago(minutes=10)


def test_of_two_values_in_one_set_the_newer_stays_whatever_their_order() -> None:
    old, new = measured(Vital.HR, Source.ECG, 80, ago(seconds=1)), measured(Vital.HR, Source.ECG, 90)
    assert known(old, new) == known(new, old) == known(new)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_left_out(value: float) -> None:
    rate = measured(Vital.RR, Source.OTHER, 16)
    assert known(measured(Vital.HR, Source.ECG, value), rate) == known(rate)


def test_what_a_person_saw_is_kept_with_its_time() -> None:
    latest = take(Latest(), ObservationSet(NOON, consciousness=Consciousness.VOICE, on_oxygen=False))
    assert latest.consciousness == Seen(Consciousness.VOICE, NOON)
    assert latest.on_oxygen == Seen(False, NOON)


def test_a_set_without_them_leaves_consciousness_and_oxygen_as_they_were() -> None:
    latest = take(Latest(), ObservationSet(ago(hours=1), consciousness=Consciousness.ALERT, on_oxygen=True))
    assert take(latest, ObservationSet(NOON, (measured(Vital.HR, Source.ECG, 80),))).consciousness == Seen(
        Consciousness.ALERT, ago(hours=1)
    )
    assert take(latest, ObservationSet(NOON, on_oxygen=False)) == replace(latest, on_oxygen=Seen(False, NOON))


@pytest.mark.parametrize("late", [timedelta(0), TICK, timedelta(hours=1)])
def test_an_older_or_equally_old_sight_never_replaces_one(late: timedelta) -> None:
    latest = take(Latest(), ObservationSet(NOON, consciousness=Consciousness.PAIN, on_oxygen=True))
    late_set = ObservationSet(NOON - late, consciousness=Consciousness.ALERT, on_oxygen=False)
    assert take(latest, late_set) == latest


def test_taking_changes_nothing_that_was_there_before() -> None:
    before = known(measured(Vital.HR, Source.ECG, 80, ago(minutes=1)))
    copy = before.to_json()
    take(before, ObservationSet(NOON, (measured(Vital.HR, Source.ECG, 90),), Consciousness.ALERT, True))
    assert before.to_json() == copy
    with pytest.raises(TypeError):
        before.measured[Vital.HR, Source.ECG] = measured(Vital.HR, Source.ECG, 1)  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        before.consciousness = None  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Seen(True, NOON).value = False  # type: ignore[misc]


OBSERVED = st.dictionaries(
    st.sampled_from(list(product([Vital.HR, Vital.SBP], [Source.ECG, Source.CUFF]))),
    st.tuples(st.integers(0, 300), st.integers(0, 999)),
    max_size=3,
)
MOMENTS = st.dictionaries(
    st.integers(0, 500),
    st.tuples(OBSERVED, st.none() | st.sampled_from(Consciousness), st.none() | st.booleans()),
    max_size=6,
)


def sets_of(moments: dict[int, Any]) -> list[ObservationSet]:
    """Each at its own second, its values up to a second earlier: never two of one source at one time."""
    return [
        ObservationSet(
            ago(seconds=second),
            tuple(
                measured(vital, source, value / 2, ago(seconds=second, milliseconds=delay))
                for (vital, source), (value, delay) in values.items()
            ),
            consciousness,
            on_oxygen,
        )
        for second, (values, consciousness, on_oxygen) in moments.items()
    ]


observation_sets = MOMENTS.map(sets_of)


def taken(sets: Sequence[ObservationSet]) -> Latest:
    latest = Latest()
    for observations in sets:
        latest = take(latest, observations)
    return latest


@settings(deadline=None)  # a busy machine is no failure
@given(observation_sets, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(sets: list[ObservationSet], chance: random.Random) -> None:
    shuffled = list(sets)
    chance.shuffle(shuffled)
    assert taken(shuffled) == taken(sets) == taken([*shuffled, *sets])


@settings(deadline=None)  # a busy machine is no failure
@given(observation_sets)
def test_what_is_known_is_the_newest_of_all_that_came(sets: list[ObservationSet]) -> None:
    latest = taken(sets)
    every = [value for observations in sets for value in observations.measured]
    assert set(latest.measured) == {(value.vital, value.source) for value in every}
    for key, value in latest.measured.items():
        assert value == max((one for one in every if (one.vital, one.source) == key), key=lambda one: one.at)


# ---- Keeping ---------------------------------------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is no failure
@given(observation_sets)
def test_it_survives_the_database(sets: list[ObservationSet]) -> None:
    latest = taken(sets)
    assert Latest.from_json(json.loads(json.dumps(latest.to_json()))) == latest


def test_its_stored_form_is_this() -> None:
    heart = Measured(Vital.HR, Source.ECG, 80.5, NOON, verified=False)
    latest = take(Latest(), ObservationSet(NOON, (heart,), Consciousness.CONFUSION, on_oxygen=False))
    stored = {
        "measured": [
            {"vital": "hr", "source": "ecg", "value": 80.5, "at": "2026-11-22T12:00:00+00:00", "verified": False}
        ],
        "consciousness": {"value": "C", "at": "2026-11-22T12:00:00+00:00"},
        "on_oxygen": {"value": False, "at": "2026-11-22T12:00:00+00:00"},
    }
    assert json.loads(json.dumps(latest.to_json())) == stored
    read = Latest.from_json(stored)
    assert read == latest
    assert read.consciousness is not None and read.consciousness.value is Consciousness.CONFUSION


def test_an_empty_column_is_a_patient_of_whom_nothing_is_known() -> None:
    assert Latest.from_json({}) == Latest() == Latest.from_json(Latest().to_json())


# ---- Asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vital", "order"),
    [
        (Vital.HR, [Source.ECG, Source.OXIMETER, Source.ARTERIAL, Source.CUFF, Source.OTHER]),
        (Vital.SBP, [Source.ARTERIAL, Source.CUFF, Source.OTHER]),
        (Vital.DBP, [Source.ARTERIAL, Source.CUFF, Source.OTHER]),
        (Vital.MAP, [Source.ARTERIAL, Source.CUFF, Source.OTHER]),
    ],
)
def test_the_first_source_that_is_fresh_enough_wins_even_if_another_is_newer(vital: Vital, order: list[Source]) -> None:
    """The better the source, the older its value here; one after the other grows too old."""
    values = [measured(vital, source, 50 + n, ago(minutes=10 - n)) for n, source in enumerate(order)]
    for shuffled in (values, values[::-1]):
        latest = known(*shuffled)
        for value in values:
            assert current(latest, vital, NOON, NOON - value.at) == value
            assert current(latest, vital, NOON + TICK, NOON - value.at) != value
    assert current(known(*values), vital, NOON, timedelta(0)) is None


def test_exactly_as_old_as_allowed_is_fresh_and_older_is_not() -> None:
    latest = known(measured(Vital.SPO2, Source.OXIMETER, 97, NOON - QUARTER))
    assert current(latest, Vital.SPO2, NOON, QUARTER) is not None
    assert current(latest, Vital.SPO2, NOON + TICK, QUARTER) is None


def test_a_sender_whose_clock_is_ahead_is_shown() -> None:
    ahead = measured(Vital.SPO2, Source.OXIMETER, 97, NOON + timedelta(seconds=30))
    assert current(known(ahead), Vital.SPO2, NOON, QUARTER) == ahead


def test_one_vital_sign_is_never_taken_for_another() -> None:
    assert current(known(measured(Vital.SBP, Source.CUFF, 120)), Vital.DBP, NOON, QUARTER) is None


def test_the_newest_of_all_sources_is_the_newest_that_is_fresh() -> None:
    line = measured(Vital.SBP, Source.ARTERIAL, 120, ago(hours=3))
    cuff = measured(Vital.SBP, Source.CUFF, 80, ago(hours=2))
    latest = known(line, cuff)
    assert newest(latest, Vital.SBP, NOON, timedelta(hours=3)) == cuff
    assert newest(latest, Vital.SBP, NOON, timedelta(hours=2)) == cuff
    assert newest(latest, Vital.SBP, NOON, timedelta(hours=2) - TICK) is None
    assert newest(latest, Vital.DBP, NOON, timedelta(hours=3)) is None


def test_of_equally_new_values_the_newest_is_from_the_better_source() -> None:
    line, cuff = measured(Vital.SBP, Source.ARTERIAL, 120), measured(Vital.SBP, Source.CUFF, 80)
    assert newest(known(cuff, line), Vital.SBP, NOON, QUARTER) == line


def test_what_was_seen_holds_until_it_is_too_old() -> None:
    seen = Seen(False, NOON - QUARTER)
    assert still(seen, NOON, QUARTER) is False
    assert still(seen, NOON + TICK, QUARTER) is None
    assert still(None, NOON, QUARTER) is None
