"""The columns of the PhysioNet Challenge 2012 (Time, Parameter, Value) as readings: real stays, without names."""

import re
from collections import Counter
from datetime import datetime, timedelta

from hospital.simulator.codes import (
    ART_DIA,
    ART_MEAN,
    ART_SYS,
    CUFF_DIA,
    CUFF_MEAN,
    CUFF_SYS,
    HEART_RATE,
    RESPIRATION,
    SPO2,
    TEMPERATURE,
    Metric,
)
from hospital.simulator.patients import unit_of
from hospital.simulator.pcd01 import PROFILE, observations
from hospital.simulator.recording import Item, Recording, Render
from hospital.simulator.segments import escape, header, message, segment
from hospital.simulator.sensors import Reading

FIRST_LINE = "Time,Parameter,Value"

# What of a stay is a vital sign. SaO2, measured in blood, stands for SpO2. A Glasgow score (GCS) is not ACVPU, and
# FiO2 is what a ventilator was set to now and then: neither is sent, and nothing is made up in their place.
COLUMNS: dict[str, tuple[Metric, float, float]] = {
    "HR": (HEART_RATE, 1, 300),
    "RespRate": (RESPIRATION, 1, 80),
    "SaO2": (SPO2, 30, 100),
    "NISysABP": (CUFF_SYS, 20, 300),
    "NIDiasABP": (CUFF_DIA, 5, 200),
    "NIMAP": (CUFF_MEAN, 10, 250),
    "SysABP": (ART_SYS, 20, 300),
    "DiasABP": (ART_DIA, 5, 200),
    "MAP": (ART_MEAN, 10, 250),
    "Temp": (TEMPERATURE, 25, 45),
}
_UNKNOWN = -1.0
_BEGAN = datetime.fromisoformat("2012-01-01T00:00:00+00:00")  # any day: it is moved


def read_columns(text: str, bed: str) -> Recording:
    """One set of readings for each time that stands there; of two values at one time the last."""
    recording, about, sets = Recording([], None), dict[str, str](), dict[float, dict[Metric, Reading]]()
    for line in text.splitlines()[1:]:
        time, parameter, written = (line.split(",") + ["", ""])[:3]
        if parameter in ("RecordID", "Gender"):
            about[parameter] = written.strip()
        elif parameter in COLUMNS:
            _add(sets, recording.skipped, parameter, time, written)
    times = sorted(sets)
    recording.items = [Item(at_s - times[0], _set_renderer(about, bed, at_s, sets[at_s])) for at_s in times]
    recording.last = _BEGAN + timedelta(seconds=times[-1]) if times else None
    return recording


def _add(
    sets: dict[float, dict[Metric, Reading]], skipped: Counter[str], parameter: str, time: str, written: str
) -> None:
    metric, lowest, highest = COLUMNS[parameter]
    found = re.fullmatch(r"(\d+):(\d\d)", time)
    value = _number(written)
    if value == _UNKNOWN:
        skipped["unknown values"] += 1
    elif found is None or value is None or not lowest <= value <= highest:
        skipped["impossible values"] += 1
    else:
        at_s = int(found[1]) * 3600.0 + int(found[2]) * 60
        sets.setdefault(at_s, {})[metric] = Reading(value, at_s)


def _number(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None


def _set_renderer(about: dict[str, str], bed: str, at_s: float, readings: dict[Metric, Reading]) -> Render:
    def render(by: timedelta, control_id: str) -> bytes:
        def when(reading_s: float) -> datetime:
            return _BEGAN + by + timedelta(seconds=reading_s)

        at = when(at_s)
        first = header("ORU^R01^ORU_R01", PROFILE, at=at, control_id=control_id)
        return message([first, *_whose(about, bed), *observations(bed, readings, at, control_id, when)])

    return render


def _whose(about: dict[str, str], bed: str) -> list[str]:
    number = escape(about.get("RecordID", "unknown"))
    sex = {"0": "F", "1": "M"}.get(about.get("Gender", ""), "")
    return [
        segment("PID", {3: f"{number}^^^PHYSIONET^PI", 5: f"Stay {number}", 8: sex}),
        segment("PV1", {2: "I", 3: f"{escape(unit_of(bed))}^^{escape(bed)}"}),
    ]
