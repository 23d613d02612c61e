"""Readings as ORU^R01 and IHE PCD-01 tell them, one OBX each. Codes are matched by number, never by name."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from hospital.intake import codes
from hospital.intake.codes import Aspect, Measure, Observable, Why
from hospital.intake.hl7 import Message, Refused, Segment, read_time
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Source

_VERIFIED = {"F": True, "C": True, "R": False, "X": False, "": False}  # OBX-11; '' although it must be sent
_WITHDRAWS = ("C", "D", "W")  # what stands before it in the message; a correction that cannot be read does so too
_NUMERIC = ("NM", "ST")
_CODED = ("CE", "CWE", "CNE", "CF")
_PATH = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}")


@dataclass(frozen=True)
class Readings:
    """What a message holds, oldest set first; how many of its results gave no reading, and why."""

    sets: tuple[ObservationSet, ...]
    skipped: int
    reasons: Mapping[Why, int]


def read_observations(message: Message, zone: tzinfo) -> Readings:
    """Raises Refused for a message about two patients, nothing else. `zone`: the sender's, for times that name none."""
    _check_one_patient(message)
    reading = _Reading(message.sent_at(zone), zone)
    for segment in message.segments:
        reading.read(segment)
    sets = tuple(reading.moments[at].as_set(at) for at in sorted(reading.moments))
    return Readings(tuple(one for one in sets if _says_anything(one)), reading.reasons.total(), reading.reasons)


def _check_one_patient(message: Message) -> None:
    """A sender that repeats the same PID is harmless; another PID would give one patient's values to the other."""
    if len({tuple(pid.field(n) for n in (2, 3, 4, 5, 7)) for pid in message.all("PID")}) > 1:
        raise Refused("AE", "100", "PID^2", "There are two patients (PID): send one message for each.")


def _says_anything(one: ObservationSet) -> bool:
    return bool(one.measured) or one.consciousness is not None or one.on_oxygen is not None


@dataclass
class _Moment:
    """What was observed at one time, so far; of the same thing twice, the last."""

    measured: dict[Measure, tuple[float, bool, bool]] = field(default_factory=dict)  # value, verified, corrects
    oxygen: dict[Aspect, bool] = field(default_factory=dict)
    consciousness: Consciousness | None = None
    corrects: bool = False

    def withdraw(self, what: Observable) -> None:
        if isinstance(what, Measure):
            self.measured.pop(what, None)
        elif what is Aspect.CONSCIOUSNESS:
            self.consciousness = None
        else:
            self.oxygen.pop(what, None)

    def as_set(self, at: datetime) -> ObservationSet:
        measured = (Measured(*what, value, at, *how) for what, (value, *how) in self.measured.items())
        return ObservationSet(
            at=at,
            measured=tuple(measured),
            consciousness=self.consciousness,
            on_oxygen=any(self.oxygen.values()) if self.oxygen else None,
            corrects=self.corrects,
        )


class _Reading:
    """One pass over the segments: an OBX is read with the OBR and the devices that stand before it."""

    def __init__(self, sent_at: datetime | None, zone: tzinfo) -> None:
        self.moments: dict[datetime, _Moment] = {}
        self.reasons: Counter[Why] = Counter()
        self._sent_at = sent_at
        self._zone = zone
        self._ordered_at: datetime | None = None
        self._devices: dict[str, Source | None] = {}  # by OBX-4

    def read(self, segment: Segment) -> None:
        if segment.name == "OBR":
            self._ordered_at = read_time(segment.component(7, 1), self._zone)
        elif segment.name == "OBX" and not self._is_device(segment):
            why = self._take(segment)
            if why:
                self.reasons[why] += 1

    def _is_device(self, obx: Segment) -> bool:
        """An MDS, VMD or channel: it holds no result, but what follows may lie in it. It is not counted."""
        written = obx.component(3, 1)
        code = int(written) if re.fullmatch("[0-9]{1,9}", written) else None
        if code is None or code >> 16 > 1 or obx.field(5) or codes.is_local(obx.component(3, 3)):
            return False
        self._devices[_path(obx)] = codes.device(code)
        return True

    def _take(self, obx: Segment) -> Why | None:
        """None: it was taken, or it withdrew what stood before it."""
        what = codes.observable(_codes(obx, 3))
        if what is None:
            return Why.UNKNOWN
        if isinstance(what, Measure):
            what = codes.measured_with(what, self._contained_in(obx))
        at = read_time(obx.component(14, 1), self._zone) or self._ordered_at or self._sent_at
        if at is None:
            return Why.NO_TIME
        moment = self.moments.setdefault(at, _Moment())
        status = obx.component(11, 1).upper()
        if status in _WITHDRAWS:
            moment.withdraw(what)
        if status not in _VERIFIED:
            return Why.STATUS
        moment.corrects = moment.corrects or status == "C"
        return _note(moment, what, obx, status)

    def _contained_in(self, obx: Segment) -> Source | None:
        """The nearest device above it (OBX-4: MDS.VMD.channel.metric) of which we know what it measures with."""
        parts = _path(obx).split(".")
        above = (".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1))
        return next((source for path in above if (source := self._devices.get(path))), None)


def _note(moment: _Moment, what: Observable, obx: Segment, status: str) -> Why | None:
    if what is Aspect.CONSCIOUSNESS:
        answer = codes.consciousness(_codes(obx, 5)) if obx.component(2, 1).upper() in _CODED else None
        moment.consciousness = answer or moment.consciousness
        return None if answer else Why.UNKNOWN
    value = _value(obx, what)
    if isinstance(value, Why):
        return value
    if isinstance(what, Measure):
        moment.measured[what] = (value, _VERIFIED[status], status == "C")
    else:
        moment.oxygen[what] = codes.on_oxygen(what, value)
    return None


def _value(obx: Segment, what: Measure | Aspect) -> float | Why:
    written = obx.field(5)
    if not written:
        return Why.NO_VALUE
    number = codes.number(written) if obx.component(2, 1).upper() in _NUMERIC else None
    if number is None:
        return Why.NO_NUMBER
    units = [obx.component(6, n) for n in (1, 2, 4, 5)]
    return codes.canonical(what.vital if isinstance(what, Measure) else what, number, units)


def _codes(obx: Segment, n: int) -> list[str]:
    """Both triplets: code^name^system^code^name^system."""
    both = ((obx.component(n, first), obx.component(n, first + 2)) for first in (1, 4))
    return [code for code, system in both if not codes.is_local(system)]


def _path(obx: Segment) -> str:
    """OBX-4 without what is not filled: '1.2' for 1.2.0.0. '' if it is no path."""
    written = obx.component(4, 1)
    return re.sub(r"(\.0+)+$", "", written) if _PATH.fullmatch(written) else ""
