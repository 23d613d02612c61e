"""An alarm as IHE PCD-04 (ORU^R40) tells it, in facets of one OBX each. Codes are matched by number, never by name."""

import re
from datetime import date, datetime, tzinfo

from hospital.intake.codes import Measure, observable
from hospital.intake.hl7 import MOST_ORDERS, Message, Refused, Segment, read_time
from hospital.triage.alarm import Alarm, Place, Subject
from hospital.vocabulary import AlertKind, Priority

METRICS, EVENTS = 2, 3  # partitions of the MDC code system: code >> 16
EVT_ALARM, EVT_LO, EVT_HI = 196616, 196670, 196648
SOURCE, PHASE, STATE, PRIORITY, KIND = 68480, 68481, 68482, 68484, 68485

_PRIORITIES = {"PH": Priority.HIGH, "PM": Priority.MEDIUM, "PL": Priority.LOW, "PN": None}
_KINDS = {"SP": AlertKind.PHYSIOLOGICAL, "ST": AlertKind.TECHNICAL, "SA": AlertKind.ADVISORY}
_UNITS = {
    "262688": "%", "266016": "mmHg", "264864": "/min", "264928": "/min", "268192": "°C",
    "%": "%", "mm[Hg]": "mmHg", "{beat}/min": "/min", "/min": "/min", "Cel": "°C", "[degF]": "°F",
}  # fmt: skip
_NO_VALUE = (-100.0, -999.0, -99.9, 32767.0)  # what devices send for "not measured"
_LONGEST_UNIT = 40  # characters; a number has 25 at most
_LONGEST_TEXT = 200  # of an alarm and of a name: they go to every screen
_CODED = ("CE", "CWE", "CNE", "CF")
_NUMBER = r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})"
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})?|([<>])=?\s*({_NUMBER})")
_UUID = re.compile(r"(urn:uuid:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Limits = tuple[float | None, float | None]


def orders(message: Message) -> list[Message]:
    """One message for each OBR, each with the segments before the first. PCD-04 allows one alert a message; a gateway
    that sends more must not have its second alarm dropped. Raises Refused if there is none."""
    starts = [n for n, segment in enumerate(message.segments) if segment.name == "OBR"]
    if not starts:
        raise Refused("AE", "100", "OBR", "There is no OBR segment.")
    if len(starts) > MOST_ORDERS:
        raise Refused("AE", "100", "OBR", f"There are more than {MOST_ORDERS} orders (OBR): send several messages.")
    common = message.segments[: starts[0]]
    ends = [*starts[1:], len(message.segments)]
    return [
        Message(common + message.segments[start:end], message.encoding) for start, end in zip(starts, ends, strict=True)
    ]


def read_alarm(message: Message, zone: tzinfo) -> Alarm:
    """Raises Refused where no alarm can be told. `zone`: the sender's, for times that name none."""
    alert_id = _alert_id(message.segment("OBR"))
    if not alert_id:
        raise Refused("AE", "101", "OBR^1^3", "The alert has no identifier (OBR-29 or OBR-3).")
    observations = message.all("OBX")
    event = _first_of(EVENTS, observations)
    if event is None:
        raise Refused("AE", "101", "OBX^1^3", "No OBX holds an event of the MDC code system (OBX-3).")
    metric = _first_of(METRICS, observations)
    facets = {_code(facet, 3): facet for facet in reversed(observations)}  # of two alike, the first
    source = metric or facets.get(SOURCE)
    low, high = _limits(metric.field(7)) if metric else (None, None)
    asides = [facet for facet in (event, metric, facets.get(SOURCE)) if facet]
    return Alarm(
        alert_id=alert_id,
        event_code=(_code(event, 5) if _code(event, 3) == EVT_ALARM else None) or _code(event, 3),
        source_code=_source_code(metric, facets.get(SOURCE)),
        text=_text(event),
        kind=_kind(facets.get(KIND), asides, AlertKind.PHYSIOLOGICAL if metric else AlertKind.TECHNICAL),
        priority=_priority(facets.get(PRIORITY), asides),
        phase=_word(facets.get(PHASE)),
        state=_word(facets.get(STATE)),
        value=_value(metric) if metric else None,
        unit=_unit(metric) if metric else None,
        low=low,
        high=high,
        observed_at=_observed_at(message, event, source, zone),
        condition=_condition(_code(event, 3), metric),
    )


def read_subject(message: Message) -> Subject | None:
    """The patient (PID), by the first identifier sent; None: the sender does not say who it is."""
    pid = message.segment("PID")
    rep = next((rep for rep in range(1, pid.repetitions(3) + 1) if pid.component(3, 1, rep)), None)
    if rep is None:
        return None
    return Subject(
        identifier=pid.component(3, 1, rep),
        authority=pid.component(3, 4, rep) or pid.component(3, 4, rep, sub=2) or None,
        name=_shortened(", ".join(part for part in (pid.component(5, 1), pid.component(5, 2)) if part)),
        birth_date=_date(pid.component(7, 1)),
        sex=pid.component(8, 1)[:1].upper(),
    )


def read_place(message: Message) -> Place:
    """PV1-3: unit, room, bed."""
    visit = message.segment("PV1")
    return Place(visit.component(3, 1), visit.component(3, 2), visit.component(3, 3))


def read_facility(message: Message) -> str:
    """PV1-3.4. Senders put anything there: it tells nothing but when it names another hospital by its code."""
    return message.segment("PV1").component(3, 4)


def _alert_id(order: Segment) -> str:
    """OBR-29 names the alert in every phase, OBR-3 in the first. A UUID as namespace is part of the name.

    Dräger's entity is a counter that starts at 0 for each alert, and its namespace the alert: without it, all its
    alerts would be one.
    """
    named = (
        (order.component(29, 2), order.component(29, 2, sub=2)),
        (order.component(29, 1), order.component(29, 1, sub=2)),
        (order.component(3, 1), order.component(3, 2)),
    )
    entity, namespace = next((name for name in named if name[0]), ("", ""))
    return f"{entity}^{namespace}" if _UUID.fullmatch(namespace) else entity


def _first_of(partition: int, observations: list[Segment]) -> Segment | None:
    return next((facet for facet in observations if (_code(facet, 3) or 0) >> 16 == partition), None)


def _code(facet: Segment, n: int) -> int | None:
    written = facet.component(n, 1)
    return int(written) if re.fullmatch("[0-9]{1,9}", written) else None


def _source_code(metric: Segment | None, source: Segment | None) -> int | None:
    if metric:
        return _code(metric, 3)
    code = _code(source, 5) if source else None
    return code if code and code >> 16 else None  # a smaller number is the sender's own count


def _condition(event: int | None, metric: Segment | None) -> str | None:
    """What our own rules call the same thing: a vital sign that is too low or too high."""
    measure = observable([metric.component(3, 1)]) if metric else None
    side = {EVT_LO: "low", EVT_HI: "high"}.get(event or 0)
    return f"{measure.vital}-{side}" if isinstance(measure, Measure) and side else None


def _text(event: Segment) -> str:
    numbered = _code(event, 5) is not None
    if numbered or event.field(2) in _CODED:
        told = event.component(5, 9) or event.component(5, 2) or ("" if numbered else event.component(5, 1))
    else:
        told = event.field(5)
    return _shortened(_readable(told or event.component(3, 2))) or f"Event {_code(event, 3)}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _readable(name: str) -> str:
    """'Fluid line occl' for MDC_EVT_FLUID_LINE_OCCL; any other text as it is."""
    if not name.startswith("MDC_"):
        return name
    return name.removeprefix("MDC_").removeprefix("EVT_").replace("_", " ").capitalize()


def _priority(own: Segment | None, asides: list[Segment]) -> Priority | None:
    return next((_PRIORITIES[token] for token in _tokens(own, asides) if token in _PRIORITIES), None)


def _kind(own: Segment | None, asides: list[Segment], otherwise: AlertKind) -> AlertKind:
    return next((_KINDS[token] for token in _tokens(own, asides) if token in _KINDS), otherwise)


def _tokens(own: Segment | None, asides: list[Segment]) -> list[str]:
    """The facet of its own first, then what OBX-8 repeats in any order, as in `L~PM~SP`."""
    tokens = [own.component(5, 1)] if own else []
    tokens += [facet.component(8, 1, rep) for facet in asides for rep in range(1, facet.repetitions(8) + 1)]
    return [token.upper() for token in tokens]


def _word(facet: Segment | None) -> str | None:
    return (facet.component(5, 1).lower() or None) if facet else None


def _value(metric: Segment) -> str | None:
    """As it was written: a number keeps the digits that its sender gave it."""
    written = metric.field(5)
    return written if _number(written) is not None else None


def _number(written: str) -> float | None:
    """None: no single plain number, or one that means that nothing was measured."""
    number = float(written) if re.fullmatch(_NUMBER, written) else None
    return None if number in _NO_VALUE else number


def _unit(metric: Segment) -> str | None:
    code, name = metric.component(6, 1), metric.component(6, 2)
    return (_UNITS.get(code) or name or code)[:_LONGEST_UNIT] or None


def _limits(written: str) -> Limits:
    """'90-96', '90-', '-10-5', '<500', '>60'; what cannot be read, or is upside down, is no limit."""
    found = _RANGE.fullmatch(written)
    if not found:
        return None, None
    first, second, sign, bound = found.groups()
    if sign:
        return (None, _number(bound)) if sign == "<" else (_number(bound), None)
    low, high = _number(first), _number(second or "")
    return (None, None) if low is not None and high is not None and low > high else (low, high)


def _observed_at(message: Message, event: Segment, source: Segment | None, zone: tzinfo) -> datetime | None:
    written = (
        event.component(14, 1),
        source.component(14, 1) if source else "",
        message.segment("OBR").component(7, 1),
    )
    times = (read_time(text, zone) for text in written)
    return next((time for time in times if time), None) or message.sent_at(zone)


def _date(written: str) -> date | None:
    found = re.match("([0-9]{4})([0-9]{2})([0-9]{2})", written)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
