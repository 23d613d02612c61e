"""A score must stand before it is an alert, and must be lower for a while, by what is seen, before it is none."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.triage.news2 import Parts, Score, score
from hospital.triage.observation import Consciousness
from hospital.triage.standing import HOLD, STANDS_S, Standing, Step, is_above, step
from hospital.vocabulary import Priority

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STARTED, STILL, ENDED = Step.STARTED, Step.STILL, Step.ENDED
HIGH, MEDIUM, LOW = Priority
HOLD_S = int(HOLD.total_seconds())

NONE = Score({"respiration": 0, "spo2": 0, "pulse": 0})
THREE = Score({"respiration": 3, "spo2": 0, "pulse": 0})
FIVE = Score({"respiration": 3, "spo2": 2, "pulse": 0})
SEVEN = Score({"respiration": 3, "spo2": 2, "pulse": 2})

Played = Sequence[tuple[float, Score]]  # seconds after noon


def play(*scores: tuple[float, Score], before: Standing | None = None, **how: bool) -> tuple[Standing, list[object]]:
    """How it stands after these, and what happened: (second, step, priority held); each from a stream."""
    standing, happened = before or Standing(), []
    how = {"rises_at_once": False, "falls_at_once": False} | how
    for second, scored in scores:
        standing, turn = step(standing, scored, NOON + timedelta(seconds=second), **how)
        if turn is not None:
            happened.append((second, turn, standing.held))
    return standing, happened


def turns(*scores: tuple[float, Score], before: Standing | None = None) -> list[object]:
    return [what for what in play(*scores, before=before)[1] if what[1] is not STILL]  # type: ignore[index]


def each_second(scored: Score, start: int, end: int) -> list[tuple[float, Score]]:
    """From `start` to `end`, itself included."""
    return [(second, scored) for second in range(start, end + 1)]


def held(scored: Score) -> Standing:
    """A score that stands since noon."""
    standing, _ = play((0, scored), rises_at_once=True)
    return standing


# ---- Rising ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scored", "priority"), [(THREE, LOW), (FIVE, MEDIUM), (SEVEN, HIGH)])
def test_what_is_no_stream_counts_at_once(scored: Score, priority: Priority) -> None:
    assert play((0, scored), rises_at_once=True)[1] == [(0, STARTED, priority)]


def test_a_stream_must_have_stood_for_so_long() -> None:
    assert turns((0, NONE), *each_second(FIVE, 1, STANDS_S - 1)) == []
    assert turns((0, NONE), *each_second(FIVE, 1, STANDS_S)) == [(STANDS_S, STARTED, MEDIUM)]


def test_a_hand_that_moves_for_nine_seconds_is_no_alert() -> None:
    assert turns((0, NONE), *each_second(SEVEN, 1, 9), *each_second(NONE, 10, 60)) == []


def test_each_score_stands_for_the_time_since_the_one_before() -> None:
    assert turns((0, NONE), (STANDS_S - 0.001, FIVE)) == []
    assert turns((0, NONE), (STANDS_S, FIVE)) == [(STANDS_S, STARTED, MEDIUM)]


def test_a_score_that_dances_counts_as_what_it_mostly_is() -> None:
    mostly = [(second, NONE if second % 4 == 0 else FIVE) for second in range(1, 61)]
    rarely = [(second, FIVE if second % 4 == 0 else NONE) for second in range(1, 601)]
    assert turns((0, NONE), *mostly) == [(27, STARTED, MEDIUM)]
    assert turns(*rarely) == []


def test_it_rises_from_each_band_to_the_next() -> None:
    scores = [*each_second(THREE, 1, 20), *each_second(FIVE, 21, 40), *each_second(SEVEN, 41, 60)]
    assert turns((0, NONE), *scores) == [(15, STARTED, LOW), (35, STARTED, MEDIUM), (55, STARTED, HIGH)]


def test_what_is_graver_has_also_stood_as_the_lesser() -> None:
    scores = [*each_second(FIVE, 1, 8), *each_second(SEVEN, 9, 40)]
    assert turns((0, NONE), *scores) == [(15, STARTED, MEDIUM), (23, STARTED, HIGH)]


def test_from_nothing_it_may_be_high_at_once() -> None:
    assert turns((0, NONE), *each_second(SEVEN, 1, 20)) == [(15, STARTED, HIGH)]


# ---- Falling ---------------------------------------------------------------------------------------------------------


def test_it_ends_when_it_has_been_lower_for_the_hold() -> None:
    assert turns((1, NONE), (HOLD_S, NONE), before=held(FIVE)) == []
    assert turns((1, NONE), (HOLD_S + 1, NONE), before=held(FIVE)) == [(HOLD_S + 1, ENDED, None)]


def test_one_score_as_urgent_begins_the_hold_anew() -> None:
    scores = [(1, NONE), (200, FIVE), (201, NONE), (HOLD_S + 200, NONE), (HOLD_S + 201, NONE)]
    assert turns(*scores, before=held(FIVE)) == [(HOLD_S + 201, ENDED, None)]


def test_it_falls_to_the_most_urgent_that_it_was_meanwhile() -> None:
    after, happened = play((1, THREE), (100, NONE), (HOLD_S + 1, NONE), before=held(SEVEN))
    assert happened[-1] == (HOLD_S + 1, STILL, LOW)
    assert turns((HOLD_S + 2, NONE), (2 * HOLD_S + 2, NONE), before=after) == [(2 * HOLD_S + 2, ENDED, None)]


def test_two_scores_an_hour_apart_end_it_and_one_does_not() -> None:
    assert turns((3600, NONE), before=held(SEVEN)) == []
    assert turns((3600, NONE), (7200, NONE), before=held(SEVEN)) == [(7200, ENDED, None)]


def test_a_person_who_has_seen_everything_ends_it_at_once() -> None:
    after, happened = play((1, NONE), before=held(SEVEN), falls_at_once=True)
    assert (after.held, happened) == (None, [(1, ENDED, None)])
    assert play((1, THREE), before=held(SEVEN), falls_at_once=True)[1] == [(1, STILL, LOW)]


# ---- Missing parts ---------------------------------------------------------------------------------------------------


def without(scored: Score, *parts: str) -> Score:
    return Score({part: None if part in parts else points for part, points in scored.points.items()})


def test_a_part_that_is_missing_ends_nothing_however_long() -> None:
    scores = [(second, without(FIVE, "respiration")) for second in range(1, 86_400, 60)]
    assert turns(*scores, before=held(FIVE)) == []


def test_a_part_that_had_no_points_may_be_missing() -> None:
    lower = without(NONE, "pulse")
    assert turns((1, lower), (HOLD_S + 1, lower), before=held(FIVE)) == [(HOLD_S + 1, ENDED, None)]


def test_what_is_missing_counts_as_it_last_was() -> None:
    """Breathing 3 and SpO2 2; breathing is seen to be well, SpO2 is not seen: at most 2 is left, and that is none."""
    lower = without(NONE, "spo2")
    assert turns((1, lower), (HOLD_S + 1, lower), before=held(FIVE)) == [(HOLD_S + 1, ENDED, None)]
    lower = without(NONE, "respiration")
    assert turns((1, lower), (HOLD_S + 1, lower), before=held(FIVE)) == [], "breathing may still be 3"
    assert play((1, lower), (HOLD_S + 1, lower), before=held(FIVE))[0].held is LOW


def test_what_proves_nothing_neither_ends_nor_begins_the_hold() -> None:
    unseen = without(NONE, "respiration", "spo2")
    assert turns((1, unseen), (HOLD_S + 1, NONE), before=held(FIVE)) == []
    assert turns((1, NONE), (100, unseen), (HOLD_S + 1, NONE), before=held(FIVE)) == [(HOLD_S + 1, ENDED, None)]


def test_after_the_hold_it_starts_again_even_if_nobody_saw_it_end() -> None:
    """An alert that someone has resolved meanwhile must come back."""
    unseen = without(FIVE, "respiration")
    back = [(1, unseen), (HOLD_S + 1, unseen), *each_second(FIVE, HOLD_S + 2, HOLD_S + 60)]
    (again,) = turns(*back, before=held(FIVE))
    assert again == (HOLD_S + 16, STARTED, MEDIUM)
    soon = [(1, unseen), (HOLD_S - 20, unseen), *each_second(FIVE, HOLD_S - 19, HOLD_S - 2)]
    assert turns(*soon, before=held(FIVE)) == []


# ---- Any course ------------------------------------------------------------------------------------------------------

gaps = st.one_of(st.integers(0, 3), st.integers(0, 400))
points = st.one_of(st.none(), st.sampled_from([0, 2, 3]))
any_score = st.builds(lambda a, b, c: Score({"respiration": a, "spo2": b, "pulse": c}), points, points, points)
courses = st.lists(st.tuples(gaps, any_score, st.booleans(), st.booleans()), max_size=40)


@settings(deadline=None)
@given(courses)
def test_a_standing_that_is_stored_after_each_score_goes_on_the_same(
    course: list[tuple[int, Score, bool, bool]],
) -> None:
    kept, stored, at = Standing(), Standing(), NOON
    for gap, scored, rises, falls in course:
        at += timedelta(seconds=gap)
        kept, turn = step(kept, scored, at, rises_at_once=rises, falls_at_once=falls)
        told = json.loads(json.dumps(stored.to_json()))
        stored, as_stored = step(Standing.from_json(told), scored, at, rises_at_once=rises, falls_at_once=falls)
        assert (stored, as_stored) == (kept, turn)


@settings(deadline=None)
@given(courses)
def test_what_is_held_was_once_reached_and_never_ends_while_it_is_as_urgent(
    course: list[tuple[int, Score, bool, bool]],
) -> None:
    standing, at, worst = Standing(), NOON, None
    for gap, scored, rises, falls in course:
        at += timedelta(seconds=gap)
        before = standing.held
        standing, turn = step(standing, scored, at, rises_at_once=rises, falls_at_once=falls)
        worst = scored.priority if is_above(scored.priority, worst) else worst
        assert not is_above(standing.held, worst)
        if before is not None and not is_above(before, scored.priority):
            assert not is_above(before, standing.held)
            assert turn in (STARTED, STILL)
        if rises:
            assert not is_above(scored.priority, standing.held)


def test_an_empty_column_was_never_scored() -> None:
    assert Standing.from_json({}) == Standing() == Standing.from_json(Standing().to_json())


def test_an_arrest_stands_after_fifteen_seconds() -> None:
    arrest = score(Parts(respiration=0, spo2=70, pulse=0, consciousness=Consciousness.ALERT), 1)
    calm = score(Parts(respiration=16, spo2=97, pulse=70, consciousness=Consciousness.ALERT), 1)
    assert turns((0, calm), *each_second(arrest, 1, 30)) == [(15, STARTED, HIGH)]
