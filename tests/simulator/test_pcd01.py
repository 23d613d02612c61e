from datetime import UTC, date, datetime, timedelta

from hospital.simulator.codes import CUFF_SYS, HEART_RATE, METRICS, PULSE, RESPIRATION, SPO2, TEMPERATURE, Metric
from hospital.simulator.patients import Bed, Patient
from hospital.simulator.pcd01 import readings_message
from hospital.simulator.sensors import Reading

AT = datetime(2026, 11, 22, 14, 2, 31, tzinfo=UTC)
YLVA = Patient("SIM1", "Ångström-Testdotter", "Ylva", date(1951, 2, 3), "F")
READINGS = {
    SPO2: Reading(95, 60),
    HEART_RATE: Reading(81, 60),
    RESPIRATION: Reading(16, 60),
    CUFF_SYS: Reading(117, 0),
    TEMPERATURE: Reading(37.0, 30),
}


def rows(readings: dict[Metric, Reading] = READINGS, patient: Patient | None = YLVA) -> list[list[str]]:
    def when(at_s: float) -> datetime:
        return AT - timedelta(seconds=60 - at_s)

    message = readings_message(Bed("MED", "MED-07", patient), readings, at=AT, control_id="C1", when=when).decode()
    assert message.endswith("\r")
    told = [segment.split("|") for segment in message.split("\r")[:-1]]
    told[0].insert(1, "|")
    return told


def observations(readings: dict[Metric, Reading] = READINGS) -> list[list[str]]:
    return [row for row in rows(readings) if row[0] == "OBX"]


def test_the_header_says_that_it_is_a_pcd_01() -> None:
    msh = rows()[0]
    assert (msh[9], msh[10], msh[12]) == ("ORU^R01^ORU_R01", "C1", "2.6")
    assert (msh[15], msh[16], msh[18]) == ("AL", "NE", "UNICODE UTF-8")
    assert msh[21] == "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"


def test_patient_bed_and_order_come_before_the_readings() -> None:
    _, pid, pv1, obr, *_ = rows()
    assert (pid[0], pid[3], pv1[3]) == ("PID", "SIM1^^^DEMO^PI", "MED^^MED-07")
    assert (obr[4], obr[7]) == ("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC", "20261122140231.000+0000")
    assert [row[0] for row in rows(patient=None)[:3]] == ["MSH", "PV1", "OBR"]


def test_each_number_stands_below_its_channel_module_and_monitor() -> None:
    assert [(row[4], row[3].split("^")[0]) for row in observations()] == [
        ("1.0.0.0", "69965"),
        ("1.1.0.0", "70686"),
        ("1.1.1.0", "70687"),
        ("1.1.1.1", "150021"),
        ("1.2.0.0", "4262"),
        ("1.2.1.0", "4263"),
        ("1.2.1.1", "147842"),
        ("1.2.1.2", "151562"),
        ("1.3.0.0", "69642"),
        ("1.3.1.0", "69643"),
        ("1.3.1.1", "150456"),
        ("1.5.0.0", "69902"),
        ("1.5.1.0", "69903"),
        ("1.5.1.1", "150344"),
    ]
    assert [row[1] for row in observations()] == [str(n) for n in range(1, 15)]


def test_a_number_has_its_unit_status_and_own_time() -> None:
    told = {row[3].split("^")[0]: row for row in observations() if row[2:3] == ["NM"]}
    assert told["150021"][5:7] == ["117", "266016^MDC_DIM_MMHG^MDC"]
    assert told["150344"][5:7] == ["37.0", "268192^MDC_DIM_DEGC^MDC"]
    assert {row[11] for row in told.values()} == {"R"}
    assert told["150456"][14] == "20261122140231.000+0000"
    assert told["150021"][14] == "20261122140131.000+0000"
    assert told["150344"][14] == "20261122140201.000+0000"


def test_a_part_of_a_device_that_reads_nothing_is_not_named() -> None:
    assert [row[4] for row in observations({PULSE: Reading(70, 60)})] == ["1.0.0.0", "1.3.0.0", "1.3.1.0", "1.3.1.2"]


def test_no_two_numbers_share_a_place_or_a_code() -> None:
    assert len({(metric.module, metric.place) for metric in METRICS}) == len(METRICS)
    assert len({metric.code.number for metric in METRICS}) == len(METRICS)
