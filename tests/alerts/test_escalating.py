"""Nobody answers: the alert climbs, from the nurses to the charge nurse to the physician."""

from datetime import timedelta

import pytest

from hospital import records, settings
from hospital.alerts.escalating import escalate_overdue
from hospital.alerts.refusals import AlreadyResolved, AtTheTop, HasChanged, PriorityRaised
from hospital.records import Alert
from hospital.vocabulary import HIGHEST_STEP, TOLD_AT_STEP, Happening, Priority, State
from tests.alerts.ward import NOON, Ward

DELAYS = [(Priority.HIGH, 120.0), (Priority.MEDIUM, 300.0), (Priority.LOW, 900.0)]
A_MICROSECOND = 0.000001

# ---- By itself


@pytest.mark.parametrize(("priority", "delay_s"), DELAYS)
def test_an_alert_nobody_answers_climbs_to_the_charge_nurse_and_then_to_the_physician(
    either_ward: Ward, priority: Priority, delay_s: float
) -> None:
    alert_id = either_ward.alarm(priority=priority)

    for step in (1, 2):
        either_ward.pass_time(delay_s - A_MICROSECOND)
        with either_ward.nothing_written():
            either_ward.run_timers()
        either_ward.pass_time(A_MICROSECOND)
        either_ward.run_timers()
        assert either_ward.alert(alert_id).step == step

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.escalate_at, alert.happening) == (State.OPEN, None, Happening.ESCALATED)
    lines = either_ward.lines()
    assert [line.happening for line in lines] == ["raised", "escalated", "escalated"]
    assert [line.facts["step"] for line in lines] == [0, 1, 2]
    assert [line.at for line in lines] == [NOON + timedelta(seconds=n * delay_s) for n in range(3)]
    assert [line.person_id for line in lines] == [None] * 3


def test_each_step_tells_somebody_else() -> None:
    assert TOLD_AT_STEP == ("nurse", "charge", "physician")
    assert HIGHEST_STEP == 2


