"""What a test cannot do without. At a desk its absence skips the test with a reason; in CI it is a failure."""

import os
from typing import TypeVar

import pytest

Thing = TypeVar("Thing")


def need(thing: Thing | None, reason: str) -> Thing:
    """The thing itself; None ends the test. `reason` says what is missing and how to get it."""
    if thing is not None:
        return thing
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have it: {reason}", pytrace=False)
    pytest.skip(reason)
