"""The condition goes away: what that means depends on who has seen the alert."""

from datetime import timedelta

import pytest

from hospital import records, settings
from hospital.alerts.clearing import expire_unseen
from hospital.records import Alert
from hospital.vocabulary import Condition, Happening, Priority, State
from tests.alerts.ward import NOON, OTTO, Ward

LOWER = [Priority.MEDIUM, Priority.LOW]
A_QUARTER = timedelta(minutes=15)


# ---- The alarm ends


@pytest.mark.parametrize("priority", LOWER)
def test_a_lower_alert_that_nobody_saw_stays_a_quarter_of_an_hour(either_ward: Ward, priority: Priority) -> None:
    alert_id = either_ward.alarm(priority=priority)
    either_ward.pass_time(30)

    assert either_ward.end() == alert_id

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.condition, alert.priority) == (State.OPEN, Condition.CLEARED, priority)
    assert alert.cleared_at == alert.last_at == alert.changed_at == NOON + timedelta(seconds=30)
    assert alert.expires_at == NOON + timedelta(seconds=30) + A_QUARTER
    assert alert.escalate_at is None, "what has gone climbs no further by itself"
    assert either_ward.happenings() == ["raised", "cleared"]
    line = either_ward.last_line()
    assert (line.person_id, line.text_digest, line.facts["condition"]) == (None, None, "cleared")


@pytest.mark.parametrize("priority", LOWER)
def test_a_lower_alert_that_someone_has_ends_at_once(either_ward: Ward, priority: Priority) -> None:
    alert_id = either_ward.alarm(priority=priority)
    either_ward.acknowledge("nurse", alert_id)
    either_ward.pass_time(30)
    either_ward.end()

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.condition, alert.happening) == (State.RESOLVED, Condition.CLEARED, Happening.CLEARED)
    assert alert.cleared_at == NOON + timedelta(seconds=30)
    assert (alert.escalate_at, alert.expires_at) == (None, None)
    assert alert.owner_id == either_ward.person("nurse"), "who had it last is remembered"
    assert [taken.until for taken in either_ward.acknowledgements(alert_id)] == [NOON + timedelta(seconds=30)]
    assert either_ward.happenings() == ["raised", "acknowledged", "cleared"]
    assert either_ward.last_line().facts["state"] == "resolved"


