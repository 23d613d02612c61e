from hospital.simulator.codes import (
    ART_DIA,
    ART_MEAN,
    ART_SYS,
    CUFF_DIA,
    CUFF_MEAN,
    CUFF_SYS,
    HEART_RATE,
    PULSE,
    RESPIRATION,
    SPO2,
    TEMPERATURE,
    Metric,
)
from hospital.simulator.episodes import Episode, Fate
from hospital.simulator.physiology import Body
from hospital.simulator.sensors import Equipment, Readings, Sensors

HOURS = 3_600
CALM = Equipment()


def sensors(*episodes: Episode, equipment: Equipment = CALM, offset_s: float = 0.0) -> Sensors:
    return Sensors(Body("1/MED-01"), Fate("1/MED-01", 0, episodes), equipment, offset_s)


def values(one: Sensors, at_s: float) -> dict[Metric, float]:
    return {metric: reading.value for metric, reading in one.at(at_s)[0].items()}


def test_a_calm_patient_is_read_by_every_device_but_an_arterial_line() -> None:
    readings, faults = sensors().at(10)
    assert set(readings) == {HEART_RATE, RESPIRATION, SPO2, PULSE, CUFF_SYS, CUFF_DIA, CUFF_MEAN, TEMPERATURE}
    assert not faults
    assert all(reading.value == int(reading.value) for metric, reading in readings.items() if metric.digits == 0)


def test_a_cuff_measures_every_fifteen_minutes_and_a_thermometer_every_thirty() -> None:
    one = sensors(offset_s=100)
    seen: dict[Metric, set[float]] = {CUFF_SYS: set(), TEMPERATURE: set()}
    for at_s in range(0, HOURS, 7):
        for metric, times in seen.items():
            times.add(one.at(at_s)[0][metric].at_s)
    assert seen == {CUFF_SYS: {-800, 100, 1_000, 1_900, 2_800}, TEMPERATURE: {-1_700, 100, 1_900}}


def test_a_bad_pressure_is_measured_again_after_three_minutes_until_it_is_good() -> None:
    one = sensors(Episode("hypotension", 880, 400, strength=1.2))
    times = {one.at(at_s)[0][CUFF_SYS].at_s for at_s in range(1_790)}
    assert times == {0, 900, 1_080, 1_260, 1_440}
    assert one.at(905)[0][CUFF_SYS].value < 90 <= one.at(1_500)[0][CUFF_SYS].value


def test_an_arterial_line_reads_all_the_time_and_needs_no_cuff() -> None:
    readings, _ = sensors(equipment=Equipment(None, None)).at(77)
    assert not {CUFF_SYS, CUFF_DIA, CUFF_MEAN} & readings.keys()
    assert {readings[metric].at_s for metric in (ART_SYS, ART_DIA, ART_MEAN, TEMPERATURE)} == {77}
    assert readings[ART_DIA].value < readings[ART_MEAN].value < readings[ART_SYS].value


def test_a_loose_lead_takes_heart_and_breath_and_says_so() -> None:
    readings, faults = sensors(Episode("lead off", 0, 60)).at(30)
    assert not {HEART_RATE, RESPIRATION} & readings.keys()
    assert PULSE in readings
    assert faults == {"lead off"}


def test_a_sensor_that_fell_off_takes_saturation_and_pulse() -> None:
    readings, faults = sensors(Episode("sensor off", 0, 60)).at(30)
    assert not {SPO2, PULSE} & readings.keys()
    assert HEART_RATE in readings
    assert faults == {"sensor off"}


def test_in_an_arrest_the_monitor_counts_nothing_and_the_finger_has_no_pulse() -> None:
    told = values(sensors(Episode("arrest", 0, 300, rises_s=10), equipment=Equipment(None, None)), 60)
    assert (told[HEART_RATE], told[RESPIRATION]) == (0, 0)
    assert told[ART_SYS] < 30
    assert not {SPO2, PULSE} & told.keys()


def test_movement_disturbs_heart_rate_and_saturation_but_not_the_pulse() -> None:
    calm, moving = values(sensors(), 5), values(sensors(Episode("movement", 0, 10)), 5)
    assert moving[HEART_RATE] > 1.5 * calm[HEART_RATE]
    assert moving[SPO2] < calm[SPO2] - 5
    assert (moving[PULSE], moving[RESPIRATION]) == (calm[PULSE], calm[RESPIRATION])


def test_sepsis_over_hours_raises_heart_breath_and_heat_and_lowers_pressure_and_oxygen() -> None:
    one = sensors(Episode("sepsis", 0, 12 * HOURS, rises_s=6 * HOURS))
    hours = [values(one, hour * HOURS) for hour in (0, 2, 4, 6)]
    for metric in (HEART_RATE, RESPIRATION, TEMPERATURE):
        assert [told[metric] for told in hours] == sorted(told[metric] for told in hours)
    for metric in (CUFF_SYS, SPO2):
        assert [told[metric] for told in hours] == sorted((told[metric] for told in hours), reverse=True)
    last = hours[-1]
    assert last[HEART_RATE] > 120 and last[RESPIRATION] >= 25 and last[TEMPERATURE] >= 39
    assert last[CUFF_SYS] <= 90 and last[SPO2] <= 93


def test_hypoxia_lowers_the_saturation_and_hurries_heart_and_breath() -> None:
    calm, short = values(sensors(), 300), values(sensors(Episode("hypoxia", 0, 600, rises_s=60)), 300)
    assert short[SPO2] < 82 < 92 < calm[SPO2]
    assert short[HEART_RATE] > calm[HEART_RATE] + 15 and short[RESPIRATION] > calm[RESPIRATION] + 5


def test_readings_are_the_same_whatever_was_asked_before() -> None:
    episodes = (Episode("hypotension", 500, 2_000, 100, 100), Episode("sensor off", 900, 300))

    def told(times: range) -> dict[int, Readings]:
        one = sensors(*episodes, offset_s=33)
        return {at_s: one.at(at_s)[0] for at_s in times}

    forwards = range(0, HOURS, 11)
    assert told(forwards) == told(forwards[::-1])
