"""Someone ends an alert."""

from datetime import timedelta

import pytest

from hospital.alerts.refusals import AlreadyResolved, HasChanged, NotAcknowledged, PriorityRaised
from hospital.vocabulary import Condition, Happening, Priority, State
from tests.alerts.ward import NOON, Ward


@pytest.mark.parametrize("priority", [Priority.MEDIUM, Priority.LOW])
def test_a_lower_alert_is_resolved_without_an_acknowledgement(either_ward: Ward, priority: Priority) -> None:
    alert_id, nurse = either_ward.alarm(priority=priority), either_ward.person("nurse")
    either_ward.pass_time(10)

    either_ward.resolve("nurse", alert_id)

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.condition, alert.owner_id) == (State.RESOLVED, Condition.ACTIVE, None)
    assert (alert.escalate_at, alert.expires_at) == (None, None)
    assert (alert.happening, alert.changed_by_id) == (Happening.RESOLVED, nurse)
    assert either_ward.happenings() == ["raised", "resolved"]
    line = either_ward.last_line()
    assert (line.person_id, line.at) == (nurse, NOON + timedelta(seconds=10))
    assert (line.facts["state"], line.text_digest) == ("resolved", None)


def test_a_high_alert_must_have_been_acknowledged(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)

    with ward.refused(NotAcknowledged):
        ward.resolve("nurse", alert_id)

    ward.acknowledge("nurse", alert_id)
    ward.resolve("nurse", alert_id)
    assert ward.alert(alert_id).state is State.RESOLVED
    assert ward.happenings() == ["raised", "acknowledged", "resolved"]


def test_a_high_alert_that_has_gone_must_have_been_acknowledged_all_the_same(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.end()

    with ward.refused(NotAcknowledged):
        ward.resolve("nurse", alert_id)


def test_a_high_alert_that_came_back_must_be_acknowledged_again(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse", alert_id)
    ward.end()
    ward.alarm(priority=Priority.HIGH)

    with ward.refused(NotAcknowledged):
        ward.resolve("nurse", alert_id)


def test_resolving_ends_the_acknowledgement_and_remembers_who_had_it(either_ward: Ward) -> None:
    alert_id, nurse = either_ward.alarm(), either_ward.person("nurse")
    either_ward.acknowledge("nurse", alert_id)
    either_ward.pass_time(60)
    either_ward.resolve("nurse2", alert_id)

    (taken,) = either_ward.acknowledgements(alert_id)
    assert (taken.since, taken.until) == (NOON, NOON + timedelta(seconds=60))
    assert (either_ward.alert(alert_id).owner_id, either_ward.alert(alert_id).owned_at) == (nurse, NOON)
    assert either_ward.last_line().facts["owner"] == nurse
    assert either_ward.last_line().person_id == either_ward.person("nurse2")


def test_resolving_leaves_other_acknowledgements_in_force(ward: Ward) -> None:
    first, second = ward.alarm(alert_id="A1"), ward.alarm(alert_id="A2")
    ward.acknowledge("nurse", first)
    ward.acknowledge("nurse", second)
    ward.resolve("nurse", first)

    assert [taken.until for taken in ward.acknowledgements(first)] == [NOON]
    assert [taken.until for taken in ward.acknowledgements(second)] == [None]
    assert ward.alert(second).state is State.ACKNOWLEDGED


def test_an_acknowledgement_that_had_ended_keeps_its_end(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.acknowledge("nurse", alert_id)
    ward.alarm(priority=Priority.MEDIUM)
    ward.pass_time(60)
    ward.resolve("nurse", alert_id)

    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [NOON]


def test_a_cleared_alert_that_is_resolved_does_not_expire_as_well(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()
    ward.resolve("nurse", alert_id)
    ward.pass_time(900)

    with ward.nothing_written():
        ward.run_timers()

    assert ward.alert(alert_id).expires_at is None
    assert ward.happenings() == ["raised", "cleared", "resolved"]


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("seen", [{}, {"state": State.RESOLVED}, {"state": State.ACKNOWLEDGED}])
def test_what_is_resolved_is_not_resolved_again(ward: Ward, priority: Priority, seen: dict[str, object]) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.acknowledge("nurse", alert_id)
    ward.resolve("nurse", alert_id)

    with ward.refused(AlreadyResolved):
        ward.resolve("nurse", alert_id, **seen)


def test_a_risen_priority_refuses_who_has_not_seen_it(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.alarm(priority=Priority.MEDIUM)

    with ward.refused(PriorityRaised):
        ward.resolve("nurse", alert_id, priority=Priority.LOW)


def test_another_state_refuses_who_has_not_seen_it(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)

    with ward.refused(HasChanged):
        ward.resolve("nurse2", alert_id, state=State.OPEN)


def test_that_it_has_changed_is_said_before_that_nobody_has_acknowledged_it(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)

    with ward.refused(HasChanged):
        ward.resolve("nurse", alert_id, state=State.ACKNOWLEDGED)


def test_if_the_monitor_still_alarms_there_is_a_new_alert(ward: Ward) -> None:
    first = ward.alarm()
    ward.resolve("nurse", first)
    second = ward.alarm()

    assert second != first
    assert (ward.alert(second).state, ward.alert(second).step) == (State.OPEN, 0)
    assert ward.happenings() == ["raised", "resolved", "raised"]