def test_a_high_alert_latches_and_goes_on_climbing(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.pass_time(30)
    ward.end()

    alert = ward.alert(alert_id)
    assert (alert.state, alert.condition) == (State.OPEN, Condition.LATCHED)
    assert alert.cleared_at == NOON + timedelta(seconds=30)
    assert (alert.escalate_at, alert.expires_at) == (NOON + timedelta(minutes=2), None)
    assert ward.happenings() == ["raised", "cleared"]


def test_a_high_alert_latches_although_someone_has_it(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse", alert_id)
    ward.end()

    alert = ward.alert(alert_id)
    assert (alert.state, alert.condition) == (State.ACKNOWLEDGED, Condition.LATCHED)
    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [None]


def test_an_alert_that_rose_to_high_latches(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.alarm(priority=Priority.HIGH)
    ward.end(priority=Priority.LOW)

    assert ward.alert(alert_id).condition is Condition.LATCHED


@pytest.mark.parametrize("priority", Priority)
def test_ending_twice_writes_one_line(ward: Ward, priority: Priority) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.end()
    ward.pass_time(30)

    with ward.nothing_written():
        assert ward.end() == alert_id

    alert = ward.alert(alert_id)
    assert alert.cleared_at == NOON
    assert alert.expires_at in (None, NOON + A_QUARTER), "the second end is no reason to wait longer"
    assert (alert.repeats, alert.last_at) == (2, NOON + timedelta(seconds=30))


@pytest.mark.parametrize("priority", Priority)
def test_ending_twice_leaves_the_acknowledgement_in_between_in_force(ward: Ward, priority: Priority) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.end()
    ward.acknowledge("nurse", alert_id)

    with ward.nothing_written():
        ward.end()

    assert ward.alert(alert_id).state is State.ACKNOWLEDGED


def test_the_end_of_what_its_device_had_latched_from_the_start_is_told(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH, latched=True)
    ward.end()

    assert (ward.alert(alert_id).condition, ward.alert(alert_id).cleared_at) == (Condition.LATCHED, NOON)
    assert ward.happenings() == ["raised", "cleared"]


@pytest.mark.parametrize("priority", LOWER)
def test_a_lower_alert_that_its_device_latched_goes_when_the_device_ends_it(ward: Ward, priority: Priority) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.alarm(priority=priority, latched=True)
    ward.pass_time(30)
    ward.end()

    alert = ward.alert(alert_id)
    assert (alert.state, alert.condition) == (State.OPEN, Condition.CLEARED)
    assert alert.expires_at == NOON + timedelta(seconds=30) + A_QUARTER
    assert ward.happenings() == ["raised", "cleared", "cleared"]


def test_a_lower_alert_that_its_device_latched_ends_at_once_if_someone_has_it(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)
    ward.alarm(latched=True)
    ward.end()

    assert ward.alert(alert_id).state is State.RESOLVED


def test_a_high_alert_that_its_device_latched_ends_in_one_line(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.alarm(priority=Priority.HIGH, latched=True)

    with ward.nothing_written():
        ward.end()

    assert ward.alert(alert_id).condition is Condition.LATCHED


# ---- Which alert ends


def test_the_end_of_an_alarm_that_nobody_knows_is_nothing(ward: Ward) -> None:
    with ward.nothing_written():
        assert ward.end() is None

    assert ward.alerts() == []


@pytest.mark.parametrize("other", [{"alert_id": "A2"}, {"bed": "MED-08"}, {"gateway": "demo/other"}, {"patient": OTTO}])
def test_the_end_of_another_alarm_leaves_this_one_alone(ward: Ward, other: dict[str, object]) -> None:
    alert_id = ward.alarm()

    with ward.nothing_written():
        assert ward.end(**other) is None

    assert (ward.alert(alert_id).condition, ward.alert(alert_id).repeats) == (Condition.ACTIVE, 0)


def test_an_end_without_a_patient_ends_the_alert(ward: Ward) -> None:
    alert_id = ward.alarm()

    assert ward.end(patient=None) == alert_id


def test_a_resolved_alert_does_not_end_again(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.resolve("nurse", alert_id)

    with ward.nothing_written():
        assert ward.end() is None

    assert (ward.alert(alert_id).condition, ward.alert(alert_id).repeats) == (Condition.ACTIVE, 0)


# ---- Nobody saw it


@pytest.mark.parametrize("priority", LOWER)
def test_what_nobody_saw_ends_after_exactly_a_quarter_of_an_hour(either_ward: Ward, priority: Priority) -> None:
    alert_id = either_ward.alarm(priority=priority)
    either_ward.end()

    either_ward.pass_time(900 - 0.000001)
    with either_ward.nothing_written():
        either_ward.run_timers()
    either_ward.pass_time(0.000001)
    either_ward.run_timers()

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.condition, alert.happening) == (State.RESOLVED, Condition.CLEARED, Happening.EXPIRED)
    assert (alert.expires_at, alert.escalate_at) == (None, None)
    assert alert.changed_at == NOON + A_QUARTER
    assert either_ward.happenings() == ["raised", "cleared", "expired"]
    assert either_ward.last_line().person_id is None


def test_it_expires_once(ward: Ward) -> None:
    ward.alarm()
    ward.end()
    ward.pass_time(900)
    ward.run_timers()
    ward.pass_time(900)

    with ward.nothing_written():
        ward.run_timers()


def test_how_long_it_stays_is_a_setting(ward: Ward) -> None:
    settings.use(settings.current.but(cleared_unseen_s=30.0))
    alert_id = ward.alarm()
    ward.end()
    ward.pass_time(30)
    ward.run_timers()

    assert ward.alert(alert_id).state is State.RESOLVED


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_latched_high_alert_never_expires(ward: Ward, acknowledged: bool) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    if acknowledged:
        ward.acknowledge("nurse", alert_id)
    ward.end()
    ward.pass_time(30 * 24 * 3600)
    ward.run_timers()

    assert ward.alert(alert_id).state is (State.ACKNOWLEDGED if acknowledged else State.OPEN)
    assert "expired" not in ward.happenings()


def test_what_came_back_in_time_does_not_expire(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()
    ward.pass_time(899)
    ward.alarm()
    ward.pass_time(1)
    ward.run_timers()

    assert (ward.alert(alert_id).state, ward.alert(alert_id).condition) == (State.OPEN, Condition.ACTIVE)
    assert ward.happenings() == ["raised", "cleared", "recurred"]


def test_a_cleared_alert_can_still_be_taken_and_resolved(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()
    ward.acknowledge("nurse", alert_id)
    ward.resolve("nurse", alert_id)

    assert ward.alert(alert_id).state is State.RESOLVED
    assert ward.alert(alert_id).expires_at is None
    assert ward.happenings() == ["raised", "cleared", "acknowledged", "resolved"]


def test_what_somebody_has_taken_does_not_expire_as_unseen(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()
    ward.acknowledge("nurse", alert_id)
    ward.pass_time(900)
    ward.run_timers()

    assert (ward.alert(alert_id).state, ward.alert(alert_id).expires_at) == (State.ACKNOWLEDGED, None)
    assert "expired" not in ward.happenings()


def test_each_hospital_expires_its_own(ward: Ward) -> None:
    here, there = ward.alarm(gateway="demo"), ward.alarm(gateway="demo-b")
    ward.end(gateway="demo")
    ward.end(gateway="demo-b")
    ward.pass_time(900)
    hospital = ward.house.hospital("demo").id

    now = NOON + A_QUARTER
    assert records.write(hospital, lambda session: expire_unseen(session, hospital, now)) == 1
    assert (ward.alert(here).state, ward.alert(there).state) == (State.RESOLVED, State.OPEN)

    ward.run_timers()
    assert ward.alert(there).state is State.RESOLVED
    assert ward.happenings("demo-b") == ["raised", "cleared", "expired"]


def test_at_most_two_hundred_expire_in_one_transaction_the_oldest_first(ward: Ward) -> None:
    first = ward.alarm()
    ward.end()
    hospital = ward.house.hospital().id
    records.write(hospital, lambda session: [session.add(_like(session.get_one(Alert, first), n)) for n in range(200)])
    ward.pass_time(901)

    now = NOON + timedelta(seconds=901)
    assert records.write(hospital, lambda session: expire_unseen(session, hospital, now)) == 200
    left = [alert for alert in ward.alerts() if alert.state is State.OPEN]
    assert [alert.sender_alert_id for alert in left] == ["199"]
    assert records.write(hospital, lambda session: expire_unseen(session, hospital, now)) == 1
    assert records.write(hospital, lambda session: expire_unseen(session, hospital, now)) == 0


def _like(alert: Alert, n: int) -> Alert:
    """Another one that is due a little later."""
    columns = {column.key: getattr(alert, column.key) for column in Alert.__table__.columns if column.key != "id"}
    later = timedelta(milliseconds=n + 1)
    return Alert(**columns | {"sender_alert_id": str(n), "expires_at": alert.expires_at + later, "version": 0})
