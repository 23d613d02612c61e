"""A FHIR Observation: a vital sign, a panel of them, or something that we do not take."""

from collections.abc import Iterator
from datetime import datetime

from hospital.intake import codes
from hospital.intake.codes import Aspect, Measure, Why
from hospital.intake.fhir_entries import Invalid, Kept, ObservationSeen
from hospital.intake.fhir_item import Item, patient_of
from hospital.intake.fhir_shapes import Component, Concept, Observation, Quantity
from hospital.triage.observation import Consciousness, Measured, ObservationSet, Vital

# Taken without a person's confirmation: preliminary. The rest of FHIR's statuses hold no reading to rely on.
_VERIFIED = {"final": True, "amended": True, "corrected": True, "preliminary": False}
_CORRECTS = ("amended", "corrected")
_NOT_TAKEN = ("registered", "cancelled", "entered-in-error", "unknown")


def read_observation(observation: Observation, item: Item) -> ObservationSeen | Kept:
    if observation.status not in (*_VERIFIED, *_NOT_TAKEN):
        raise Invalid(422, f"{item.element}.status", "This is not a status of an observation.")
    patient = patient_of(observation.subject, item)
    if patient is None:
        return Kept("Observation", item.element, item.position)
    at = _observed_at(observation, item)
    seen = _Seen(at, _VERIFIED.get(observation.status), corrects=observation.status in _CORRECTS)
    seen.take(observation)
    return ObservationSeen(patient, seen.as_set(), tuple(seen.skipped), item.element, item.position)


def _observed_at(observation: Observation, item: Item) -> datetime | None:
    written = (
        ("effectiveDateTime", observation.effective_date_time),
        ("effectiveInstant", observation.effective_instant),
        ("effectivePeriod.end", observation.effective_period.end),
        ("effectivePeriod.start", observation.effective_period.start),
        ("issued", observation.issued),
    )
    times = [item.time(text, element) for element, text in written]
    return next((time for time in times if time), None)


class _Seen:
    """What one observation holds, its own value and its components'; of the same thing twice, the last."""

    def __init__(self, at: datetime | None, verified: bool | None, *, corrects: bool) -> None:
        self.skipped: list[Why] = []
        self._at = at
        self._verified = verified
        self._corrects = corrects
        self._measured: dict[Measure, float] = {}
        self._oxygen: dict[Aspect, bool] = {}
        self._consciousness: Consciousness | None = None

    def take(self, observation: Observation) -> None:
        panel = not codes.PANELS.isdisjoint(observation.code.codes())
        if self._verified is None:
            self.skipped.append(Why.STATUS)
        elif not panel and codes.observable(observation.code.codes()) is None:
            self.skipped.append(Why.UNKNOWN)
        elif self._at is None:
            self.skipped.append(Why.NO_TIME)
        else:
            whys = [self._take_one(one) for one in _parts(observation, panel)]
            self.skipped += [why for why in whys if why]
            if not whys:
                self.skipped.append(Why.NO_VALUE)  # only references to other observations

    def as_set(self) -> ObservationSet | None:
        on_oxygen = any(self._oxygen.values()) if self._oxygen else None
        if self._at is None or not (self._measured or self._consciousness or self._oxygen):
            return None
        at, how = self._at, (bool(self._verified), self._corrects)
        measured = tuple(Measured(*what, value, at, *how) for what, value in self._measured.items())
        return ObservationSet(at, measured, self._consciousness, on_oxygen, self._corrects)

    def _take_one(self, one: Observation | Component) -> Why | None:
        what = codes.observable(one.code.codes())
        if what is None:
            return Why.UNKNOWN
        if one.data_absent_reason is not None:
            return Why.NO_VALUE
        if what is Aspect.CONSCIOUSNESS:
            return self._take_answer(one.value_codeable_concept)
        value = _value(what.vital if isinstance(what, Measure) else what, one.value_quantity)
        if isinstance(value, Why):
            return value
        if isinstance(what, Measure):
            self._measured[what] = value
        else:
            self._oxygen[what] = codes.on_oxygen(what, value)
        return None

    def _take_answer(self, concept: Concept | None) -> Why | None:
        answer = codes.consciousness(concept.codes()) if concept else None
        self._consciousness = answer or self._consciousness
        return None if answer else Why.UNKNOWN if concept else Why.NO_VALUE


def _parts(observation: Observation, panel: bool) -> Iterator[Observation | Component]:
    """A panel has no value of its own."""
    if not panel:
        yield observation
    yield from observation.component


def _value(what: Vital | Aspect, quantity: Quantity | None) -> float | Why:
    if quantity is None or quantity.value is None:
        return Why.NO_VALUE
    if quantity.comparator:  # "less than 50" is no 50
        return Why.NO_NUMBER
    return codes.canonical(what, quantity.value, quantity.units())
