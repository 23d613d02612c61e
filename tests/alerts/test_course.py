"""How the vital sign of an alert went lies with the alert: the worst of each minute, and nothing invented."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hospital import clock
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading


@pytest.fixture(autouse=True)
def still(either_house: House) -> Iterator[None]:
    clock.stop(clock.now().replace(second=0, microsecond=0))
    yield
    clock.reset()


def course(house: House, alert_id: int) -> list[tuple[float, float]]:
    """How many minutes ago, and what it was."""
    now = clock.now().timestamp()
    return [(round((now - at) / 60, 1), value) for at, value in house.alert(alert_id).course or ()]


def wait(minutes: float) -> None:
    clock.turn(timedelta(minutes=minutes))


def read_each(house: House, minutes: float, *values: float) -> None:
    for value in values:
        house.take(reading(spo2=value))
        wait(minutes)


def test_an_alarm_has_the_half_hour_before_it_and_its_own_value(either_house: House) -> None:
    read_each(either_house, 20, 98, 97)
    read_each(either_house, 1, 96, 93)
    assert course(either_house, either_house.raise_alarm(value="84")) == [(22, 97), (2, 96), (1, 93), (0, 84)]


def test_of_each_minute_the_worst_stays(either_house: House) -> None:
    read_each(either_house, 0.25, 97, 88, 96, 97)
    wait(1)
    assert course(either_house, either_house.raise_alarm(value="84")) == [(1.2, 88), (0, 84)]


def test_a_rule_has_what_it_was_raised_by(either_house: House) -> None:
    read_each(either_house, 1, 97, 95, 84, 84)
    read_each(either_house, 0, 83)
    with_course = [one for one in map(either_house.alert, (1, 2)) if one.condition_key == "spo2-low"]
    assert [value for _, value in course(either_house, with_course[0].id)] == [97, 95, 84, 84, 83]


def test_its_end_shows_how_it_came_back(either_house: House) -> None:
    alert_id = either_house.raise_alarm(value="84")
    read_each(either_house, 1, 90, 95)
    either_house.take(alarm(phase="end"))
    assert course(either_house, alert_id) == [(2, 90), (1, 95)]


def test_where_no_readings_come_the_alarms_own_values_are_its_course(either_house: House) -> None:
    for value in ("84", "82", "82", "80"):
        alert_id = either_house.raise_alarm(value=value, phase="update")
        wait(1)
    assert course(either_house, alert_id) == [(4, 84), (3, 82), (1, 80)]


@pytest.mark.parametrize(
    "how",
    [
        {"event": "196652^MDC_EVT_APNEA^MDC"},  # neither too low nor too high
        {"unit": "[degF]^degF^UCUM", "value": "102"},  # not the unit in which readings are kept
    ],
)
def test_what_is_not_one_vital_sign_in_its_own_unit_has_none(either_house: House, how: dict[str, str]) -> None:
    read_each(either_house, 1, 97, 96)
    assert course(either_house, either_house.raise_alarm(**how)) == []


def test_nobody_elses_readings_are_in_it(either_house: House) -> None:
    read_each(either_house, 1, 97, 96)
    assert course(either_house, either_house.raise_alarm(patient=None)) == [(0, 84)]
    other = either_house.raise_alarm(alert_id="B", bed="MED^^MED-01", patient="9^^^Ward^PI||Other^One")
    assert course(either_house, other) == [(0, 84)]


def test_a_clock_that_runs_ahead_hides_nothing(either_house: House) -> None:
    read_each(either_house, 1, 97, 96)
    assert course(either_house, either_house.raise_alarm(at=clock.now() + timedelta(hours=2)))[0] == (2, 97)
