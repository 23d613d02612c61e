"""Someone takes an alert."""

from datetime import timedelta

import gevent
import pytest
from sqlalchemy import insert, select

from hospital import clock, records
from hospital.alerts.acknowledging import acknowledge
from hospital.alerts.raising import raise_alert
from hospital.alerts.refusals import AlreadyAcknowledged, AlreadyResolved, HasChanged, NotFound, PriorityRaised
from hospital.alerts.rights import Seen
from hospital.records import Person, Sender
from hospital.records.person import person_unit
from hospital.roles import Actor, Role
from hospital.vocabulary import Condition, Happening, Priority, State
from tests.alerts.ward import NOON, Ward, report
from tests.support.house import House

# ---- One person takes it


def test_who_takes_an_alert_has_it_from_then_on(either_ward: Ward) -> None:
    alert_id, nurse = either_ward.alarm(), either_ward.person("nurse")
    either_ward.pass_time(20)
    taken_at = NOON + timedelta(seconds=20)

    either_ward.acknowledge("nurse", alert_id)

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.owner_id, alert.owned_at) == (State.ACKNOWLEDGED, nurse, taken_at)
    assert (alert.condition, alert.step, alert.repeats) == (Condition.ACTIVE, 0, 0)
    assert (alert.happening, alert.changed_at, alert.changed_by_id) == (Happening.ACKNOWLEDGED, taken_at, nurse)
    (taken,) = either_ward.acknowledgements(alert_id)
    assert (taken.person_id, taken.since, taken.until) == (nurse, taken_at, None)
    line = either_ward.last_line()
    assert either_ward.happenings() == ["raised", "acknowledged"]
    assert (line.number, line.at, line.person_id, line.text_digest) == (2, taken_at, nurse, None)
    assert (line.facts["state"], line.facts["owner"]) == ("acknowledged", nurse)
    assert alert.version == 2


def test_the_act_tells_the_alert_as_it_is_now(ward: Ward) -> None:
    alert = ward.acknowledge("nurse", ward.alarm())

    assert (alert.state, alert.version) == (State.ACKNOWLEDGED, 2)


@pytest.mark.parametrize("priority", Priority)
def test_it_climbs_no_further(ward: Ward, priority: Priority) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.acknowledge("nurse", alert_id)
    ward.pass_time(24 * 3600)

    with ward.nothing_written():
        ward.run_timers()

    assert (ward.alert(alert_id).step, ward.alert(alert_id).escalate_at) == (0, None)


def test_an_alert_that_has_climbed_stays_where_it_is(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.pass_time(300)
    ward.run_timers()
    ward.acknowledge("charge", alert_id)

    assert (ward.alert(alert_id).state, ward.alert(alert_id).step) == (State.ACKNOWLEDGED, 1)


# ---- Too late


def test_the_first_of_two_has_it_and_the_second_learns_who_was_first(either_house: House) -> None:
    alert_id = either_house.raise_alarm()
    first, second = either_house.visitor("nurse"), either_house.visitor("nurse2")

    assert first.acknowledge(alert_id).status_code == 200
    answer = second.acknowledge(alert_id)

    assert answer.status_code == 409
    assert answer.json["sentence"].startswith("Amara N. has it already, since ")
    assert [line.happening for line in either_house.journal()] == ["raised", "acknowledged"]


@pytest.mark.parametrize("second", ["nurse", "nurse2", "charge", "physician"])
def test_what_someone_has_is_not_taken_again(ward: Ward, second: str) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)

    with ward.refused(AlreadyAcknowledged):
        ward.acknowledge(second, alert_id)


@pytest.mark.parametrize("seen", [{}, {"state": State.OPEN}, {"state": State.ACKNOWLEDGED}, {"priority": Priority.LOW}])
def test_who_was_first_is_said_before_anything_else(ward: Ward, seen: dict[str, object]) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse", alert_id)

    with ward.refused(AlreadyAcknowledged):
        ward.acknowledge("nurse2", alert_id, **seen)


@pytest.mark.parametrize("seen", [{}, {"state": State.OPEN}, {"state": State.RESOLVED}, {"priority": Priority.LOW}])
def test_what_is_resolved_is_not_taken(ward: Ward, seen: dict[str, object]) -> None:
    alert_id = ward.alarm()
    ward.resolve("nurse", alert_id)

    with ward.refused(AlreadyResolved):
        ward.acknowledge("nurse2", alert_id, **seen)


# ---- What the person saw


@pytest.mark.parametrize("seen", Priority)
@pytest.mark.parametrize("now", Priority)
def test_only_a_priority_that_has_risen_refuses(ward: Ward, seen: Priority, now: Priority) -> None:
    alert_id = ward.alarm(priority=now)
    order = ["low", "medium", "high"]

    if order.index(now) > order.index(seen):
        with ward.refused(PriorityRaised):
            ward.acknowledge("nurse", alert_id, state=State.OPEN, priority=seen)
    else:
        assert ward.acknowledge("nurse", alert_id, state=State.OPEN, priority=seen).state is State.ACKNOWLEDGED


