"""What cannot be rendered concerns those who should see it, and nobody else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from hospital import meters

log = logging.getLogger(__name__)


class Unrenderable(Exception):
    """It fails whenever one tries: put a resync in its place and go on."""


@contextmanager
def rendering(kind: str, hospital_id: int) -> Iterator[None]:
    """Raises Unrenderable for whatever goes wrong inside, but for the database's own trouble: that is everybody's."""
    try:
        yield
    except DBAPIError:
        raise
    except Exception as error:  # logged by its kind alone: its text may quote a patient
        meters.count("unrenderable_total", kind=kind)
        log.error("%s of hospital %s cannot be shown: %s", kind, hospital_id, type(error).__name__)
        raise Unrenderable from error
