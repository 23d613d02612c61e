"""Whether a score rises is told against the round before, and never of what was not known both times."""

from datetime import UTC, datetime, timedelta

from hospital.triage.rounds import Round, Trend, rounds_after, trend

EIGHT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(minutes: float, **points: int | None) -> Round:
    """So many minutes after eight."""
    return Round(EIGHT + timedelta(minutes=minutes), points)


def after(*rounds: Round, by_hand: bool) -> list[Round]:
    kept: list[Round] = []
    for one in rounds:
        kept = list(rounds_after(kept, one, by_hand=by_hand))
    return kept


def test_what_a_person_enters_is_compared_with_the_round_before() -> None:
    first, second, third = at(0, pulse=1), at(240, pulse=2), at(480, pulse=0)
    assert trend(after(first, by_hand=True), {"pulse": 1}) is None
    rounds = after(first, second, third, by_hand=True)
    assert rounds == [second, third]
    assert trend(rounds, {"pulse": 0}) == Trend(-2, {"pulse": -2}, second.at)


def test_what_is_added_within_ten_minutes_is_the_same_round() -> None:
    first, slip, mended = at(0, pulse=1), at(240, pulse=3), at(249, pulse=2)
    assert after(first, slip, mended, by_hand=True) == [first, mended]


def test_where_only_a_monitor_speaks_a_round_is_an_hour() -> None:
    stream = [at(minute, pulse=0) for minute in range(0, 200, 5)]
    assert after(*stream, by_hand=False) == [at(120, pulse=0), at(180, pulse=0)]


def test_what_was_or_is_missing_neither_rises_nor_falls() -> None:
    rounds = [at(0, pulse=1, respiration=3, spo2=None, temperature=0), at(240, pulse=1)]
    points = {"pulse": 2, "respiration": None, "spo2": 3, "temperature": 0}
    assert trend(rounds, points) == Trend(1, {"pulse": 1, "temperature": 0}, EIGHT)
    assert trend(rounds, {"pulse": None, "respiration": None, "spo2": 3}) is None


def test_it_comes_back_from_the_database_as_it_went() -> None:
    one = at(0, pulse=1, respiration=None)
    assert Round.from_json(one.to_json()) == one
