"""Several faults at once, at random: the checker must be content. `make soak` does the same for half an hour.

FAULTS_SEED=<number> blows the storm of that number again; a failure tells its number.
"""

import os
import random

import pytest
from playwright.sync_api import Browser

from tests.faults.checker import told
from tests.faults.conftest import NewFloor
from tests.faults.storm import TWISTS, Storm
from tests.faults.tabs import Tabs

STORM_S = 40.0


@pytest.fixture
def seed() -> int:
    """HOSPITAL_SEED repeats a storm; it is printed with each."""
    return int(os.environ.get("FAULTS_SEED", random.randrange(1_000_000)))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_in_a_storm_nothing_is_lost_and_no_screen_lies(new_floor: NewFloor, chromium: Browser, seed: int) -> None:
    print(f"FAULTS_SEED={seed}")
    floor = new_floor(*TWISTS, quick=False, HOSPITAL_BEAT_S="2")
    tabs = Tabs(chromium, floor.server.url, floor.history)
    try:
        for name in ("nurse", "charge"):
            tabs.open(floor.seat(name), 2)
        assert tabs.wait("live")
        storm = Storm(floor, seed, tabs=tabs)
        storm.blow(STORM_S)
        print(storm.counts)
        verdicts = floor.verdicts()
        assert verdicts == [], f"FAULTS_SEED={seed}\n{told(verdicts)}\n{storm.counts}"
    finally:
        tabs.close()
