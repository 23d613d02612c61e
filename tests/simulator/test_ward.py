from collections import Counter
from dataclasses import dataclass, field
from itertools import islice, takewhile
from statistics import median

import pytest

from hospital.simulator.codes import ART_SYS, CUFF_SYS, HEART_RATE, METRICS, RESPIRATION, SPO2, TEMPERATURE
from hospital.simulator.limits import Limit
from hospital.simulator.monitor import Phase
from hospital.simulator.patients import DEMO_BEDS, admit
from hospital.simulator.scenario import load
from hospital.simulator.ward import AlarmEvent, Look, looks
from hospital.vocabulary import AlertKind, Priority

HOUR_S = 3_600
WARD = load("busy")  # enough of everything; the ward of `make run` is calmer
BOUNDS = {
    "MDC_DIM_BEAT_PER_MIN": (0, 240),
    "MDC_DIM_RESP_PER_MIN": (0, 45),
    "MDC_DIM_PERCENT": (50, 100),
    "MDC_DIM_MMHG": (8, 230),
    "MDC_DIM_DEGC": (35.5, 41),
}


def played(seed: int, until_s: float, every_s: float = 1.0, beds: int = 20) -> list[Look]:
    return list(takewhile(lambda look: look.at_s < until_s, looks(seed, WARD, beds, every_s)))


@pytest.fixture(scope="module")
def hour() -> list[Look]:
    return played(1, HOUR_S)


Start = tuple[float, Priority, AlertKind]


@dataclass
class Day:
    """What there is to say of 24 hours. `extremes`: lowest and highest value by unit; `calm`: looks at a bed without
    an alarm."""

    starts: list[Start] = field(default_factory=list)
    extremes: dict[str, tuple[float, float]] = field(default_factory=dict)
    calm: Counter[str] = field(default_factory=Counter)
    looks: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def day() -> Day:
    seen, open_alarms = Day(), dict[str, set[int]]()
    for look in takewhile(lambda look: look.at_s < 24 * HOUR_S, looks(3, WARD, every_s=10)):
        seen.starts += starts([look])
        for metric, reading in look.readings.items():
            low, high = seen.extremes.get(metric.unit.name, (reading.value, reading.value))
            seen.extremes[metric.unit.name] = (min(low, reading.value), max(high, reading.value))
        here = open_alarms.setdefault(look.bed.name, set())
        for event in look.alarms:
            (here.discard if event.alarm.phase is Phase.END else here.add)(event.number)
        seen.looks[look.bed.name] += 1
        seen.calm[look.bed.name] += not here
    return seen


def starts(told: list[Look]) -> list[Start]:
    return [
        (look.at_s, event.alarm.priority, event.alarm.cause.kind)
        for look in told
        for event in look.alarms
        if event.alarm.phase is Phase.START
    ]


def test_the_same_seed_tells_the_same_story_and_another_another() -> None:
    once, again, other = (list(islice(looks(seed, WARD), 4_000)) for seed in (5, 5, 6))
    assert once == again
    assert once != other


def test_a_bed_has_the_same_story_however_many_beds_there_are() -> None:
    def of_bed(beds: int) -> list[object]:
        told = [look for look in islice(looks(1, load("calm"), beds), 300 * beds) if look.bed.name == "MED-01"]
        return [(look.bed, look.readings) for look in told]

    assert of_bed(1) == of_bed(5) == of_bed(25)[: len(of_bed(1))]


def test_looks_come_in_the_order_of_time_and_each_bed_once_a_second(hour: list[Look]) -> None:
    times = [look.at_s for look in hour]
    assert times == sorted(times)
    assert Counter(look.bed.name for look in hour) == {bed: HOUR_S for _, bed in DEMO_BEDS}


def test_values_stay_within_plausible_bounds_all_day(day: Day) -> None:
    assert day.extremes.keys() == BOUNDS.keys()
    for unit, (low, high) in BOUNDS.items():
        assert low <= day.extremes[unit][0] < day.extremes[unit][1] <= high, unit


