"""PCD-01 messages for tests, written apart from the simulator and the parser. Default: a calm patient in MED-07."""

from datetime import datetime
from itertools import count

from hospital import clock

_numbers = count(1)

_CODES = {
    "hr": "147842^MDC_ECG_HEART_RATE^MDC||{}|264864^MDC_DIM_BEAT_PER_MIN^MDC",
    "pulse": "149530^MDC_PULS_OXIM_PULS_RATE^MDC||{}|264864^MDC_DIM_BEAT_PER_MIN^MDC",
    "spo2": "150456^MDC_PULS_OXIM_SAT_O2^MDC||{}|262688^MDC_DIM_PERCENT^MDC",
    "rr": "151562^MDC_RESP_RATE^MDC||{}|264928^MDC_DIM_RESP_PER_MIN^MDC",
    "sbp": "150021^MDC_PRESS_BLD_NONINV_SYS^MDC||{}|266016^MDC_DIM_MMHG^MDC",
    "dbp": "150022^MDC_PRESS_BLD_NONINV_DIA^MDC||{}|266016^MDC_DIM_MMHG^MDC",
    "abp": "150033^MDC_PRESS_BLD_ART_SYS^MDC||{}|266016^MDC_DIM_MMHG^MDC",
    "temp": "150344^MDC_TEMP^MDC||{}|268192^MDC_DIM_DEGC^MDC",
}
CALM = {"hr": 72, "spo2": 97, "rr": 16}
"""What a monitor says of somebody well."""
WELL = {
    "respiration": "16",
    "spo2": "97",
    "on_oxygen": "air",
    "systolic": "120",
    "pulse": "72",
    "temperature": "36.6",
    "consciousness": "A",
}
"""What a nurse writes down of somebody well."""


def reading(
    *,
    bed: str = "MED^^MED-07",
    patient: str | None = "4711^^^Ward^PI||Testmann^Tilda^^^^^L||19610301|F",
    at: datetime | None = None,
    sent_at: datetime | None = None,
    status: str = "F",
    sender: str = "TEST_GATEWAY|BENCH",
    **values: float,
) -> bytes:
    """One ORU^R01 with these values, observed at `at` and sent at `sent_at` (both: now)."""
    observed, sent = (_stamp(moment or clock.now()) for moment in (at, sent_at))
    rows = [
        f"MSH|^~\\&|{sender}|||{sent}||ORU^R01^ORU_R01|R{next(_numbers)}|P|2.6|||AL|NE||UNICODE UTF-8",
        *([f"PID|||{patient}"] if patient is not None else []),
        f"PV1||I|{bed}",
        f"OBR|1||1^GW|182777000^monitoring of patient^SCT|||{observed}",
        *(
            f"OBX|{n}|NM|{_CODES[name].format(value)}|||||{status}|||{observed}"
            for n, (name, value) in enumerate((values or CALM).items(), 1)
        ),
    ]
    return "".join(f"{row}\r" for row in rows).encode()


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S.%f+0000")
