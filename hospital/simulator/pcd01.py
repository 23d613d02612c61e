"""Readings of a bed as the HL7 v2.6 message a gateway would send: IHE PCD-01, ORU^R01^ORU_R01.

Numbers stand below their channel, module (VMD) and monitor (MDS), as OBX-4 says (IHE PCD TF-2, appendix B.8).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby

from hospital.simulator import segments
from hospital.simulator.codes import METRICS, MONITOR, Metric
from hospital.simulator.patients import Bed
from hospital.simulator.segments import APPLICATION, escape, segment
from hospital.simulator.sensors import Reading

PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"


def readings_message(
    bed: Bed,
    readings: Mapping[Metric, Reading],
    *,
    at: datetime,
    control_id: str,
    when: Callable[[float], datetime],
) -> bytes:
    """The message without its MLLP frame, in UTF-8; every segment ends in CR.

    `at` is the time of the set, and `when` tells the time of a reading (its `at_s`); both need a zone.
    """
    first = segments.header("ORU^R01^ORU_R01", PROFILE, at=at, control_id=control_id)
    return segments.message([first, *segments.whose(bed), *observations(bed.name, readings, at, control_id, when)])


def observations(
    device: str,
    readings: Mapping[Metric, Reading],
    at: datetime,
    order_id: str,
    when: Callable[[float], datetime],
) -> list[str]:
    """OBR and the OBX below it. `device` names the monitor."""
    order = {1: "1", 3: f"{escape(order_id)}^{APPLICATION}", 4: str(MONITOR), 7: segments.time(at)}
    monitor = escape(f"MONITOR-{device}") + f"^{APPLICATION}"
    rows = [{3: str(MONITOR), 4: "1.0.0.0", 11: "X", 18: monitor}]
    told = [metric for metric in METRICS if metric in readings]
    for module, metrics in groupby(told, key=lambda metric: metric.module):
        below = list(metrics)
        rows.append({3: str(below[0].vmd), 4: f"1.{module}.0.0", 11: "X"})
        rows.append({3: str(below[0].channel), 4: f"1.{module}.1.0", 11: "X"})
        rows += [_number(metric, readings[metric], when) for metric in below]
    return [segment("OBR", order), *(segment("OBX", {1: str(n)} | row) for n, row in enumerate(rows, start=1))]


def _number(metric: Metric, reading: Reading, when: Callable[[float], datetime]) -> dict[int, str]:
    return {
        2: "NM",
        3: str(metric.code),
        4: f"1.{metric.module}.1.{metric.place}",
        5: metric.written(reading.value),
        6: str(metric.unit),
        11: "R",
        14: segments.time(when(reading.at_s)),
    }
