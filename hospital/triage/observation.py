"""What was measured or seen of a patient, in one unit for each vital sign, before anybody decided what it means."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Vital(StrEnum):
    """A vital sign and the only unit in which it is kept."""

    HR = "hr"  # beats a minute
    RR = "rr"  # breaths a minute
    SPO2 = "spo2"  # %
    SBP = "sbp"  # mmHg
    DBP = "dbp"  # mmHg
    MAP = "map"  # mmHg
    TEMP = "temp"  # °C


class Source(StrEnum):
    """Where a value comes from; the first of those that are fresh enough is shown and scored."""

    ECG = "ecg"
    ARTERIAL = "arterial"
    OXIMETER = "oximeter"
    CUFF = "cuff"
    OTHER = "other"


class Consciousness(StrEnum):
    """ACVPU (NEWS2): alert, new confusion, responds to voice, to pain, unresponsive."""

    ALERT = "A"
    CONFUSION = "C"
    VOICE = "V"
    PAIN = "P"
    UNRESPONSIVE = "U"


@dataclass(frozen=True)
class Measured:
    """One value. `verified` False: the device sent it without a person's confirmation (OBX-11 X or R). `corrects`: it
    takes the place of what was told of the same moment."""

    vital: Vital
    source: Source
    value: float
    at: datetime
    verified: bool = True
    corrects: bool = False


@dataclass(frozen=True)
class ObservationSet:
    """What was observed at one moment: one row. None: not observed, never 'normal'. `corrects`: of what was seen."""

    at: datetime
    measured: tuple[Measured, ...] = ()
    consciousness: Consciousness | None = None
    on_oxygen: bool | None = None
    corrects: bool = False
