"""What a screen that comes back is told, at each edge of what is remembered."""

from zoneinfo import ZoneInfo

import pytest

from hospital import settings
from hospital.live.hub import Audience
from hospital.live.resume import Gap, Tail, Touch
from hospital.settings import Settings

_UTC = ZoneInfo("UTC")
_MED, _ICU = 1, 2


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch) -> Tail:
    """Lines 1 to 9 have been sent; the ring keeps the last five."""
    monkeypatch.setattr(settings, "current", Settings(ring_lines=5))
    tail = Tail("e", 0, _UTC)
    tail.take(_line(number) for number in range(1, 10))
    return tail


def test_the_tail_knows_up_to_where_all_has_been_sent(tail: Tail) -> None:
    assert (tail.sent, tail.cursor) == (9, "e-9")


def test_only_the_last_lines_are_kept(tail: Tail) -> None:
    assert [touch.number for touch in tail.ring] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("after", "numbers"),
    [
        ("e-4", [5, 6, 7, 8, 9]),  # the next it needs is the oldest there is
        ("e-5", [6, 7, 8, 9]),
        ("e-8", [9]),
        ("e-9", []),
        ("e-007", [8, 9]),
    ],
)
def test_who_comes_back_in_time_gets_exactly_what_is_missing(tail: Tail, after: str, numbers: list[int]) -> None:
    assert [touch.number for touch in tail.since(after)] == numbers


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ("e-3", "too old"),  # line 4 is gone
        ("e-0", "too old"),
        ("e-10", "from the future"),
        ("e-" + "9" * 18, "from the future"),
        ("e-" + "9" * 19, "not a cursor"),
        ("e-" + "9" * 5_000, "not a cursor"),  # int() itself refuses so many
        ("f-9", "another epoch"),
        ("-9", "another epoch"),
        ("9", "another epoch"),
        ("e--9", "another epoch"),
        ("ee-9", "another epoch"),
        ("E-9", "another epoch"),
        ("e-e-9", "another epoch"),
        ("", "not a cursor"),
        ("e", "not a cursor"),
        ("e-", "not a cursor"),
        ("e-x", "not a cursor"),
        ("e-+9", "not a cursor"),
        ("e- 9", "not a cursor"),
        ("e-9 ", "not a cursor"),
        ("e-9.0", "not a cursor"),
        ("e-1_0", "not a cursor"),
        ("e-٩", "not a cursor"),  # a digit, but not one of ours
        ("e-²", "not a cursor"),
    ],
)
def test_a_cursor_that_cannot_be_continued_is_a_gap(tail: Tail, after: str, why: str) -> None:
    with pytest.raises(Gap) as gap:
        tail.since(after)
    assert (gap.value.why, str(gap.value)) == (why, why)


def test_an_empty_ring_continues_only_from_where_it_stands() -> None:
    tail = Tail("e", 7, _UTC)
    assert tail.since("e-7") == []
    with pytest.raises(Gap, match="too old"):
        tail.since("e-6")
    with pytest.raises(Gap, match="from the future"):
        tail.since("e-8")


def test_a_new_hospital_continues_from_nothing() -> None:
    assert Tail("e", 0, _UTC).since("e-0") == []


def test_an_epoch_may_hold_a_hyphen() -> None:
    tail = Tail("a-b", 0, _UTC)
    tail.take([_line(1)])
    assert [touch.number for touch in tail.since("a-b-0")] == [1]


def test_taking_nothing_moves_nothing(tail: Tail) -> None:
    tail.take([])
    assert tail.sent == 9


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [(_MED, _MED, True), (_MED, _ICU, True), (_ICU, _MED, True), (_ICU, _ICU, False), (None, None, False)],
)
def test_a_line_is_for_those_who_saw_the_alert_before_or_see_it_after(
    before: int | None, after: int | None, seen: bool
) -> None:
    assert Touch(1, 1, before, after).seen_by(_audience(_MED)) is seen


def test_the_unassigned_are_seen_by_those_who_look_after_them() -> None:
    unassigned = Touch(1, 1, None, None)
    assert unassigned.seen_by(_audience(_MED, None))
    assert not unassigned.seen_by(_audience(_MED))
    assert not unassigned.seen_by(_audience())


def _line(number: int) -> Touch:
    return Touch(number, number, _MED, _MED)


def _audience(*units: int | None) -> Audience:
    return Audience(1, frozenset(units), True, "en", frozenset({"alerts"}))