def test_an_alarm_says_what_the_readings_say(hour: list[Look]) -> None:
    told = 0
    for look in hour:
        for event in look.alarms:
            alarm = event.alarm
            if not isinstance(alarm.cause, Limit):
                continue
            told += 1
            reading = look.readings.get(alarm.cause.metric)
            assert alarm.value == (reading.value if reading else None)
            assert alarm.limits is not None
            if alarm.phase is Phase.END:
                assert alarm.value is None or alarm.limits[0] <= alarm.value <= alarm.limits[1]
            else:
                assert alarm.value is not None
                assert alarm.cause.is_beyond(alarm.value, alarm.limits), alarm
    assert told > 50


def test_whatever_stays_beyond_its_limit_for_half_a_minute_has_an_alarm(hour: list[Look]) -> None:
    limits = {SPO2: (90, 100), HEART_RATE: (50, 120), RESPIRATION: (8, 24), ART_SYS: (90, 180), CUFF_SYS: (90, 180)}
    beyond_since: dict[tuple[str, object], float] = {}
    alarmed: dict[str, set[object]] = {}
    for look in hour:
        here = alarmed.setdefault(look.bed.name, set())
        for event in look.alarms:
            metric = getattr(event.alarm.cause, "metric", None)
            (here.discard if event.alarm.phase is Phase.END else here.add)(metric)
        for metric, (low, high) in limits.items():
            if look.bed.name == "MED-09" and metric is SPO2:
                continue  # has limits of his own
            reading, place = look.readings.get(metric), (look.bed.name, metric)
            if reading is None or low <= reading.value <= high:
                beyond_since.pop(place, None)
            elif look.at_s - beyond_since.setdefault(place, look.at_s) > 30:
                assert metric in here, (look.at_s, place)


def test_a_loose_lead_and_its_missing_numbers_agree(hour: list[Look]) -> None:
    off: set[str] = set()
    for look in hour:
        for event in look.alarms:
            if event.alarm.text == "ECG lead off":
                (off.discard if event.alarm.phase is Phase.END else off.add)(look.bed.name)
        assert (look.bed.name in off) <= (HEART_RATE not in look.readings)


def test_an_alarm_starts_is_updated_and_ends_under_one_number(hour: list[Look]) -> None:
    courses: dict[int, list[tuple[str, object, Phase]]] = {}
    for look in hour:
        for event in look.alarms:
            courses.setdefault(event.number, []).append((event.bed.name, event.alarm.cause, event.alarm.phase))
    assert list(courses) == list(range(1, len(courses) + 1))
    for course in courses.values():
        assert len({(bed, cause) for bed, cause, _ in course}) == 1
        phases = [phase for _, _, phase in course]
        assert phases[0] is Phase.START and Phase.START not in phases[1:] and Phase.END not in phases[:-1]


def test_a_priority_once_raised_stays_raised(hour: list[Look]) -> None:
    last: dict[int, Priority] = {}
    for look in hour:
        for event in look.alarms:
            assert not last.get(event.number, event.alarm.priority).is_above(event.alarm.priority)
            last[event.number] = event.alarm.priority