def test_the_physician_is_the_last_to_be_told(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    for _ in range(2):
        ward.pass_time(120)
        ward.run_timers()
    ward.pass_time(24 * 3600)

    with ward.nothing_written():
        ward.run_timers()

    assert ward.alert(alert_id).step == 2


def test_it_waits_as_long_again_from_when_it_climbed(ward: Ward) -> None:
    """A server that was down lets it climb late, and one step at a time."""
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.pass_time(3600)
    ward.run_timers()

    assert ward.alert(alert_id).step == 1
    assert ward.alert(alert_id).escalate_at == NOON + timedelta(seconds=3600 + 120)
    with ward.nothing_written():
        ward.run_timers()


def test_an_unassigned_alert_ends_with_the_charge_nurse(either_ward: Ward) -> None:
    alert_id = either_ward.alarm(bed="MED-99", priority=Priority.HIGH)
    either_ward.pass_time(120)
    either_ward.run_timers()

    assert (either_ward.alert(alert_id).step, either_ward.alert(alert_id).escalate_at) == (1, None)
    either_ward.pass_time(24 * 3600)
    with either_ward.nothing_written():
        either_ward.run_timers()


@pytest.mark.parametrize("setting", ["escalate_high_s", "escalate_medium_s", "escalate_low_s"])
def test_how_long_each_priority_waits_is_a_setting_of_its_own(ward: Ward, setting: str) -> None:
    settings.use(settings.current.but(**{setting: 7.5}))
    mine = Priority(setting.removeprefix("escalate_").removesuffix("_s"))
    due = {priority: ward.alert(ward.alarm(alert_id=priority, priority=priority)).escalate_at for priority in Priority}

    expected = {priority: NOON + timedelta(seconds=delay_s) for priority, delay_s in DELAYS}
    assert due == expected | {mine: NOON + timedelta(seconds=7.5)}

    ward.pass_time(7.5)
    ward.run_timers()
    (climbed,) = [alert for alert in ward.alerts() if alert.step == 1]
    assert climbed.priority is mine
    assert climbed.escalate_at == NOON + timedelta(seconds=15)


@pytest.mark.parametrize("act", ["acknowledge", "resolve"])
def test_what_someone_has_dealt_with_does_not_climb(ward: Ward, act: str) -> None:
    alert_id = ward.alarm()
    getattr(ward, act)("nurse", alert_id)
    ward.pass_time(300)

    with ward.nothing_written():
        ward.run_timers()

    assert (ward.alert(alert_id).step, ward.alert(alert_id).escalate_at) == (0, None)


def test_what_comes_back_starts_at_the_nurses_again(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.pass_time(120)
    ward.run_timers()
    ward.end(priority=Priority.HIGH)
    ward.pass_time(60)
    ward.alarm(priority=Priority.HIGH)

    assert ward.alert(alert_id).step == 0
    assert ward.alert(alert_id).escalate_at == NOON + timedelta(seconds=300)
    ward.pass_time(120)
    ward.run_timers()
    assert ward.alert(alert_id).step == 1
    assert [line.facts["step"] for line in ward.lines()] == [0, 1, 1, 0, 1]


def test_each_climbs_at_its_own_time(ward: Ward) -> None:
    high = ward.alarm(alert_id="A1", priority=Priority.HIGH)
    medium = ward.alarm(alert_id="A2", priority=Priority.MEDIUM)
    low = ward.alarm(alert_id="A3", priority=Priority.LOW)

    steps = {}
    for second in (120, 240, 300, 600, 900, 1800):
        ward.pass_time(second - (max(steps, default=0)))
        ward.run_timers()
        steps[second] = [ward.alert(alert_id).step for alert_id in (high, medium, low)]

    assert steps == {
        120: [1, 0, 0],
        240: [2, 0, 0],
        300: [2, 1, 0],
        600: [2, 2, 0],
        900: [2, 2, 1],
        1800: [2, 2, 2],
    }


def test_the_longest_overdue_climbs_first(ward: Ward) -> None:
    low = ward.alarm(alert_id="A1", priority=Priority.LOW)
    medium = ward.alarm(alert_id="A2", priority=Priority.MEDIUM)
    high = ward.alarm(alert_id="A3", priority=Priority.HIGH)
    second_high = ward.alarm(alert_id="A4", priority=Priority.HIGH)
    ward.pass_time(900)
    ward.run_timers()

    assert [line.alert_id for line in ward.lines()[4:]] == [high, second_high, medium, low]


def test_each_hospital_lets_its_own_climb(either_ward: Ward) -> None:
    here, there = either_ward.alarm(gateway="demo"), either_ward.alarm(gateway="demo-b")
    either_ward.pass_time(300)
    hospital = either_ward.house.hospital("demo").id

    now = NOON + timedelta(seconds=300)
    assert records.write(hospital, lambda session: escalate_overdue(session, hospital, now)) == 1
    assert (either_ward.alert(here).step, either_ward.alert(there).step) == (1, 0)

    either_ward.run_timers()
    assert (either_ward.alert(here).step, either_ward.alert(there).step) == (1, 1)
    assert either_ward.happenings("demo") == either_ward.happenings("demo-b") == ["raised", "escalated"]


def test_at_most_two_hundred_climb_in_one_transaction(ward: Ward) -> None:
    first, hospital = ward.alarm(), ward.house.hospital().id
    records.write(hospital, lambda session: [session.add(_like(session.get_one(Alert, first), n)) for n in range(200)])
    ward.pass_time(301)

    now = NOON + timedelta(seconds=301)
    assert records.write(hospital, lambda session: escalate_overdue(session, hospital, now)) == 200
    assert [alert.sender_alert_id for alert in ward.alerts() if alert.step == 0] == ["199"]
    assert records.write(hospital, lambda session: escalate_overdue(session, hospital, now)) == 1
    assert records.write(hospital, lambda session: escalate_overdue(session, hospital, now)) == 0
    assert len(ward.lines()) == 1 + 201


# ---- By a person


def test_a_person_calls_the_next_step_now(either_ward: Ward) -> None:
    alert_id, nurse = either_ward.alarm(), either_ward.person("nurse")
    either_ward.pass_time(10)

    either_ward.escalate("nurse", alert_id)

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.step, alert.owner_id) == (State.OPEN, 1, None)
    assert alert.escalate_at == NOON + timedelta(seconds=310), "the charge nurse has as long again"
    assert (alert.happening, alert.changed_by_id) == (Happening.ESCALATED, nurse)
    assert either_ward.happenings() == ["raised", "escalated"]
    line = either_ward.last_line()
    assert (line.person_id, line.at, line.facts["step"]) == (nurse, NOON + timedelta(seconds=10), 1)


def test_who_has_an_alert_can_call_the_next_step_and_keeps_it(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)
    ward.escalate("nurse", alert_id, state=State.ACKNOWLEDGED, priority=Priority.MEDIUM)

    alert = ward.alert(alert_id)
    assert (alert.state, alert.step, alert.owner_id) == (State.ACKNOWLEDGED, 1, ward.person("nurse"))
    assert alert.escalate_at is None, "someone has it: it climbs no further by itself"
    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [None]


def test_what_is_over_does_not_climb_on_because_somebody_was_called(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()
    ward.escalate("nurse", alert_id)

    assert (ward.alert(alert_id).step, ward.alert(alert_id).escalate_at) == (1, None)
    assert ward.alert(alert_id).expires_at == NOON + timedelta(minutes=15), "unseen, it ends as it would have"


def test_the_last_step_has_no_next(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.escalate("nurse", alert_id)
    ward.escalate("nurse", alert_id)

    assert (ward.alert(alert_id).step, ward.alert(alert_id).escalate_at) == (2, None)
    with ward.refused(AtTheTop):
        ward.escalate("nurse", alert_id)


def test_the_last_step_of_an_unassigned_alert_is_the_charge_nurse(ward: Ward) -> None:
    alert_id = ward.alarm(bed="MED-99")
    ward.escalate("charge", alert_id)

    assert (ward.alert(alert_id).step, ward.alert(alert_id).escalate_at) == (1, None)
    with ward.refused(AtTheTop):
        ward.escalate("charge", alert_id)


def test_a_resolved_alert_climbs_no_more(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.resolve("nurse", alert_id)

    with ward.refused(AlreadyResolved):
        ward.escalate("nurse", alert_id)


def test_a_risen_priority_refuses_who_has_not_seen_it(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)

    with ward.refused(PriorityRaised):
        ward.escalate("nurse", alert_id, priority=Priority.MEDIUM)


def test_another_state_refuses_who_has_not_seen_it(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)

    with ward.refused(HasChanged):
        ward.escalate("nurse2", alert_id, state=State.OPEN)


def test_that_it_has_changed_is_said_before_that_there_is_no_next_step(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.escalate("nurse", alert_id)
    ward.escalate("nurse", alert_id)
    ward.acknowledge("nurse", alert_id)

    with ward.refused(HasChanged):
        ward.escalate("nurse2", alert_id, state=State.OPEN)


def _like(alert: Alert, n: int) -> Alert:
    """Another one that is due a little later."""
    columns = {column.key: getattr(alert, column.key) for column in Alert.__table__.columns if column.key != "id"}
    assert alert.escalate_at is not None
    later = timedelta(milliseconds=n + 1)
    return Alert(**columns | {"sender_alert_id": str(n), "escalate_at": alert.escalate_at + later, "version": 0})
