from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice

import pytest

from hospital.simulator.limits import FAULTS, LIMITS
from hospital.simulator.monitor import Alarm, Phase
from hospital.simulator.patients import Bed, Patient
from hospital.simulator.pcd04 import alarm_message
from hospital.simulator.scenario import load
from hospital.simulator.segments import escape
from hospital.simulator.ward import AlarmEvent, looks
from hospital.vocabulary import AlertKind, Priority

AT = datetime(2026, 11, 22, 14, 2, 31, 123_456, tzinfo=UTC)
YLVA = Patient("SIM1", "Ångström-Testdotter", "Ylva", date(1951, 2, 3), "F")
BED = Bed("MED", "MED-07", YLVA)
SPO2_LOW = next(limit for limit in LIMITS if limit.grades[0].text == "SpO2 low")
OCCLUSION = next(fault for fault in FAULTS if fault.name == "occlusion")
DESATURATION = AlarmEvent(7, BED, Alarm(1.0, Phase.START, SPO2_LOW, Priority.MEDIUM, "SpO2 low", 86, (90, 100)))
BLOCKED_LINE = AlarmEvent(8, BED, Alarm(1.0, Phase.START, OCCLUSION, Priority.MEDIUM, OCCLUSION.text))


def segments(event: AlarmEvent, at: datetime = AT, alert_id: str = "") -> list[list[str]]:
    """Each segment as its fields, at their HL7 numbers."""
    message = alarm_message(event, at=at, control_id="C1", alert_id=alert_id).decode()
    assert message.endswith("\r")
    assert "\n" not in message
    rows = [segment.split("|") for segment in message.split("\r")[:-1]]
    rows[0].insert(1, "|")
    return rows


def named(event: AlarmEvent, name: str) -> list[list[str]]:
    return [row for row in segments(event) if row[0] == name]


def facets(event: AlarmEvent) -> dict[str, str]:
    return {row[3].split("^")[0]: row[5] for row in named(event, "OBX")}


def lying(patient: Patient | None) -> AlarmEvent:
    return replace(DESATURATION, bed=replace(BED, patient=patient))


def test_the_header_says_who_sends_what() -> None:
    msh = segments(DESATURATION)[0]
    assert msh[2:5] == ["^~\\&", "WARD_SIMULATOR", "DEMO"]
    assert msh[7] == "20261122140231.123+0000"
    assert msh[9:13] == ["ORU^R40^ORU_R40", "C1", "P", "2.6"]
    assert msh[15:19] == ["AL", "NE", "", "UNICODE UTF-8"]
    assert msh[21] == "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-6)))
    assert segments(DESATURATION, at=elsewhere) == segments(DESATURATION)


def test_the_patient_and_the_bed_are_named() -> None:
    (pid,), (pv1,) = named(DESATURATION, "PID"), named(DESATURATION, "PV1")
    assert (pid[3], pid[5]) == ("SIM1^^^DEMO^PI", "Ångström-Testdotter^Ylva^^^^^L")
    assert (pid[7], pid[8], pv1[3]) == ("19510203", "F", "MED^^MED-07")


def test_an_unidentified_patient_has_no_pid() -> None:
    assert [row[0] for row in segments(lying(None))] == ["MSH", "PV1", "OBR", *["OBX"] * 7]


def test_a_name_cannot_break_the_message() -> None:
    (pid,) = named(lying(replace(YLVA, family="A|B^C&D~E\\F\rPV1|G")), "PID")
    assert pid[5] == r"A\F\B\S\C\T\D\R\E\E\F PV1\F\G^Ylva^^^^^L"
    assert escape("plain Ångström") == "plain Ångström"


def test_the_alert_id_stands_in_obr_3_and_obr_29() -> None:
    (obr,) = named(DESATURATION, "OBR")
    assert (obr[3], obr[4]) == ("A7^WARD_SIMULATOR", "196616^MDC_EVT_ALARM^MDC")
    assert (obr[7], obr[29], len(obr)) == ("20261122140231.123+0000", "^A7&WARD_SIMULATOR", 30)
    assert segments(DESATURATION, alert_id="run-A7")[3][3] == "run-A7^WARD_SIMULATOR"


def test_a_physiological_alarm_tells_value_unit_and_limits() -> None:
    what, source, *_ = named(DESATURATION, "OBX")
    assert what[2:6] == ["ST", "196670^MDC_EVT_LO^MDC", "1.0.0.150456.1", "SpO2 low"]
    assert source[2:4] == ["NM", "150456^MDC_PULS_OXIM_SAT_O2^MDC"]
    assert source[5:8] == ["86", "262688^MDC_DIM_PERCENT^MDC", "90-100"]
    assert (source[11], source[14]) == ("F", "20261122140231.123+0000")


def test_a_technical_alarm_tells_its_event_as_a_value_and_its_device_as_the_source() -> None:
    what, source, *_ = named(BLOCKED_LINE, "OBX")
    occlusion = "196940^MDC_EVT_FLUID_LINE_OCCL^MDC^^^^^^Infusion line occlusion"
    assert (what[2], what[3], what[5]) == ("CWE", "196616^MDC_EVT_ALARM^MDC", occlusion)
    assert (source[3], source[5]) == ("68480^MDC_ATTR_ALERT_SOURCE^MDC", "69985^MDC_DEV_PUMP_INFUS_MDS^MDC")
    assert what[18] == "PUMP-MED-07^WARD_SIMULATOR"


def test_the_facets_tell_phase_state_priority_and_type() -> None:
    told = facets(DESATURATION)
    assert [told[code] for code in ("68481", "68482", "68483")] == ["start", "active", "enabled"]
    assert (told["68484"], told["68485"]) == ("PM", "SP")
    assert facets(BLOCKED_LINE)["68485"] == "ST"


def test_an_alarm_that_ends_is_inactive() -> None:
    ended = replace(DESATURATION.alarm, phase=Phase.END, value=95)
    told = facets(replace(DESATURATION, alarm=ended))
    assert (told["68481"], told["68482"], told["150456"]) == ("end", "inactive", "95")


def test_an_alarm_whose_sensor_came_off_ends_without_a_value() -> None:
    ended = replace(DESATURATION.alarm, phase=Phase.END, value=None)
    assert facets(replace(DESATURATION, alarm=ended))["150456"] == ""


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_of_a_ward_has_its_segments_and_facets(seed: int) -> None:
    for look in islice(looks(seed, load("busy"), every_s=5), 10_000):
        for event in look.alarms:
            rows = segments(event)
            pid = ["PID"] if event.bed.patient else []
            assert [row[0] for row in rows] == ["MSH", *pid, "PV1", "OBR", *["OBX"] * 7]
            observations = [row for row in rows if row[0] == "OBX"]
            assert [row[1] for row in observations] == list("1234567")
            physiological = event.alarm.cause.kind is AlertKind.PHYSIOLOGICAL
            codes = [row[3].split("^")[0] for row in observations]
            assert codes[2:] == ["68481", "68482", "68483", "68484", "68485"]
            assert (codes[0] != "196616") == (codes[1] != "68480") == physiological
            assert all(row[11] == "F" and row[14] for row in observations)
            assert all(row[5] for row in observations) or event.alarm.phase is Phase.END
