"""Simulated colleagues answer as people do, by the front door, and never in a real person's way."""

from dataclasses import replace

import pytest

from hospital.operations import demo
from hospital.simulator.alerts_page import Card, Desk, NoDesk
from hospital.simulator.staff import PEOPLE, RESOLVES_S, STANDS_BACK_S, TAKES_S, Colleague, work
from hospital.vocabulary import SIMULATED, Condition, Priority, State

NURSE, _, PHYSICIAN = PEOPLE
OPEN = Card(1, State.OPEN, Priority.HIGH, Condition.ACTIVE, step=0)
MINE = replace(OPEN, state=State.ACKNOWLEDGED, owner=NURSE.display_name)


def when(colleague: Colleague, card: Card, until_s: int = 2_000, start_s: int = 0) -> tuple[int, str] | None:
    """At which second they do what, if nothing changes."""
    for now_s in range(start_s, until_s):
        for act in colleague.look([card], now_s):
            assert act.card == card
            return now_s, act.what
    return None


@pytest.mark.parametrize("priority", Priority)
def test_they_need_as_long_as_people_do_and_sometimes_never_come(priority: Priority) -> None:
    cards = [replace(OPEN, id=number, priority=priority) for number in range(300)]
    found = [when(Colleague(NURSE, seed=1), card, 200) for card in cards]
    came = [at for at in found if at is not None]
    least, most = TAKES_S[priority]
    assert all(least <= at_s <= most + 1 and what == "acknowledgement" for at_s, what in came)
    assert 0.7 < len(came) / len(found) < 0.95


def test_the_same_seed_is_as_quick_at_the_same_alert() -> None:
    cards = [replace(OPEN, id=number) for number in range(20)]
    assert len({str([when(Colleague(NURSE, seed=1), card) for card in cards]) for _ in range(2)}) == 1
    assert [when(Colleague(NURSE, seed=2), card) for card in cards] != [
        when(Colleague(NURSE, seed=1), card) for card in cards
    ]


@pytest.mark.parametrize("condition", [Condition.LATCHED, Condition.CLEARED])
def test_what_they_have_they_end_when_it_is_over(condition: Condition) -> None:
    done = when(Colleague(NURSE, 1), replace(MINE, condition=condition))
    assert done is not None and done[1] == "resolution"
    assert RESOLVES_S[0] <= done[0] <= RESOLVES_S[1] + 1
    assert when(Colleague(NURSE, 1), MINE) is None


def test_what_was_over_before_anybody_saw_it_is_ended() -> None:
    done = when(Colleague(NURSE, 1), replace(OPEN, priority=Priority.LOW, condition=Condition.CLEARED))
    assert done is not None and done[1] == "resolution"


def test_what_someone_else_has_is_left_to_them() -> None:
    for owner in ("Amara N.", PEOPLE[1].display_name):
        assert when(Colleague(NURSE, 1), replace(MINE, owner=owner, condition=Condition.LATCHED)) is None


def test_where_a_real_person_works_nobody_competes() -> None:
    colleague, theirs = Colleague(NURSE, 1), replace(MINE, id=2, owner="Amara N.")
    for now_s in range(0, 300, 5):
        assert colleague.look([OPEN, theirs], now_s) == []
    done = when(colleague, OPEN, 3_000, start_s=300)
    assert done is not None and done[0] >= 295 + STANDS_BACK_S


def test_the_physician_waits_to_be_called() -> None:
    assert when(Colleague(PHYSICIAN, 1), OPEN) is None
    assert when(Colleague(PHYSICIAN, 1), replace(OPEN, step=1)) is not None


def test_what_comes_back_is_answered_as_if_it_were_new() -> None:
    colleague = Colleague(NURSE, 1)
    first = when(colleague, OPEN)
    assert first is not None
    assert colleague.look([MINE], first[0] + 5) == []
    again = when(colleague, OPEN, 4_000, start_s=1_000)
    assert again is not None and again[0] - 1_000 == first[0]


def test_their_names_say_what_they_are_and_are_those_of_the_demo() -> None:
    known = {name: display_name for _, name, display_name, *_ in demo.STAFF}
    assert known == {person.name: person.display_name for person in PEOPLE}
    assert all(person.display_name.endswith(SIMULATED) for person in PEOPLE)
    assert not any(display_name.endswith(SIMULATED) for _, _, display_name, *_ in demo.PEOPLE)


def test_a_server_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def nobody_there(self: Desk) -> list[Card]:
        looked.append("")
        raise NoDesk("no answer")

    monkeypatch.setattr(Desk, "cards", nobody_there)
    work([(Colleague(NURSE, 1), Desk("http://127.0.0.1:9", NURSE.name))], speed=100, stop=lambda: len(looked) > 2,
         sleep=lambda _: None)  # fmt: skip
    assert len(looked) == 3


def test_nobody_at_the_address_is_said_so() -> None:
    with pytest.raises(NoDesk, match="no answer"):
        Desk("http://127.0.0.1:9", NURSE.name).cards()
