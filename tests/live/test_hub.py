"""Who watches what: found by audience and by person, and gone without a trace."""

from dataclasses import dataclass, replace
from datetime import timedelta

from hospital import clock
from hospital.live.hub import Audience, Hub, Watch
from hospital.roles import Role

_MED = Audience(1, frozenset({1}), True, "en", frozenset({"alerts"}))
_ICU = replace(_MED, units=frozenset({2}))
_ELSEWHERE = replace(_MED, hospital_id=2, units=frozenset({3}))


@dataclass(eq=False)
class FakeLine:
    watch: Watch
    ended: bool = False

    def send(self, data: bytes) -> None: ...

    def close(self, last: bytes = b"") -> None: ...


def line(audience: Audience = _MED, person_id: int = 1) -> FakeLine:
    now = clock.now()
    return FakeLine(Watch(audience, 1, person_id, Role.NURSE, now, now, now + timedelta(hours=1)))


def hub_with(*lines: FakeLine) -> Hub:
    hub = Hub()
    for one in lines:
        hub.join(one)
    return hub


def test_nobody_is_in_a_new_hub() -> None:
    hub = Hub()
    assert len(hub) == 0
    assert hub.everyone() == []
    assert hub.hospitals() == set()
    assert hub.audiences(1) == []
    assert hub.lines(_MED) == []
    assert hub.of_person(1) == []


def test_asking_leaves_no_trace() -> None:
    hub = Hub()
    hub.lines(_MED)
    hub.of_person(1)
    assert hub.hospitals() == set()


def test_lines_are_found_by_their_audience() -> None:
    one, two, other = line(), line(person_id=2), line(_ICU)
    hub = hub_with(one, two, other)
    assert hub.lines(_MED) == [one, two]
    assert hub.lines(_ICU) == [other]
    assert hub.lines(replace(_MED, identity=False)) == []
    assert len(hub) == 3


def test_who_sees_the_same_is_one_audience() -> None:
    same = Audience(1, frozenset([1]), True, "en", frozenset(["alerts"]))
    hub = hub_with(line(_MED), line(same, person_id=2))
    assert hub.audiences(1) == [_MED]
    assert len(hub.lines(same)) == 2


def test_whatever_differs_makes_another_audience() -> None:
    others = [
        replace(_MED, identity=False),
        replace(_MED, language="de"),
        replace(_MED, units=frozenset({1, None})),
        replace(_MED, views=frozenset()),
    ]
    assert len(hub_with(line(_MED), *(line(other) for other in others)).audiences(1)) == 5


def test_audiences_are_of_one_hospital() -> None:
    hub = hub_with(line(_MED), line(_ICU), line(_ELSEWHERE))
    assert hub.audiences(1) == [_MED, _ICU]
    assert hub.audiences(2) == [_ELSEWHERE]
    assert hub.audiences(3) == []
    assert hub.hospitals() == {1, 2}


def test_lines_are_found_by_their_person() -> None:
    desk, phone, colleague = line(), line(_ICU), line(person_id=2)
    hub = hub_with(desk, phone, colleague)
    assert hub.of_person(1) == [desk, phone]
    assert hub.of_person(2) == [colleague]
    assert hub.everyone() == [desk, colleague, phone]


def test_who_leaves_is_gone_and_the_others_stay() -> None:
    gone, stays = line(), line()
    hub = hub_with(gone, stays)
    hub.leave(gone)
    assert hub.lines(_MED) == hub.of_person(1) == hub.everyone() == [stays]


def test_the_last_to_leave_takes_the_audience_along() -> None:
    only, elsewhere = line(), line(_ELSEWHERE, person_id=2)
    hub = hub_with(only, elsewhere)
    hub.leave(only)
    assert hub.audiences(1) == []
    assert hub.hospitals() == {2}
    assert hub.of_person(1) == []
    assert len(hub) == 1


def test_leaving_twice_or_without_having_come_is_nothing() -> None:
    stays, stranger = line(), line(_ICU, person_id=9)
    hub = hub_with(stays)
    hub.leave(stranger)
    hub.leave(stranger)
    assert hub.everyone() == [stays]


def test_joining_twice_counts_once() -> None:
    eager = line()
    hub = hub_with(eager, eager)
    assert len(hub) == 1
    hub.leave(eager)
    assert len(hub) == 0


def test_lists_may_be_walked_while_lines_leave() -> None:
    hub = hub_with(*(line(audience) for audience in (_MED, _MED, _ICU)))
    for walk in (hub.lines(_MED), hub.of_person(1), hub.everyone(), hub.audiences(1)):
        for one in hub.everyone():
            hub.leave(one)
        assert walk


def test_an_audience_sees_its_units_and_no_other() -> None:
    assert _MED.sees(1)
    assert not _MED.sees(2)
    assert not _MED.sees(None)
    assert replace(_MED, units=frozenset({1, None})).sees(None)
