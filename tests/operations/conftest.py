"""For all tests of this folder."""

from tests.access.quick import quick_passwords

__all__ = ["quick_passwords"]
