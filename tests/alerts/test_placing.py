"""A code is bound to a bed while alarms come from it: from then on they stand before the nurses of that bed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hospital import background, clock, records
from hospital.alerts.placing import place
from hospital.records import Alert, Bed, Monitoring
from hospital.records.places import bind_code
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

CODE, LABEL = "7W^07^A", "7W / 07 / A"


def bind(house: House, to: str = "MED-07") -> None:
    def act(session: Any) -> None:
        bed = session.scalars(select(Bed).where(Bed.code == to, Bed.hospital_id == house.hospital().id)).one()
        bind_code(session, bed, LABEL, "7W", "A")
        place(session, bed, LABEL, clock.now(), house.actor("admin").person_id)

    records.write(house.hospital().id, act)


def alerts() -> list[tuple[str | None, str]]:
    with records.read() as session:
        found = session.scalars(select(Alert).order_by(Alert.id))
        return [(alert.bed.code if alert.bed else None, str(alert.state)) for alert in found]


@pytest.fixture
def nurse_sees(house: House) -> Any:
    nurse = house.visitor("nurse")
    return lambda alert_id: nurse.get(f"/alerts/{alert_id}").status_code == 200


def test_a_new_alarm_from_a_bound_code_is_of_that_bed(house: House, nurse_sees: Any) -> None:
    bind(house)
    alert_id = house.raise_alarm(bed=CODE)
    assert alerts() == [("MED-07", "open")]
    assert nurse_sees(alert_id)


def test_an_open_alert_moves_and_its_line_says_from_where(house: House, nurse_sees: Any) -> None:
    alert_id = house.raise_alarm(bed=CODE)
    assert not nurse_sees(alert_id)
    bind(house)
    assert alerts() == [("MED-07", "open")] and nurse_sees(alert_id)
    raised, moved = house.journal()
    assert (raised.unit_before, raised.unit_after) == (None, None)
    assert (moved.unit_before, moved.unit_after) == (None, house.alert(alert_id).unit_id)
    assert moved.person_id == house.actor("admin").person_id


def test_its_clock_begins_anew_since_these_nurses_have_heard_nothing_of_it(house: House) -> None:
    clock.stop()
    alert_id = house.raise_alarm(bed=CODE, priority="high")
    clock.turn(timedelta(seconds=130))
    background.escalate()
    assert house.alert(alert_id).step == 1
    bind(house)
    moved = house.alert(alert_id)
    assert (moved.step, moved.escalate_at) == (0, clock.now() + timedelta(seconds=120))


def test_what_somebody_has_is_not_opened_again_and_what_is_over_stays_where_it_was(house: House) -> None:
    over = house.raise_alarm(bed=CODE, alert_id="over", priority="low")
    charge = house.visitor("charge")
    charge.acknowledge(over)
    house.take(alarm(bed=CODE, alert_id="over", phase="end", priority="low"))
    taken = house.raise_alarm(bed=CODE, alert_id="taken")
    charge.acknowledge(taken)
    bind(house)
    assert alerts() == [(None, "resolved"), ("MED-07", "acknowledged")]


def test_the_next_repeat_and_the_end_find_it(house: House) -> None:
    house.raise_alarm(bed=CODE, priority="low")
    bind(house)
    house.take(alarm(bed=CODE, phase="continue", priority="low"))
    house.take(alarm(bed=CODE, phase="end", priority="low"))
    assert len(alerts()) == 1


@pytest.mark.parametrize("patient", [None, "4711^^^Ward^PI||Testmann^Tilda"])
def test_readings_go_on_in_the_bed_and_nothing_falls_silent_elsewhere(house: House, patient: str | None) -> None:
    clock.stop()
    house.take(reading(bed=CODE, patient=patient))
    bind(house)
    clock.turn(timedelta(seconds=100))
    house.take(reading(bed=CODE, patient=patient))
    clock.turn(timedelta(seconds=100))
    background.look_for_silence()
    with records.read() as session:
        (known,) = session.scalars(select(Monitoring)).all()
        assert (known.bed.code if known.bed else None, known.silent_since) == ("MED-07", None)
    assert alerts() == []


def test_who_was_unidentified_in_the_bed_before_has_the_readings_and_the_other_is_not_missed(house: House) -> None:
    clock.stop()
    house.take(reading(bed="MED^^MED-07", patient=None))
    house.take(reading(bed=CODE, patient=None))
    bind(house)
    clock.turn(timedelta(seconds=100))
    house.take(reading(bed=CODE, patient=None))
    clock.turn(timedelta(seconds=100))
    background.look_for_silence()
    assert alerts() == []