def test_over_a_day_a_new_alarm_comes_every_thirty_to_sixty_seconds(day: Day) -> None:
    begun = day.starts
    assert 30 < 24 * HOUR_S / len(begun) < 60
    by_hour = Counter(int(at_s // HOUR_S) for at_s, _, _ in begun)
    assert all(40 < by_hour[hour] < 130 for hour in range(24))


def test_over_a_day_few_alarms_are_high_and_a_third_are_technical(day: Day) -> None:
    begun = day.starts
    priorities = Counter(priority for _, priority, _ in begun)
    assert 0.02 < priorities[Priority.HIGH] / len(begun) < 0.1
    assert 0.4 < priorities[Priority.MEDIUM] / len(begun) < 0.7
    assert 0.25 < sum(kind is AlertKind.TECHNICAL for _, _, kind in begun) / len(begun) < 0.5


def test_most_beds_are_calm_most_of_the_time(day: Day) -> None:
    shares = [day.calm[bed] / day.looks[bed] for bed in day.looks]
    assert median(shares) > 0.8
    assert min(shares) > 0.4


def test_the_first_alarms_of_an_hour_come_at_the_usual_pace(hour: list[Look]) -> None:
    assert 30 < HOUR_S / len(starts(hour)) < 60


@pytest.mark.parametrize("seed", range(5))
def test_within_seconds_three_beds_are_in_trouble(seed: int) -> None:
    first = [event for look in played(seed, 3) for event in look.alarms]
    assert {event.bed.name for event in first} >= {"MED-01", "ICU-02", "MED-05"}
    assert all(event.alarm.phase is Phase.START for event in first)


@pytest.mark.parametrize("seed", range(5))
def test_a_sepsis_rises_unseen_and_then_alarms(seed: int) -> None:
    told = [look for look in played(seed, 1_500, beds=5) if look.bed.name == "MED-03"]
    first, last = told[0].readings, told[-1].readings
    assert first[RESPIRATION].value <= 24 < last[RESPIRATION].value
    assert first[HEART_RATE].value + 15 < last[HEART_RATE].value
    assert first[TEMPERATURE].value + 0.7 < last[TEMPERATURE].value
    assert first[CUFF_SYS].value - 15 > last[CUFF_SYS].value
    texts = {event.alarm.text for look in told for event in look.alarms}
    assert {"Respiratory rate high", "Heart rate high"} <= texts
    assert all(look.alarms == () for look in told[:240])


@pytest.mark.parametrize("seed", range(5))
def test_an_arrest_comes_after_four_minutes_and_is_survived(seed: int) -> None:
    told = [look for look in played(seed, 500, beds=5) if look.bed.name == "ICU-01"]
    events = [(event.alarm.text, event.alarm.phase) for look in told if look.at_s > 255 for event in look.alarms]
    assert ("Asystole", Phase.START) in events and ("Apnoea", Phase.START) in events
    assert told[-1].readings[HEART_RATE].value > 50


def test_an_icu_has_arterial_lines_and_probes_that_stay_in_and_the_ward_has_not(hour: list[Look]) -> None:
    last = {look.bed.name: look for look in hour}
    assert not any(ART_SYS in look.readings for name, look in last.items() if name.startswith("MED"))
    intensive = [look for name, look in last.items() if name.startswith("ICU")]
    assert 0 < sum(ART_SYS in look.readings for look in intensive) < 8
    assert all(look.readings[TEMPERATURE].at_s == look.at_s for look in intensive)
    assert all(set(look.readings) <= set(METRICS) for look in last.values())


def test_twenty_beds_are_taken_and_one_patient_is_unidentified() -> None:
    beds = admit(1)
    assert Counter(bed.unit for bed in beds) == {"MED": 12, "ICU": 8}
    patients = [bed.patient for bed in beds]
    assert patients.count(None) == 1
    known = [patient for patient in patients if patient]
    assert len({patient.number for patient in known}) == len({patient.family for patient in known}) == 19
    assert any(not patient.family.isascii() for patient in known)


@pytest.mark.parametrize("beds", [1, 2, 5, 19, 21, 100])
def test_any_number_of_beds_can_be_filled(beds: int) -> None:
    admitted = admit(1, beds)
    assert len({bed.name for bed in admitted}) == beds
    numbers = [bed.patient.number for bed in admitted if bed.patient]
    assert len(set(numbers)) == len(numbers)


# ---- The ward of `make run` ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_ward_left_alone_is_believable(seed: int) -> None:
    """Ten minutes: something to see every minute or two, most beds quiet, and seldom a high alarm."""
    begun: list[AlarmEvent] = []
    standing: dict[int, AlarmEvent] = {}
    for look in takewhile(lambda look: look.at_s < 600, looks(seed, load("ward"))):
        for event in look.alarms:
            begun += [event] if event.alarm.phase is Phase.START else []
            (standing.pop if event.alarm.phase is Phase.END else standing.setdefault)(event.number, event)
        assert len({event.bed.name for event in standing.values()}) <= 6, look.at_s
        assert sum(event.alarm.priority is Priority.HIGH for event in standing.values()) <= 2, look.at_s
    assert 5 <= len(begun) <= 14
    assert begun[0].alarm.phase is Phase.START


def test_a_day_of_the_ward_has_the_alarms_of_a_ward() -> None:
    told = takewhile(lambda look: look.at_s < 24 * HOUR_S, looks(1, load("ward"), every_s=10))
    begun = starts(list(told))
    assert 10 < len(begun) / 20 < 45  # for each bed and day
