"""An alarm of the ward as the HL7 v2.6 message a gateway would send: IHE PCD-04, ORU^R40^ORU_R40.

The layout follows the facets of the IHE PCD Technical Framework, volume 2, appendix B.8.
"""

from datetime import datetime

from hospital.simulator import segments
from hospital.simulator.codes import Code
from hospital.simulator.limits import Fault
from hospital.simulator.monitor import Alarm, Phase
from hospital.simulator.segments import APPLICATION, escape, segment
from hospital.simulator.ward import AlarmEvent
from hospital.vocabulary import AlertKind, Priority

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


def alarm_message(event: AlarmEvent, *, at: datetime, control_id: str, alert_id: str = "") -> bytes:
    """The message without its MLLP frame, in UTF-8; every segment ends in CR.

    `at` needs a zone. `alert_id` must be the same in every message of one alarm and in no other alarm's;
    empty: "A" and the alarm's number, which is enough within one run of one ward.
    """
    time, alert_id = segments.time(at), escape(alert_id or f"A{event.number}")
    first = segments.header("ORU^R40^ORU_R40", PROFILE, at=at, control_id=control_id)
    return segments.message([first, *segments.whose(event.bed), _obr(alert_id, time), *_facets(event, time)])


def _obr(alert_id: str, time: str) -> str:
    filler = f"{alert_id}^{APPLICATION}"
    return segment("OBR", {1: "1", 3: filler, 4: str(ALARM), 7: time, 29: f"^{alert_id}&{APPLICATION}"})


def _facets(event: AlarmEvent, time: str) -> list[str]:
    alarm = event.alarm
    words = [
        (EVENT_PHASE, alarm.phase),
        (ALARM_STATE, "inactive" if alarm.phase is Phase.END else "active"),
        (INACTIVATION_STATE, "enabled"),
        (ALARM_PRIORITY, PRIORITY_WORDS[alarm.priority]),
        (ALERT_TYPE, TYPE_WORDS[alarm.cause.kind]),
    ]
    facets = [_what(alarm), _source(alarm), *({2: "ST", 3: str(code), 5: word} for code, word in words)]
    device = alarm.cause.device if isinstance(alarm.cause, Fault) else "MONITOR"
    common = {11: "F", 14: time, 18: escape(f"{device}-{event.bed.name}") + f"^{APPLICATION}"}
    return [
        segment("OBX", {1: str(number), 4: f"1.0.0.{_source_code(alarm).number}.{number}"} | facet | common)
        for number, facet in enumerate(facets, start=1)
    ]


def _what(alarm: Alarm) -> dict[int, str]:
    if isinstance(alarm.cause, Fault):
        return {2: "CWE", 3: str(ALARM), 5: f"{alarm.cause.event}^^^^^^{escape(alarm.text)}"}
    return {2: "ST", 3: str(alarm.cause.event), 5: escape(alarm.text)}


def _source(alarm: Alarm) -> dict[int, str]:
    if isinstance(alarm.cause, Fault):
        return {2: "CWE", 3: str(ALERT_SOURCE), 5: str(alarm.cause.source)}
    metric = alarm.cause.metric
    value = "" if alarm.value is None else metric.written(alarm.value)
    low, high = (f"{limit:g}" for limit in alarm.limits or ())
    return {2: "NM", 3: str(metric.code), 5: value, 6: str(metric.unit), 7: f"{low}-{high}"}


def _source_code(alarm: Alarm) -> Code:
    return alarm.cause.source if isinstance(alarm.cause, Fault) else alarm.cause.metric.code
