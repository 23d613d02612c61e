from collections.abc import Collection, Iterable
from itertools import chain, repeat

import pytest

from hospital.simulator.codes import CUFF_SYS, HEART_RATE, RESPIRATION, SPO2, Metric
from hospital.simulator.monitor import GRAVER_AFTER_S, UPDATE_AFTER_S, Alarm, Monitor, Phase
from hospital.simulator.sensors import Reading
from hospital.vocabulary import AlertKind, Priority


def said(
    values: Iterable[float | None],
    metric: Metric = SPO2,
    faults: Collection[str] = (),
    monitor: Monitor | None = None,
) -> list[Alarm]:
    """What a monitor says of one value a second."""
    monitor, alarms = monitor or Monitor(), list[Alarm]()
    for at_s, value in enumerate(values):
        readings = {} if value is None else {metric: Reading(value, at_s)}
        alarms += monitor.look(at_s, readings, faults)
    return alarms


def story(alarms: list[Alarm]) -> list[tuple[float, Phase, float | None]]:
    return [(alarm.at_s, alarm.phase, alarm.value) for alarm in alarms]


def test_a_value_beyond_its_limit_is_an_alarm_after_the_delay_and_ends_when_it_has_been_back() -> None:
    alarms = said([95] * 5 + [87] * 30 + [95] * 20)
    assert story(alarms) == [(15, Phase.START, 87), (40, Phase.END, 95)]
    start = alarms[0]
    assert (start.text, start.priority, start.limits) == ("SpO2 low", Priority.MEDIUM, (90, 100))
    assert start.cause.kind is AlertKind.PHYSIOLOGICAL


def test_a_short_dip_is_no_alarm() -> None:
    assert said(([95] * 10 + [80] * 10) * 20) == []


def test_a_value_that_dances_on_its_limit_is_one_alarm() -> None:
    alarms = said([89] * 15 + [90, 89, 91, 89, 90, 91] * 50 + [92] * 10)
    assert [alarm.phase for alarm in alarms] == [Phase.START, Phase.END]


def test_a_value_at_its_limit_is_no_alarm() -> None:
    assert said([90] * 100) == said([120] * 100, HEART_RATE) == said([24] * 100, RESPIRATION) == []


def test_a_graver_value_raises_the_priority_and_it_stays_until_the_end() -> None:
    alarms = said([87] * 20 + [78] * 20 + [88] * 40 + [96] * 10)
    assert [(alarm.phase, alarm.priority, alarm.text) for alarm in alarms] == [
        (Phase.START, Priority.MEDIUM, "SpO2 low"),
        (Phase.UPDATE, Priority.HIGH, "SpO2 extremely low"),
        (Phase.UPDATE, Priority.HIGH, "SpO2 low"),
        (Phase.END, Priority.HIGH, "SpO2 low"),
    ]
    assert alarms[1].at_s == 20 + GRAVER_AFTER_S


def test_one_grave_value_among_mild_ones_raises_nothing() -> None:
    assert [alarm.phase for alarm in said([87] * 20 + [79, 87, 87] * 3)] == [Phase.START]


def test_a_changed_value_is_told_now_and_then_and_a_like_one_never() -> None:
    alarms = said(chain([87] * 12, *repeat([84] * 3 + [88] * 3, 40)))
    times = [alarm.at_s for alarm in alarms]
    assert len(alarms) > 5
    assert all(later - earlier >= UPDATE_AFTER_S for earlier, later in zip(times, times[1:], strict=False))
    assert len(said([87, 88] * 200)) == 1


def test_an_alarm_of_a_value_that_is_gone_ends_without_one() -> None:
    assert story(said([85] * 15 + [None] * 5)) == [(10, Phase.START, 85), (15, Phase.END, None)]


@pytest.mark.parametrize(
    ("metric", "value", "text", "priority"),
    [
        (HEART_RATE, 0, "Asystole", Priority.HIGH),
        (HEART_RATE, 30, "Heart rate extremely low", Priority.HIGH),
        (HEART_RATE, 49, "Heart rate low", Priority.MEDIUM),
        (HEART_RATE, 121, "Heart rate high", Priority.MEDIUM),
        (HEART_RATE, 150, "Heart rate extremely high", Priority.HIGH),
        (RESPIRATION, 0, "Apnoea", Priority.HIGH),
        (RESPIRATION, 25, "Respiratory rate high", Priority.LOW),
        (RESPIRATION, 35, "Respiratory rate very high", Priority.MEDIUM),
        (CUFF_SYS, 89, "NIBP systolic low", Priority.MEDIUM),
        (CUFF_SYS, 70, "NIBP systolic extremely low", Priority.HIGH),
        (CUFF_SYS, 181, "NIBP systolic high", Priority.MEDIUM),
    ],
)
def test_each_value_has_its_name_and_priority(metric: Metric, value: float, text: str, priority: Priority) -> None:
    (alarm,) = said([value] * 30, metric)
    assert (alarm.text, alarm.priority) == (text, priority)


def test_a_single_cuff_reading_is_an_alarm_at_once() -> None:
    assert story(said([120, 85, 85, 85, 120], CUFF_SYS)) == [(1, Phase.START, 85), (4, Phase.END, 120)]


def test_a_bed_may_have_limits_of_its_own() -> None:
    assert said([88] * 60, monitor=Monitor({SPO2: (86, 100)})) == []
    (alarm,) = said([85] * 60, monitor=Monitor({SPO2: (86, 100)}))
    assert alarm.limits == (86, 100)


def test_a_fault_is_a_technical_alarm_until_it_is_gone() -> None:
    monitor = Monitor()
    alarms = [alarm for at_s in range(20) for alarm in monitor.look(at_s, {}, {"lead off"} if 5 <= at_s < 12 else ())]
    assert story(alarms) == [(8, Phase.START, None), (12, Phase.END, None)]
    assert (alarms[0].cause.kind, alarms[0].text, alarms[0].limits) == (AlertKind.TECHNICAL, "ECG lead off", None)


def test_a_fault_of_a_moment_is_no_alarm_and_does_not_count_towards_the_next() -> None:
    monitor = Monitor()
    assert [alarm for at_s in range(60) for alarm in monitor.look(at_s, {}, {"occlusion"} if at_s % 3 else ())] == []


def test_what_has_not_ended_is_standing() -> None:
    monitor = Monitor()
    alarms = said([85] * 30, faults={"occlusion"}, monitor=monitor)
    assert len(alarms) == 2
    assert {alarm.text for alarm in monitor.standing()} == {"SpO2 low", "Infusion line occlusion"}
    monitor.look(31, {}, ())
    assert monitor.standing() == []
