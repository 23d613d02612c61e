from collections import Counter

import pytest

from hospital.simulator.episodes import FAULTS, ILLNESSES, KINDS, Episode, Fate

DAY_S = 86_400


def test_an_episode_rises_holds_and_falls_within_its_time() -> None:
    episode = Episode("fever", starts_s=100, lasts_s=100, rises_s=20, falls_s=50)
    told = [episode.severity(at_s) for at_s in (99.9, 100, 110, 120, 150, 175, 199.9, 200)]
    assert told == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0], abs=0.001)


def test_an_episode_without_a_rise_is_there_at_once_at_its_strength() -> None:
    episode = Episode("lead off", 0, 10, strength=0.7)
    assert [episode.severity(at_s) for at_s in (-1, 0, 9, 10)] == [0, 0.7, 0.7, 0]


def test_the_same_name_has_the_same_fate_asked_in_any_order() -> None:
    times = range(0, 7_200, 10)
    once, again = Fate("1/MED-01", 5), Fate("1/MED-01", 5)
    forwards = {at_s: list(once.at(at_s)) for at_s in times}
    assert forwards == {at_s: list(again.at(at_s)) for at_s in reversed(times)}
    assert any(forwards.values())


def test_without_unruliness_only_what_was_told_happens() -> None:
    told = Episode("sepsis", 100, 50)
    fate = Fate("1/MED-01", 0, [told])
    assert [at_s for at_s in range(DAY_S) if list(fate.at(at_s))] == list(range(100, 150))


def test_an_unruly_bed_has_more_of_everything() -> None:
    def seconds(unruliness: float) -> Counter[str]:
        fates = [Fate(f"1/{bed}", unruliness) for bed in range(5)]
        return Counter(what for fate in fates for at_s in range(0, DAY_S, 10) for what, _ in fate.at(at_s))

    calm, unruly = seconds(0.5), seconds(2)
    assert unruly.keys() <= KINDS
    for kinds in (set(ILLNESSES), set(FAULTS), {"movement"}):
        assert 1.8 * sum(calm[kind] for kind in kinds) < sum(unruly[kind] for kind in kinds)


def test_by_chance_nothing_begins_before_the_wards_time() -> None:
    assert not any(list(Fate("1/MED-01", 5).at(-at_s)) for at_s in range(1, 3_600))
