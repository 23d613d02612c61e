"""An event of the ward as the HL7 v2.6 message a gateway would send: IHE PCD-04, ORU^R40^ORU_R40.

The layout follows the facets of the IHE PCD Technical Framework, volume 2, appendix B.8.
"""

from datetime import UTC, datetime

from hospital.simulator.patients import Bed, Patient
from hospital.simulator.troubles import Code
from hospital.simulator.ward import AlarmEvent, Phase
from hospital.vocabulary import AlertKind, Priority

APPLICATION = "WARD_SIMULATOR"
FACILITY = "DEMO"
PROFILE = "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"

ALARM = Code(196616, "MDC_EVT_ALARM")
ALERT_SOURCE = Code(68480, "MDC_ATTR_ALERT_SOURCE")
EVENT_PHASE = Code(68481, "MDC_ATTR_EVENT_PHASE")
ALARM_STATE = Code(68482, "MDC_ATTR_ALARM_STATE")
INACTIVATION_STATE = Code(68483, "MDC_ATTR_ALARM_INACTIVATION_STATE")
ALARM_PRIORITY = Code(68484, "MDC_ATTR_ALARM_PRIORITY")
ALERT_TYPE = Code(68485, "MDC_ATTR_ALERT_TYPE")

PRIORITY_WORDS = {Priority.HIGH: "PH", Priority.MEDIUM: "PM", Priority.LOW: "PL"}
TYPE_WORDS = {AlertKind.PHYSIOLOGICAL: "SP", AlertKind.TECHNICAL: "ST", AlertKind.ADVISORY: "SA"}

_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "})


def alarm_message(event: AlarmEvent, *, at: datetime, control_id: str, alert_id: str = "") -> bytes:
    """The message without its MLLP frame, in UTF-8; every segment ends in CR.

    `at` needs a zone. `alert_id` must be the same in every message of one alarm and in no other alarm's;
    empty: "A" and the event's number, which is enough within one run of one ward.
    """
    time = _time(at)
    alert_id = escape(alert_id or f"A{event.alarm}")
    segments = [_msh(time, control_id), *_pid(event.bed.patient), _pv1(event.bed), _obr(alert_id, time)]
    segments += _facets(event, time)
    return "".join(f"{segment}\r" for segment in segments).encode()


def escape(text: str) -> str:
    """Text that may stand inside a field (HL7 v2.6, 2.7.1); line ends, which would cut the segment, become spaces."""
    return text.translate(_ESCAPES)


def _msh(time: str, control_id: str) -> str:
    fields = {3: APPLICATION, 4: FACILITY, 7: time, 9: "ORU^R40^ORU_R40", 10: escape(control_id), 11: "P", 12: "2.6"}
    fields |= {15: "AL", 16: "NE", 18: "UNICODE UTF-8", 21: PROFILE}
    return r"MSH|^~\&|" + _segment("", {number - 2: value for number, value in fields.items()})[1:]


def _pid(patient: Patient | None) -> list[str]:
    if patient is None:
        return []
    name = f"{escape(patient.family)}^{escape(patient.given)}^^^^^L"
    number = f"{escape(patient.number)}^^^{FACILITY}^PI"
    return [_segment("PID", {3: number, 5: name, 7: f"{patient.born:%Y%m%d}", 8: patient.sex})]


def _pv1(bed: Bed) -> str:
    return _segment("PV1", {2: "I", 3: f"{escape(bed.unit)}^^{escape(bed.name)}"})


def _obr(alert_id: str, time: str) -> str:
    filler = f"{alert_id}^{APPLICATION}"
    return _segment("OBR", {1: "1", 3: filler, 4: _coded(ALARM), 7: time, 29: f"^{alert_id}&{APPLICATION}"})


def _facets(event: AlarmEvent, time: str) -> list[str]:
    words = [
        (EVENT_PHASE, event.phase),
        (ALARM_STATE, "inactive" if event.phase is Phase.END else "active"),
        (INACTIVATION_STATE, "enabled"),
        (ALARM_PRIORITY, PRIORITY_WORDS[event.priority]),
        (ALERT_TYPE, TYPE_WORDS[event.trouble.kind]),
    ]
    facets = [_what(event), _source(event), *({2: "ST", 3: _coded(code), 5: word} for code, word in words)]
    common = {11: "F", 14: time, 18: escape(f"{_device(event)}-{event.bed.name}") + f"^{APPLICATION}"}
    return [
        _segment("OBX", {1: str(number), 4: f"1.0.0.{event.trouble.source.number}.{number}"} | facet | common)
        for number, facet in enumerate(facets, start=1)
    ]


def _what(event: AlarmEvent) -> dict[int, str]:
    trouble = event.trouble
    if trouble.kind is AlertKind.PHYSIOLOGICAL:
        return {2: "ST", 3: _coded(trouble.event), 5: escape(trouble.text)}
    return {2: "CWE", 3: _coded(ALARM), 5: f"{_coded(trouble.event)}^^^^^^{escape(trouble.text)}"}


def _source(event: AlarmEvent) -> dict[int, str]:
    source, measure = event.trouble.source, event.trouble.measure
    if measure is None:
        return {2: "CWE", 3: _coded(ALERT_SOURCE), 5: _coded(source)}
    low, high = measure.limits
    value = "" if event.value is None else str(event.value)
    return {2: "NM", 3: _coded(source), 5: value, 6: _coded(measure.unit), 7: f"{low}-{high}"}


def _device(event: AlarmEvent) -> str:
    return "PUMP" if event.trouble.organ == "pump" else "MONITOR"


def _coded(code: Code) -> str:
    return f"{code.number}^{code.name}^MDC"


def _segment(name: str, fields: dict[int, str]) -> str:
    """Fields by their HL7 number; those not named are empty."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def _time(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc:%Y%m%d%H%M%S}.{utc.microsecond // 1000:03}+0000"
