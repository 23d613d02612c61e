"""The words that every room shares: what an alert can be, and what can happen to it."""

from enum import StrEnum

SIMULATED = "(simulated)"  # the names of the invented colleagues end so, on every card and in every list


def N_(words: str) -> str:
    """Mark for the catalogue what is translated where it is shown."""
    return words


class Priority(StrEnum):
    """Alarm priority (IEC 60601-1-8)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for high, 2 for low: sorts the most urgent first."""
        return list(Priority).index(self)

    def is_above(self, other: "Priority") -> bool:
        return self.rank < other.rank


class AlertKind(StrEnum):
    """What an alarm is about (IHE PCD-04 facet 7)."""

    PHYSIOLOGICAL = "physiological"
    TECHNICAL = "technical"
    ADVISORY = "advisory"


class State(StrEnum):
    """What people have done about an alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Condition(StrEnum):
    """What the patient or the device says about an alert; latched: gone, but someone must still look."""

    ACTIVE = "active"
    CLEARED = "cleared"
    LATCHED = "latched"


class Happening(StrEnum):
    """Why a journal line was written."""

    RAISED = "raised"
    UPDATED = "updated"
    PRIORITY_RAISED = "priority-raised"
    RECURRED = "recurred"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    NOTED = "noted"
    RESOLVED = "resolved"
    EXPIRED = "expired"


HIGHEST_STEP = 2  # 0: the unit's nurses; 1: the charge nurse; 2: the physician
TOLD_AT_STEP = ("nurse", "charge", "physician")
