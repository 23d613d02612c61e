"""The suite notices a hole in a door, whichever of these it is: tests/access/holes.py digs them, one for each test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.access.holes import HOLES, TOLD

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Each test and what it failed of, with its own hole in the product; one run for all of them."""
    told = tmp_path_factory.mktemp("holes") / "told"
    tests = [test for test, _ in HOLES.values()]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.access.holes", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(ROOT), TOLD: str(told)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.exists(), done.stdout + done.stderr
    return dict(json.loads(line) for line in told.read_text().splitlines())


@pytest.mark.parametrize("hole", HOLES)
def test_the_suite_notices_a_hole(noticed: dict[str, str], hole: str) -> None:
    """By an assert: what merely falls over would be noticed for another reason."""
    test, _ = HOLES[hole]
    assert noticed.get(test, "not run") in ("AssertionError", "Failed"), f"{test} does not notice that {hole}"


def test_each_hole_has_a_test_of_its_own() -> None:
    assert len({test for test, _ in HOLES.values()}) == len(HOLES) > 10
