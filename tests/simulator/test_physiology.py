from statistics import mean

import pytest

from hospital.simulator.episodes import Sign
from hospital.simulator.physiology import DAY_S, Body

MINUTES = range(0, DAY_S, 60)


@pytest.mark.parametrize("name", [f"{seed}/MED-{bed:02}" for seed in range(3) for bed in range(1, 8)])
def test_a_calm_body_stays_within_plausible_bounds_all_day(name: str) -> None:
    body = Body(name)
    for at_s in MINUTES:
        signs = body.at(at_s)
        assert 48 < signs.heart < 118, at_s
        assert 9 < signs.breath < 24, at_s
        assert 92.5 < signs.oxygen <= 100, at_s
        assert 92 < signs.pressure < 165, at_s
        assert 35.6 < signs.heat < 38.1, at_s


def test_the_same_name_is_the_same_body_asked_in_any_order() -> None:
    forwards, backwards = Body("1/MED-01"), Body("1/MED-01")
    told = {at_s: forwards.at(at_s) for at_s in MINUTES}
    assert told == {at_s: backwards.at(at_s) for at_s in reversed(MINUTES)}
    assert Body("1/MED-02").at(0) != Body("2/MED-02").at(0) != Body("2/MED-01").at(0)


def test_values_move_from_second_to_second_but_not_in_leaps() -> None:
    body = Body("1/MED-01")
    hearts = [body.at(at_s).heart for at_s in range(3_600)]
    steps = [abs(later - earlier) for earlier, later in zip(hearts, hearts[1:], strict=False)]
    assert 0.2 < mean(steps) < 2
    assert max(steps) < 8


def test_it_is_warmer_and_quicker_in_the_afternoon_than_before_dawn() -> None:
    body = Body("1/MED-01", hour=0)
    dawn, afternoon = ([body.at(h * 3600 + s) for s in range(0, 3600, 5)] for h in (5, 17))
    assert mean(one.heat for one in afternoon) > mean(one.heat for one in dawn) + 0.3
    assert mean(one.heart for one in afternoon) > mean(one.heart for one in dawn) + 3


def test_what_is_usual_for_a_patient_is_kept() -> None:
    body, invented = Body("1/MED-01", {Sign.OXYGEN: 90.0}), Body("1/MED-01")
    assert mean(body.at(at_s).oxygen for at_s in MINUTES) == pytest.approx(90, abs=0.5)
    assert [body.at(at_s).heart for at_s in MINUTES] == [invented.at(at_s).heart for at_s in MINUTES]


def test_sepsis_draws_every_sign_its_way_in_proportion_to_its_severity() -> None:
    body = Body("1/MED-01")
    calm, half, full = (body.at(100, [("sepsis", severity)] if severity else []) for severity in (0, 0.5, 1))
    assert calm.heart < half.heart < full.heart
    assert calm.breath < half.breath < full.breath
    assert calm.heat < half.heat < full.heat
    assert calm.oxygen > half.oxygen > full.oxygen
    assert calm.pressure > half.pressure > full.pressure


def test_a_heart_that_stands_still_does_not_flutter() -> None:
    body = Body("1/MED-01")
    stopped = [body.at(at_s, [("arrest", 1.0)]) for at_s in range(200)]
    assert {(one.heart, one.breath) for one in stopped} == {(0.0, 0.0)}
    assert all(15 <= one.pressure < 32 for one in stopped)


def test_a_technical_fault_leaves_the_body_alone() -> None:
    body = Body("1/MED-01")
    assert body.at(7, [("lead off", 1.0), ("movement", 1.0)]) == body.at(7)
