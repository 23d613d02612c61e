from collections import Counter
from itertools import islice

import pytest

from hospital.simulator.ward import AlarmEvent, Phase, events
from hospital.vocabulary import AlertKind, Priority


@pytest.fixture(scope="module", params=[1, 2, 77])
def many(request: pytest.FixtureRequest) -> list[AlarmEvent]:
    return list(islice(events(request.param), 10_000))


def starts(told: list[AlarmEvent]) -> list[AlarmEvent]:
    return [event for event in told if event.phase is Phase.START]


def test_the_same_seed_tells_the_same_story() -> None:
    assert list(islice(events(5), 2_000)) == list(islice(events(5), 2_000))


def test_another_seed_tells_another_story() -> None:
    assert list(islice(events(5), 20)) != list(islice(events(6), 20))


def test_the_story_is_told_in_the_order_of_time(many: list[AlarmEvent]) -> None:
    times = [event.after_s for event in many]
    assert times == sorted(times)


def test_a_bed_never_has_two_open_alarms_about_one_organ(many: list[AlarmEvent]) -> None:
    open_in: dict[tuple[str, str], int] = {}
    for event in many:
        place = (event.bed.name, event.trouble.organ)
        if event.phase is Phase.START:
            assert place not in open_in
            open_in[place] = event.alarm
        assert open_in[place] == event.alarm
        if event.phase is Phase.END:
            del open_in[place]


def test_an_alarm_starts_is_updated_at_most_five_times_and_ends_within_six_minutes(many: list[AlarmEvent]) -> None:
    courses: dict[int, list[AlarmEvent]] = {}
    for event in many:
        courses.setdefault(event.alarm, []).append(event)
    whole = [course for course in courses.values() if course[-1].phase is Phase.END]
    assert len(whole) > 1_000
    for course in whole:
        phases = [event.phase for event in course]
        assert phases == [Phase.START, *[Phase.UPDATE] * (len(course) - 2), Phase.END]
        assert len(course) <= 7
        assert 20 <= course[-1].after_s - course[0].after_s <= 360


def test_every_update_changes_the_value(many: list[AlarmEvent]) -> None:
    last: dict[int, int | None] = {}
    for event in many:
        if event.phase is Phase.UPDATE:
            assert event.value is not None
            assert event.value != last[event.alarm]
        last[event.alarm] = event.value


def test_values_are_beyond_the_limit_until_the_end_brings_them_back(many: list[AlarmEvent]) -> None:
    for event in many:
        if event.trouble.measure is None:
            assert event.value is None
            continue
        low, high = event.trouble.measure.limits
        assert event.value is not None
        assert (low <= event.value <= high) == (event.phase is Phase.END), event


def test_a_falling_spo2_raises_the_priority_and_nothing_lowers_it(many: list[AlarmEvent]) -> None:
    raised, last = 0, dict[int, Priority]()
    for event in many:
        before = last.get(event.alarm, event.priority)
        assert not before.is_above(event.priority)
        if event.priority.is_above(before):
            raised += 1
            assert event.phase is Phase.UPDATE
            assert event.trouble.text in {"SpO2 low", "NIBP systolic low"}
        last[event.alarm] = event.priority
    assert raised > 20


def test_alarms_come_every_twenty_to_forty_seconds(many: list[AlarmEvent]) -> None:
    times = [event.after_s for event in starts(many)][4:]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert min(gaps) >= 20
    assert 27 < sum(gaps) / len(gaps) < 33


def test_the_mix_is_a_tenth_high_and_the_rest_half_medium_half_low_or_technical(many: list[AlarmEvent]) -> None:
    def share_of(event: AlarmEvent) -> str:
        return "low" if event.trouble.kind is AlertKind.TECHNICAL else event.priority

    shares, total = Counter(share_of(event) for event in starts(many)), len(starts(many))
    assert 0.07 < shares["high"] / total < 0.13
    assert 0.40 < shares["medium"] / total < 0.50
    assert 0.40 < shares["low"] / total < 0.50


@pytest.mark.parametrize("seed", range(20))
def test_the_first_five_seconds_fill_the_first_page(seed: int) -> None:
    first = list(islice(events(seed), 4))
    assert all(event.phase is Phase.START and event.after_s <= 5 for event in first)
    assert Counter(event.priority for event in first) == {"high": 1, "medium": 2, "low": 1}
    assert [e.trouble.kind for e in first if e.priority is Priority.LOW] == [AlertKind.TECHNICAL]


def test_twenty_beds_are_taken_and_one_patient_is_unidentified(many: list[AlarmEvent]) -> None:
    beds = {event.bed.name: event.bed for event in many}
    assert Counter(bed.unit for bed in beds.values()) == {"MED": 12, "ICU": 8}
    patients = [bed.patient for bed in beds.values()]
    assert patients.count(None) == 1
    known = [patient for patient in patients if patient]
    assert len({patient.number for patient in known}) == len({patient.family for patient in known}) == 19
    assert any(not patient.family.isascii() for patient in known)
