"""What an alarm message asks for: to raise an alert, to clear one, or nothing."""

from dataclasses import dataclass
from enum import StrEnum

from hospital.triage.alarm import Alarm
from hospital.vocabulary import Priority

_STARTING = ("start", "start_only", "tpoint")
_ENDING = ("end", "stop", "reset")
_SILENCING = ("inactivate", "acknowledged")


class Outcome(StrEnum):
    RAISE = "raise"
    CLEAR = "clear"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Assessment:
    """`priority_sent` False: the sender told none, so it is taken as medium. `latched`: the condition has gone, but
    the alarm stays until someone looks. `starts`: a new occurrence, not the course of a known one."""

    outcome: Outcome
    priority: Priority
    priority_sent: bool
    latched: bool
    starts: bool


def assess(alarm: Alarm, processing_id: str, training_sender: bool) -> Assessment:
    """Phases and states: IHE PCD TF-2, appendix B.8 (facets 3 and 4). `processing_id`: MSH-11, '' when not sent."""
    return Assessment(
        outcome=_outcome(alarm, processing_id, training_sender),
        priority=alarm.priority or Priority.MEDIUM,
        priority_sent=alarm.priority is not None,
        latched=alarm.state == "latched",
        starts=alarm.phase in _STARTING,
    )


def is_for_production(processing_id: str) -> bool:
    """MSH-11. What does not say is taken as meant: only what says that it is not (D, T) is left out."""
    return processing_id in ("P", "")


def _outcome(alarm: Alarm, processing_id: str, training_sender: bool) -> Outcome:
    """A phase that is unknown or missing raises: an alarm that we do not understand is still an alarm.

    So does one that does not say whether it is for production; only what says that it is not (D, T) is left out.
    An inactive state wins over any phase (IHE PCD TF-2, appendix B.8).
    """
    if not is_for_production(processing_id) and not training_sender:
        return Outcome.NOTHING
    if alarm.state == "inactive" or alarm.phase in _ENDING:
        return Outcome.CLEAR
    if alarm.phase in _SILENCING:  # the device's own silence; ours is decided by people
        return Outcome.NOTHING
    return Outcome.RAISE
