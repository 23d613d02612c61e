"""Which codes and units mean which vital sign: one table for HL7 v2 and FHIR. Codes match by number, never by name.

Sources: ISO/IEEE 11073-10101 (MDC), loinc.org, ucum.org; ACVPU in SNOMED CT as in HL7 UK's CareConnect-ACVPU-1.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from hospital.triage.observation import Consciousness, Source, Vital


class Measure(NamedTuple):
    """A vital sign and how it was measured; OTHER: the code does not say how."""

    vital: Vital
    source: Source


class Aspect(StrEnum):
    """What is observed besides vital signs."""

    CONSCIOUSNESS = "consciousness"  # the ACVPU or AVPU scale; never a Glasgow score
    OXYGEN_FLOW = "oxygen flow"  # l/min
    OXYGEN_FRACTION = "oxygen fraction"  # % of what is breathed in


class Why(StrEnum):
    """Why a result gave no reading. Safe to log and to answer: it never holds what was sent."""

    UNKNOWN = "no vital sign that is known here"
    NO_VALUE = "no value"
    NO_NUMBER = "not one plain number"
    NO_UNIT = "no unit, and the number could be meant in more than one"
    WRONG_UNIT = "a unit that is not known for this vital sign"
    IMPOSSIBLE = "a value that no patient has"
    STATUS = "its status says that it is not to be taken"
    NO_TIME = "no time of observation"


Observable = Measure | Aspect

_ECG, _ART, _OXI, _CUFF, _OTHER = Source.ECG, Source.ARTERIAL, Source.OXIMETER, Source.CUFF, Source.OTHER

_MDC = {
    "147842": Measure(Vital.HR, _ECG),
    "149514": Measure(Vital.HR, _OTHER),  # pulse
    "149522": Measure(Vital.HR, _ART),
    "149530": Measure(Vital.HR, _OXI),
    "149546": Measure(Vital.HR, _CUFF),
    "151562": Measure(Vital.RR, _OTHER),
    "151570": Measure(Vital.RR, _OTHER),  # by airway flow
    "151578": Measure(Vital.RR, _ECG),  # by the impedance between ECG electrodes
    "151594": Measure(Vital.RR, _OTHER),  # by CO2
    "151650": Measure(Vital.RR, _OTHER),  # acoustic
    "151658": Measure(Vital.RR, _OXI),
    "150456": Measure(Vital.SPO2, _OXI),
    "150017": Measure(Vital.SBP, _OTHER),
    "150018": Measure(Vital.DBP, _OTHER),
    "150019": Measure(Vital.MAP, _OTHER),
    "150021": Measure(Vital.SBP, _CUFF),
    "150022": Measure(Vital.DBP, _CUFF),
    "150023": Measure(Vital.MAP, _CUFF),
    "150301": Measure(Vital.SBP, _CUFF),
    "150302": Measure(Vital.DBP, _CUFF),
    "150303": Measure(Vital.MAP, _CUFF),
    "150033": Measure(Vital.SBP, _ART),
    "150034": Measure(Vital.DBP, _ART),
    "150035": Measure(Vital.MAP, _ART),
    "150037": Measure(Vital.SBP, _ART),
    "150038": Measure(Vital.DBP, _ART),
    "150039": Measure(Vital.MAP, _ART),
    "150344": Measure(Vital.TEMP, _OTHER),
    "150364": Measure(Vital.TEMP, _OTHER),  # body
    "150368": Measure(Vital.TEMP, _OTHER),  # core
    "150392": Measure(Vital.TEMP, _OTHER),  # tympanic
    "188420": Measure(Vital.TEMP, _OTHER),  # rectal
    "188424": Measure(Vital.TEMP, _OTHER),  # oral
    "188428": Measure(Vital.TEMP, _OTHER),  # ear
    "188452": Measure(Vital.TEMP, _OTHER),  # axillary; the skin's own temperature (150388) is none of these
}
_LOINC: dict[str, Observable] = {
    "8867-4": Measure(Vital.HR, _OTHER),
    "8889-8": Measure(Vital.HR, _OXI),
    "76282-3": Measure(Vital.HR, _ECG),
    "9279-1": Measure(Vital.RR, _OTHER),
    "2708-6": Measure(Vital.SPO2, _OTHER),  # in arterial blood, by whatever method
    "59408-5": Measure(Vital.SPO2, _OXI),
    "8480-6": Measure(Vital.SBP, _OTHER),
    "8462-4": Measure(Vital.DBP, _OTHER),
    "8478-0": Measure(Vital.MAP, _OTHER),
    "76534-7": Measure(Vital.SBP, _CUFF),
    "76535-4": Measure(Vital.DBP, _CUFF),
    "76536-2": Measure(Vital.MAP, _CUFF),
    "76215-3": Measure(Vital.SBP, _ART),
    "76213-8": Measure(Vital.DBP, _ART),
    "76214-6": Measure(Vital.MAP, _ART),
    "8310-5": Measure(Vital.TEMP, _OTHER),
    "8328-7": Measure(Vital.TEMP, _OTHER),  # axillary
    "8329-5": Measure(Vital.TEMP, _OTHER),  # core
    "8331-1": Measure(Vital.TEMP, _OTHER),  # oral
    "8332-9": Measure(Vital.TEMP, _OTHER),  # rectal
    "8333-7": Measure(Vital.TEMP, _OTHER),  # tympanic
    "3151-8": Aspect.OXYGEN_FLOW,
    "3150-6": Aspect.OXYGEN_FRACTION,
    "19994-3": Aspect.OXYGEN_FRACTION,
    "80288-4": Aspect.CONSCIOUSNESS,  # level of consciousness AVPU score
    "67775-7": Aspect.CONSCIOUSNESS,  # level of responsiveness
}
_SNOMED = {"1104441000000107": Aspect.CONSCIOUSNESS}
_OBSERVABLES: dict[str, Observable] = {**_MDC, **_LOINC, **_SNOMED}  # the three cannot be mistaken for each other

PANELS = frozenset({"85353-1", "85354-9", "55284-4", "35094-2"})  # vital signs; blood pressure, now and formerly

# SNOMED CT only: the answer lists that LOINC has for the two questions above differ between senders.
_ANSWERS = {
    "248234008": Consciousness.ALERT,
    "130987000": Consciousness.CONFUSION,
    "300202002": Consciousness.VOICE,
    "450847001": Consciousness.PAIN,
    "422768004": Consciousness.UNRESPONSIVE,
}

# What a device (MDC partition 1) measures with; each code stands for four: itself, its MDS, VMD and channel.
_DEVICES = {4104: _OXI, 4260: _ECG, 5148: _CUFF}
_OF_DEVICE = {
    _OXI: frozenset({Vital.HR, Vital.RR, Vital.SPO2}),
    _ECG: frozenset({Vital.HR, Vital.RR}),
    _CUFF: frozenset({Vital.HR, Vital.SBP, Vital.DBP, Vital.MAP}),
}

NO_VALUES = frozenset({-100.0, -999.0, -99.9, 32767.0})  # what devices send for "not measured"

# Wide on purpose: an asystole (0), an apnoea (0) and a failing pressure are real; a pressure of 0 is an open
# transducer, an SpO2 under 10 no measurement, under 10 °C or over 47 °C a probe that fell off. Both ends are possible.
PLAUSIBLE: dict[Vital | Aspect, tuple[float, float]] = {
    Vital.HR: (0, 400),
    Vital.RR: (0, 150),
    Vital.SPO2: (10, 100),
    Vital.SBP: (10, 350),
    Vital.DBP: (3, 250),
    Vital.MAP: (3, 300),
    Vital.TEMP: (10, 47),
    Aspect.OXYGEN_FLOW: (0, 100),
    Aspect.OXYGEN_FRACTION: (15, 100),
}

_Convert = Callable[[float], float]


def _same(value: float) -> float:
    return value


def _from_fahrenheit(value: float) -> float:
    return round((value - 32) * 5 / 9, 6)  # 100.4 °F is 38 °C, not 38.00000000000001


def _from_kpa(value: float) -> float:
    return round(value / 0.133322387415, 6)


def _from_fraction(value: float) -> float:
    return round(value * 100, 6)


_RATES: dict[str, _Convert] = {"/min": _same}
_SHARES: dict[str, _Convert] = {"%": _same, "1": _from_fraction}
_PRESSURES: dict[str, _Convert] = {"mmHg": _same, "kPa": _from_kpa}
_TO_CANONICAL: dict[Vital | Aspect, dict[str, _Convert]] = {  # the canonical unit first
    Vital.HR: _RATES,
    Vital.RR: _RATES,
    Vital.SPO2: _SHARES,
    Vital.SBP: _PRESSURES,
    Vital.DBP: _PRESSURES,
    Vital.MAP: _PRESSURES,
    Vital.TEMP: {"°C": _same, "°F": _from_fahrenheit},
    Aspect.OXYGEN_FLOW: {"l/min": _same},
    Aspect.OXYGEN_FRACTION: _SHARES,
}

_UNITS = {
    "262688": "%", "265216": "l/min", "264864": "/min", "264928": "/min", "265987": "kPa", "266016": "mmHg",
    "266560": "°F", "268192": "°C",
    "%": "%", "percent": "%", "%o2": "%", "%spo2": "%", "1": "1", "{fraction}": "1", "fraction": "1",
    "mm[hg]": "mmHg", "mmhg": "mmHg", "kpa": "kPa",
    "cel": "°C", "degc": "°C", "°c": "°C", "c": "°C", "celsius": "°C",
    "[degf]": "°F", "degf": "°F", "°f": "°F", "f": "°F", "fahrenheit": "°F",
    "/min": "/min", "1/min": "/min", "min-1": "/min", "bpm": "/min", "rpm": "/min", "brpm": "/min", "/minute": "/min",
    "beat/min": "/min", "beats/min": "/min", "beat/minute": "/min", "beats/minute": "/min",
    "breath/min": "/min", "breaths/min": "/min", "breaths/minute": "/min", "resp/min": "/min",
    "l/min": "l/min", "lpm": "l/min", "l/minute": "l/min",
}  # fmt: skip
_LOCAL = re.compile(r"L|99.*", re.IGNORECASE)  # HL7 table 0396: codes of the sender's own
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")


def observable(codes: Iterable[str]) -> Observable | None:
    """What one thing all these codes stand for; of two ways to say it, the one that says how it was measured.

    None: none of them is known, or they contradict each other.
    """
    known = [_OBSERVABLES[code] for code in codes if code in _OBSERVABLES]
    if len({one.vital if isinstance(one, Measure) else one for one in known}) != 1:
        return None
    told = (one for one in known if isinstance(one, Measure) and one.source is not Source.OTHER)
    return next(told, known[0])


def consciousness(codes: Iterable[str]) -> Consciousness | None:
    """The answer on the ACVPU scale. None: it is not one of its five, or it is more than one."""
    known = {_ANSWERS[code] for code in codes if code in _ANSWERS}
    return known.pop() if len(known) == 1 else None


def is_local(system: str) -> bool:
    """A coding system of the sender's own (HL7 v2: `L`, `99…`): its numbers are not ours, though they may look so."""
    return _LOCAL.fullmatch(system) is not None


