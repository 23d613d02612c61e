"""Nobody reaches foreign data by any sequence of requests: every byte of every answer, header and stream is looked at.

The same steps each time; a failure prints them as a program. `make soak` takes others each time and prints what plays
them again: a line to put above the test, and `ARGS="-k foreign --hypothesis-seed=NUMBER"` for a whole run.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.journey.intruders import Intruders, NewHouse

COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "report_multiple_bugs": False,
    "suppress_health_check": list(HealthCheck),
}


def intrude(new_house: NewHouse, **how: Any) -> None:
    Intruders.met.clear()
    run_state_machine_as_test(lambda: Intruders(new_house), settings=settings(**how, **COMMON))


MUST_COME = ["identity", "clinical", "frames", "emergencies", "streams ended", "401", "act 200", "act 403", "act 404"]


@pytest.mark.slow
@pytest.mark.timeout(400)  # about half a minute of work, on a machine that does nothing else
def test_no_sequence_of_requests_reaches_foreign_data(new_house: NewHouse) -> None:
    intrude(new_house, max_examples=8, stateful_step_count=100, derandomize=True, phases=[Phase.generate])

    assert [what for what in MUST_COME if not Intruders.met[what]] == [], "closed doors prove nothing"


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_nor_does_any_of_many_more(new_house: NewHouse) -> None:
    intrude(new_house, max_examples=200, stateful_step_count=100)
