"""The words of other rooms in the reader's language: what rules say of a patient, what happened, who is told.

Rules and acts write English into the records; it is translated when it is shown. What a device has sent stands as sent.
"""

import re

import flask_babel

from hospital.vocabulary import N_, TOLD_AT_STEP

_POINTS = re.compile(r"(.+) ([0-9]+)")


PRIORITIES = {"high": N_("high"), "medium": N_("medium"), "low": N_("low")}
KINDS = {"physiological": N_("physiological"), "technical": N_("technical"), "advisory": N_("advisory")}
RISKS = {
    "low": N_("low risk"),
    "low-medium": N_("low-medium risk"),
    "medium": N_("medium risk"),
    "high": N_("high risk"),
}
BED_STATES = {
    "quiet": N_("quiet"),
    "alarm-high": N_("high alert"),
    "alarm-medium": N_("medium alert"),
    "alarm-low": N_("low alert"),
    "acknowledged": N_("acknowledged"),
    "no-data": N_("no data"),
    "empty": N_("empty"),
}
TOLD = {"nurse": N_("nurse"), "charge": N_("charge nurse"), "physician": N_("physician")}
CROSSED = {"low": N_("too low"), "high": N_("too high")}


def gettext(words: str, **values: object) -> str:
    """In the reader's language, with `values` put in at %(name)s."""
    return str(flask_babel.gettext(words, **values))


def rule(text: str) -> str:
    """What a rule wrote ('NEWS2: breathing 3, pulse 1', 'SpO₂ low') as the reader says it."""
    if not text.startswith("NEWS2: "):
        return gettext(text)
    return f"NEWS2: {', '.join(_points(part) for part in text.removeprefix('NEWS2: ').split(', '))}"


def told(step: int) -> str | None:
    """Who has been told at this step; None: nobody but the nurses."""
    return gettext(TOLD[TOLD_AT_STEP[step]]) if step else None


def _points(part: str) -> str:
    found = _POINTS.fullmatch(part)
    return f"{rule(found[1])} {found[2]}" if found else part
