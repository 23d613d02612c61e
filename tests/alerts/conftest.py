"""A ward on whose clock it is noon."""

import pytest

from tests.alerts.ward import Ward
from tests.support.house import House


@pytest.fixture
def ward(house: House) -> Ward:
    return Ward(house)


@pytest.fixture
def either_ward(either_house: House) -> Ward:
    """The same on each database in turn."""
    return Ward(either_house)
