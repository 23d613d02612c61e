"""A small line of how a vital sign went: no line where nobody knows, and no mountain where nothing happened."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hospital.fragments.sparkline import Sparkline, sparkline

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()


def drawn(*points: tuple[int, float], limit: float | None = 90) -> Sparkline:
    """`points`: minutes before noon, value."""
    line = sparkline([(NOON - 60 * ago, value) for ago, value in points], limit, ZoneInfo("Europe/Berlin"))
    assert line is not None
    return line


def test_it_goes_from_the_first_value_to_the_last_at_the_right_edge() -> None:
    line = drawn((4, 96), (3, 96), (2, 94), (1, 90), (0, 84))
    assert (line.line, line.limit, line.dots) == ("M26 0h1l1 2l1 4l1 6", "M0 6h30", "M30 12h0")
    assert (line.first_value, line.last_value, line.minutes, line.until) == ("96", "84", 4, "13:00")


def test_a_gap_is_a_gap_and_one_value_between_two_is_a_dot() -> None:
    line = drawn((20, 96), (19, 96), (10, 96), (2, 84), (0, 84))
    assert (line.line, line.dots) == ("M10 0h1M28 12h2", "M20 0h0M30 12h0")


def test_what_hardly_varies_is_no_mountain() -> None:
    assert drawn((2, 123), (1, 121), (0, 123), limit=120).line == "M28 5l1 1l1-1"


def test_without_a_limit_there_is_no_hairline() -> None:
    assert drawn((1, 96), (0, 84), limit=None).limit is None


@pytest.mark.parametrize("points", [[], [[NOON, 84.0]]])
def test_one_value_is_no_course(points: list[list[float]]) -> None:
    assert sparkline(points, 90, ZoneInfo("UTC")) is None
