"""PCD-04 messages for tests, written apart from the simulator and the parser. Default: SpO2 84 < 90 % in MED-07."""

from datetime import datetime
from itertools import count

from hospital import clock

_numbers = count(1)

_PRIORITIES = {"high": "PH", "medium": "PM", "low": "PL"}


def alarm(
    *,
    bed: str = "MED^^MED-07",
    alert_id: str = "A1",
    phase: str = "start",
    state: str = "",
    priority: str | None = "medium",
    kind: str = "SP",
    event: str = "196670^MDC_EVT_LO^MDC",
    text: str = "SpO2 low",
    value: str | None = "84",
    unit: str = "262688^MDC_DIM_PERCENT^MDC",
    limits: str = "90-100",
    patient: str | None = "4711^^^Ward^PI||Testmann^Tilda^^^^^L||19610301|F",
    sender: str = "TEST_GATEWAY|BENCH",
    control_id: str | None = None,
    processing_id: str = "P",
    accept: str = "AL|NE",
    at: datetime | None = None,
) -> bytes:
    """One ORU^R40. `patient` is PID from field 3 on, None: no PID. `priority` None: not sent. `state` '': by phase."""
    stamp = (at or clock.now()).strftime("%Y%m%d%H%M%S+0000")
    state = state or ("inactive" if phase in ("end", "stop", "reset") else "active")
    number = control_id if control_id is not None else f"T{next(_numbers)}"
    rows = [
        f"MSH|^~\\&|{sender}|||{stamp}||ORU^R40^ORU_R40|{number}|{processing_id}|2.6|||{accept}||UNICODE UTF-8",
        *([f"PID|||{patient}"] if patient is not None else []),
        f"PV1||I|{bed}",
        f"OBR|1|{alert_id}^GW|{alert_id}^GW|196616^MDC_EVT_ALARM^MDC|||{stamp}{'|' * 22}^{alert_id}&GW",
        f"OBX|1|ST|{event}|1.3.1.1|{text}||||||F|||{stamp}",
        *([f"OBX|2|NM|150456^MDC_SAT_O2^MDC|1.3.1.2|{value}|{unit}|{limits}||||F|||{stamp}"] if value else []),
        f"OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.3|{phase}||||||F",
        f"OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.3.1.4|{state}||||||F",
        *([f"OBX|5|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.3.1.5|{_PRIORITIES[priority]}||||||F"] if priority else []),
        f"OBX|6|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.3.1.6|{kind}||||||F",
    ]
    return "".join(f"{row}\r" for row in rows).encode()