@pytest.mark.parametrize("seen", [State.ACKNOWLEDGED, State.RESOLVED])
def test_an_alert_that_is_open_again_has_changed(ward: Ward, seen: State) -> None:
    alert_id = ward.alarm()

    with ward.refused(HasChanged):
        ward.acknowledge("nurse", alert_id, state=seen)


def test_a_risen_priority_is_said_before_a_changed_state(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.acknowledge("nurse", alert_id)
    ward.alarm(priority=Priority.HIGH)

    with ward.refused(PriorityRaised):
        ward.acknowledge("nurse", alert_id, state=State.ACKNOWLEDGED, priority=Priority.LOW)


def test_repeats_and_new_values_refuse_nothing(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    for value in ("83", "82", "82"):
        ward.alarm(priority=Priority.LOW, value=value)
    ward.end()

    assert ward.acknowledge("nurse", alert_id, state=State.OPEN, priority=Priority.LOW).owner_id == ward.person("nurse")


def test_an_alert_that_nobody_has_raised_is_not_found(ward: Ward) -> None:
    with ward.refused(NotFound):
        ward.acknowledge("nurse", 1)


# ---- Many hands


def test_of_twenty_at_once_exactly_one_has_it(either_ward: Ward) -> None:
    alert_id, crowd = either_ward.alarm(), _crowd(either_ward, 20)

    def take(actor: Actor) -> int | str:
        try:
            return either_ward.acknowledge(actor, alert_id).owner_id or 0
        except AlreadyAcknowledged as refusal:
            return refusal.reason

    hands = [gevent.spawn(take, actor) for actor in crowd]
    gevent.joinall(hands, raise_error=True)

    answers = [hand.value for hand in hands]
    assert answers.count("AlreadyAcknowledged") == 19
    (winner,) = [answer for answer in answers if answer != "AlreadyAcknowledged"]
    assert either_ward.alert(alert_id).owner_id == winner
    assert [taken.person_id for taken in either_ward.acknowledgements(alert_id)] == [winner]
    assert either_ward.happenings() == ["raised", "acknowledged"]
    assert either_ward.last_line().person_id == winner


def test_of_four_browsers_at_once_one_is_answered_with_200(either_house: House) -> None:
    alert_id = either_house.raise_alarm()
    browsers = [either_house.visitor(name) for name in ("nurse", "nurse2", "charge", "physician")]

    hands = [gevent.spawn(browser.acknowledge, alert_id, seen_state="open") for browser in browsers]
    gevent.joinall(hands, raise_error=True)

    assert sorted(hand.value.status_code for hand in hands) == [200, 409, 409, 409]
    assert [line.happening for line in either_house.journal()] == ["raised", "acknowledged"]


def test_a_hammering_monitor_never_refuses_who_has_seen_the_alert(either_ward: Ward) -> None:
    """Its repeats and new values come before, with and after the act, all in the same transactions."""
    alert_ids = [either_ward.alarm(bed=f"MED-{bed:02d}", patient=None) for bed in range(1, 6)]
    hospital, sender = either_ward.house.hospital().id, either_ward.sender("demo")
    nurse = either_ward.house.actor("nurse")
    before = clock.now()

    def hammer(bed: int) -> None:
        for value in range(20):
            told = report(bed=f"MED-{bed:02d}", patient=None, value=str(60 + value // 2))
            records.write(
                hospital, lambda session, told=told: raise_alert(session, session.get_one(Sender, sender), told)
            )

    def take(alert_id: int) -> State:
        gevent.sleep(0)
        seen = Seen(State.OPEN, Priority.MEDIUM)
        return records.write(hospital, lambda session: acknowledge(session, nurse, alert_id, seen, before).state)

    monitors = [gevent.spawn(hammer, bed) for bed in range(1, 6)]
    hands = [gevent.spawn(take, alert_id) for alert_id in alert_ids]
    gevent.joinall(monitors + hands, raise_error=True)

    assert [hand.value for hand in hands] == [State.ACKNOWLEDGED] * 5
    for alert_id in alert_ids:
        alert = either_ward.alert(alert_id)
        assert (alert.state, alert.repeats, alert.value) == (State.ACKNOWLEDGED, 20, "69")
    numbers = [line.number for line in either_ward.lines()]
    assert numbers == list(range(1, 5 + 5 + 50 + 1)), "raised, acknowledged, ten new values in each bed"


def _crowd(ward: Ward, size: int) -> list[Actor]:
    """Nurses of the medical unit."""
    unit_id, hospital_id = ward.unit("MED"), ward.house.hospital().id
    people = [
        Person(
            hospital_id=hospital_id,
            name=f"crowd-{n}",
            display_name=f"Nurse {n}",
            role=Role.NURSE,
            password_hash="",
            changed_at=clock.now(),
        )
        for n in range(size)
    ]
    records.write(None, lambda session: session.add_all(people))
    rows = [{"person_id": person.id, "unit_id": unit_id} for person in people]
    records.write(None, lambda session: session.execute(insert(person_unit), rows))
    with records.read() as session:
        assert len(session.scalars(select(Person).where(Person.name.startswith("crowd-"))).all()) == size
    return [ward.house.actor(person.name) for person in people]