def device(code: int) -> Source | None:
    """What an MDS, VMD or channel measures with. Some gateways leave out the partition (Philips: 4262 for 69798)."""
    return _DEVICES.get(code % 65536 // 4 * 4) if code >> 16 in (0, 1) else None


def measured_with(measure: Measure, source: Source | None) -> Measure:
    """The same, from the device it is contained in, if its own code does not say how it was measured."""
    if measure.source is not Source.OTHER or source is None or measure.vital not in _OF_DEVICE[source]:
        return measure
    return Measure(measure.vital, source)


def number(written: str) -> float | None:
    """None: it is not exactly one plain number."""
    return float(written) if _NUMBER.fullmatch(written) else None


def canonical(what: Vital | Aspect, value: float, units: Iterable[str]) -> float | Why:
    """The value in the unit in which it is kept; or why it is not one. `units`: every spelling that was sent.

    No unit at all: the canonical one is assumed, but only if the number cannot be meant in any other unit of this vital
    sign. So 36.5 is °C, 97 is %, 117 is mmHg; 98.6 is not taken, nor is a pressure of 16, which may be kPa.
    """
    if value in NO_VALUES:
        return Why.NO_VALUE
    sent = [unit for unit in units if unit]
    if not sent:
        return _without_unit(what, value)
    meant = {_UNITS[_plain(unit)] for unit in sent if _plain(unit) in _UNITS}
    convert = _TO_CANONICAL[what].get(meant.pop()) if len(meant) == 1 else None
    if convert is None:
        return Why.WRONG_UNIT
    kept = convert(value)
    return kept if _plausible(what, kept) else Why.IMPOSSIBLE


def on_oxygen(what: Aspect, value: float) -> bool:
    """Whether that flow (l/min) or fraction (%) is more than air."""
    return value > (21 if what is Aspect.OXYGEN_FRACTION else 0)


def _without_unit(what: Vital | Aspect, value: float) -> float | Why:
    possible = [_plausible(what, convert(value)) for convert in _TO_CANONICAL[what].values()]
    if not any(possible):
        return Why.IMPOSSIBLE
    return value if possible[0] and not any(possible[1:]) else Why.NO_UNIT


def _plausible(what: Vital | Aspect, value: float) -> bool:
    low, high = PLAUSIBLE[what]
    return low <= value <= high


def _plain(unit: str) -> str:
    """Case, blanks and UCUM's remarks say nothing: '{Beats}/min' and '/MIN' are '/min'."""
    text = re.sub(r"\s", "", unit).casefold()
    return text if text in _UNITS else re.sub(r"\{[^{}]*\}", "", text)
