"""An alarm becomes an alert, or more of one that is already there."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hospital import clock, records
from hospital.records import Alert
from hospital.triage.alarm import Subject
from hospital.vocabulary import AlertKind, Condition, Happening, Priority, State
from tests.alerts.ward import NOON, OTTO, TILDA, Ward
from tests.support.house import House

# ---- A new alert


def test_an_alarm_opens_an_alert_in_the_unit_of_its_bed(either_ward: Ward) -> None:
    alert = either_ward.alert(either_ward.alarm())

    assert (alert.state, alert.condition, alert.priority) == (State.OPEN, Condition.ACTIVE, Priority.MEDIUM)
    assert (alert.step, alert.repeats, alert.owner_id, alert.owned_at) == (0, 0, None, None)
    assert alert.unit_id == either_ward.unit("MED")
    assert (alert.sender_alert_id, alert.place, alert.kind) == ("A1", "MED / – / MED-07", AlertKind.PHYSIOLOGICAL)
    assert (alert.event_code, alert.source_code, alert.text) == (196670, 150456, "SpO2 low")
    assert alert.condition_key is None
    assert (alert.value, alert.value_unit, alert.low, alert.high) == ("84", "%", 90.0, 100.0)
    assert (alert.priority_sent, alert.register_conflict, alert.training) == (True, False, False)
    assert alert.raised_at == alert.last_at == alert.observed_at == alert.changed_at == NOON
    assert (alert.cleared_at, alert.expires_at, alert.changed_by_id) == (None, None, None)


def test_the_first_line_tells_what_the_alert_is_and_nothing_personal(ward: Ward) -> None:
    alert_id = ward.alarm()

    (line,) = ward.lines()
    assert (line.number, line.happening, line.alert_id, line.person_id) == (1, Happening.RAISED, alert_id, None)
    assert line.at == NOON
    assert line.unit_before == line.unit_after == ward.unit("MED")
    assert line.facts == {
        "state": "open",
        "priority": "medium",
        "condition": "active",
        "step": 0,
        "owner": None,
        "value": "84",
    }
    assert ward.alert(alert_id).version == ward.house.hospital().head == 1
    assert ward.alert(alert_id).happening is Happening.RAISED


def test_the_line_binds_the_text_of_the_alarm(ward: Ward) -> None:
    ward.alarm(alert_id="A1", text="SpO2 low")
    ward.alarm(alert_id="A2", text="SpO2 low")
    ward.alarm(alert_id="A3", text="SpO2 lower")

    first, second, third = (line.text_digest for line in ward.lines())
    assert first is not None and len(first) == 64
    assert first == second != third


@pytest.mark.parametrize(("priority", "minutes"), [(Priority.HIGH, 2), (Priority.MEDIUM, 5), (Priority.LOW, 15)])
def test_its_clock_runs_from_the_moment_it_reached_us(ward: Ward, priority: Priority, minutes: int) -> None:
    alert = ward.alert(ward.alarm(priority=priority, observed_at=NOON - timedelta(hours=1)))

    assert alert.escalate_at == NOON + timedelta(minutes=minutes)
    assert alert.observed_at == NOON - timedelta(hours=1)


def test_an_alarm_without_a_priority_is_medium_and_says_so(ward: Ward) -> None:
    alert = ward.alert(ward.alarm(priority=None))

    assert (alert.priority, alert.priority_sent) == (Priority.MEDIUM, False)


def test_an_alarm_that_its_device_has_latched_opens_latched(ward: Ward) -> None:
    alert = ward.alert(ward.alarm(latched=True))

    assert (alert.state, alert.condition, alert.cleared_at) == (State.OPEN, Condition.LATCHED, None)
    assert ward.last_line().facts["condition"] == "latched"


def test_the_alerts_of_a_training_sender_say_so(ward: Ward) -> None:
    ward.sender("demo/school", training=True)

    assert ward.alert(ward.alarm(gateway="demo/school")).training
    assert not ward.alert(ward.alarm(gateway="demo")).training


@pytest.mark.parametrize("kind", AlertKind)
def test_an_alert_keeps_its_kind(ward: Ward, kind: AlertKind) -> None:
    assert ward.alert(ward.alarm(kind=kind)).kind is kind


# ---- Where it belongs


@pytest.mark.parametrize(("unit", "bed"), [("MED", "MED-07"), ("MED", "07"), ("", "MED-07")])
def test_a_bed_is_found_by_its_name_or_by_its_number_in_its_unit(ward: Ward, unit: str, bed: str) -> None:
    alert = ward.alert(ward.alarm(unit_code=unit, bed=bed))

    assert alert.unit_id == ward.unit("MED")
    with records.read() as session:
        assert session.get_one(Alert, alert.id).bed.code == "MED-07"


@pytest.mark.parametrize(("unit", "bed"), [("MED", "MED-99"), ("ICU", "MED-07"), ("MED", ""), ("", "07"), ("", "")])
def test_an_unknown_bed_makes_an_unassigned_alert(ward: Ward, unit: str, bed: str) -> None:
    alert = ward.alert(ward.alarm(unit_code=unit, bed=bed))

    assert (alert.unit_id, alert.bed_id) == (None, None)
    assert alert.place == f"{unit or '–'} / – / {bed or '–'}"
    assert (ward.last_line().unit_before, ward.last_line().unit_after) == (None, None)
    assert ward.stays() == []


def test_a_bed_that_two_units_call_the_same_is_unknown_without_its_unit(ward: Ward) -> None:
    icu = ward.unit("ICU")
    records.write(None, lambda session: session.add(records.Bed(hospital_id=1, unit_id=icu, code="MED-07")))

    assert ward.alert(ward.alarm(unit_code="", bed="MED-07")).unit_id is None
    assert ward.alert(ward.alarm(unit_code="ICU", bed="MED-07")).unit_id == icu


def test_a_sender_reaches_only_its_own_hospital(ward: Ward) -> None:
    here, there = ward.alarm(gateway="demo"), ward.alarm(gateway="demo-b")

    assert ward.alert(here).unit_id == ward.unit("MED", "demo")
    assert ward.alert(there).unit_id == ward.unit("MED", "demo-b")
    assert [line.alert_id for line in ward.lines("demo")] == [here]
    assert [line.alert_id for line in ward.lines("demo-b")] == [there]
    assert ward.alert(there).version == 1, "each hospital counts by itself"


def test_a_bed_of_the_other_hospital_is_an_unknown_bed(ward: Ward) -> None:
    alert = ward.alert(ward.alarm(gateway="demo-b", unit_code="ICU", bed="ICU-01"))

    assert alert.unit_id is None
    assert alert.hospital_id == ward.house.hospital("demo-b").id


# ---- Whom it is about


def test_the_first_alarm_about_a_patient_opens_a_stay(either_ward: Ward) -> None:
    alert = either_ward.alert(either_ward.alarm())

    (stay,) = either_ward.stays()
    assert (stay.patient_id, stay.bed_id) == (alert.patient_id, alert.bed_id)
    assert (stay.since, stay.until, stay.hospital_id) == (NOON, None, alert.hospital_id)


def test_an_alarm_without_a_patient_is_about_nobody_we_know(ward: Ward) -> None:
    ward.alarm(alert_id="A1", patient=TILDA)
    alert = ward.alert(ward.alarm(alert_id="A2", patient=None))

    assert (alert.patient_id, alert.register_conflict) == (None, False)
    assert len(ward.stays()) == 1


def test_an_occupied_bed_is_not_re_assigned_by_an_alarm(either_ward: Ward) -> None:
    tildas = either_ward.alert(either_ward.alarm(alert_id="A1", patient=TILDA))
    ottos = either_ward.alert(either_ward.alarm(alert_id="A2", patient=OTTO))

    assert (tildas.register_conflict, ottos.register_conflict) == (False, True)
    assert ottos.patient_id not in (None, tildas.patient_id)
    assert [stay.patient_id for stay in either_ward.stays()] == [tildas.patient_id]


def test_a_patient_who_lies_elsewhere_is_not_moved_by_an_alarm(ward: Ward) -> None:
    first = ward.alert(ward.alarm(bed="MED-07"))
    second = ward.alert(ward.alarm(bed="MED-08"))

    assert second.patient_id == first.patient_id
    assert (first.register_conflict, second.register_conflict) == (False, True)
    assert [stay.bed_id for stay in ward.stays()] == [first.bed_id]


def test_a_patient_in_an_unknown_bed_is_named_without_a_stay(ward: Ward) -> None:
    alert = ward.alert(ward.alarm(bed="MED-99"))

    assert alert.patient_id is not None
    assert not alert.register_conflict
    assert ward.stays() == []


def test_a_patient_without_an_authority_is_the_senders_own(ward: Ward) -> None:
    unsigned = Subject("4711", None, "Testmann, Tilda", None, "F")
    signed = Subject("4711", "demo numbers", "Testmann, Tilda", None, "F")

    first = ward.alert(ward.alarm(alert_id="A1", patient=unsigned)).patient_id
    assert ward.alert(ward.alarm(alert_id="A2", patient=signed)).patient_id == first
    assert ward.alert(ward.alarm(alert_id="A3", patient=unsigned, gateway="demo/other")).patient_id != first


# ---- A repeat


def test_a_repeat_counts_up_and_writes_no_line(either_ward: Ward) -> None:
    alert_id = either_ward.alarm()
    either_ward.pass_time(10)

    with either_ward.nothing_written():
        assert either_ward.alarm() == alert_id
        assert either_ward.alarm() == alert_id

    alert = either_ward.alert(alert_id)
    assert (alert.repeats, alert.version) == (2, 1)
    assert alert.raised_at == alert.changed_at == NOON
    assert alert.last_at == NOON + timedelta(seconds=10)
    assert alert.escalate_at == NOON + timedelta(minutes=5), "a repeat is no reason to wait longer"


@pytest.mark.parametrize(
    ("what", "column"),
    [
        ({"value": "83"}, "value"),
        ({"unit": "kPa"}, "value_unit"),
        ({"low": 88.0}, "low"),
        ({"high": 99.0}, "high"),
        ({"text": "SpO2 very low"}, "text"),
    ],
)
def test_a_repeat_that_changes_what_the_card_shows_is_an_update(ward: Ward, what: dict[str, Any], column: str) -> None:
    alert_id = ward.alarm()
    ward.pass_time(10)

    assert ward.alarm(**what) == alert_id

    alert = ward.alert(alert_id)
    assert getattr(alert, column) == next(iter(what.values()))
    assert (alert.repeats, alert.version, alert.happening) == (1, 2, Happening.UPDATED)
    assert alert.changed_at == NOON + timedelta(seconds=10)
    assert ward.happenings() == ["raised", "updated"]
    assert ward.last_line().facts["value"] == alert.value


def test_an_update_binds_its_text(ward: Ward) -> None:
    ward.alarm(text="SpO2 low")
    ward.alarm(text="SpO2 very low")

    first, second = ward.lines()
    assert second.text_digest not in (None, first.text_digest)


def test_an_update_leaves_the_acknowledgement_in_force(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)

    ward.alarm(value="83")

    alert = ward.alert(alert_id)
    assert (alert.state, alert.owner_id, alert.escalate_at) == (State.ACKNOWLEDGED, ward.person("nurse"), None)
    assert ward.happenings() == ["raised", "acknowledged", "updated"]


def test_what_a_repeat_leaves_out_stays_as_it_was_last_said(ward: Ward) -> None:
    alert_id = ward.alarm()

    with ward.nothing_written():
        ward.alarm(value=None, unit=None, low=None, high=None, source_code=None)

    alert = ward.alert(alert_id)
    assert (alert.value, alert.value_unit, alert.low, alert.high) == ("84", "%", 90.0, 100.0)
    assert alert.source_code == 150456


def test_a_value_comes_with_its_own_unit(ward: Ward) -> None:
    alert_id = ward.alarm(value="84", unit="%")
    ward.alarm(value="84", unit=None)

    assert ward.alert(alert_id).value_unit is None


@pytest.mark.parametrize(("low", "high"), [(None, 120.0), (50.0, None)])
def test_one_limit_replaces_both(ward: Ward, low: float | None, high: float | None) -> None:
    alert_id = ward.alarm(low=90.0, high=100.0)
    ward.alarm(low=low, high=high)

    assert (ward.alert(alert_id).low, ward.alert(alert_id).high) == (low, high)


def test_the_codes_are_the_last_that_were_said(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.alarm(event_code=196652, source_code=147842)

    assert (ward.alert(alert_id).event_code, ward.alert(alert_id).source_code) == (196652, 147842)


def test_a_patient_who_is_named_later_is_shown_from_then_on(ward: Ward) -> None:
    alert_id = ward.alarm(patient=None)
    assert ward.alarm(patient=TILDA) == alert_id

    alert = ward.alert(alert_id)
    assert alert.patient_id is not None
    assert not alert.register_conflict
    assert [stay.patient_id for stay in ward.stays()] == [alert.patient_id]
    assert ward.happenings() == ["raised", "updated"]


def test_a_patient_who_is_named_later_may_contradict_the_bed_register(ward: Ward) -> None:
    ward.alarm(alert_id="A1", patient=TILDA)
    alert_id = ward.alarm(alert_id="A2", patient=None)
    ward.alarm(alert_id="A2", patient=OTTO)

    assert ward.alert(alert_id).register_conflict
    assert len(ward.stays()) == 1


def test_the_bed_register_goes_on_to_say_otherwise_when_the_alarm_repeats(ward: Ward) -> None:
    ward.alarm(alert_id="A1", patient=TILDA)
    alert_id = ward.alarm(alert_id="A2", patient=OTTO)
    ward.alarm(alert_id="A2", patient=None)

    assert ward.alert(alert_id).register_conflict


# ---- Which alert is meant


@pytest.mark.parametrize(
    "other",
    [{"alert_id": "A2"}, {"bed": "MED-08"}, {"gateway": "demo/other"}, {"patient": OTTO}],
    ids=lambda other: next(iter(other)),
)
def test_another_number_place_sender_or_patient_is_another_alert(ward: Ward, other: dict[str, Any]) -> None:
    first = ward.alarm()
    second = ward.alarm(**other)

    assert second != first
    assert ward.alert(first).repeats == 0
    assert ward.happenings() == ["raised", "raised"]


def test_a_new_start_of_another_event_is_another_alert(ward: Ward) -> None:
    first = ward.alarm(event_code=196670)

    assert ward.alarm(event_code=196652, starts=True) != first


def test_a_new_start_of_the_same_event_is_a_repeat(ward: Ward) -> None:
    assert ward.alarm(starts=True) == ward.alarm(starts=True)


def test_another_event_in_the_course_of_an_alarm_is_the_same_alert(ward: Ward) -> None:
    assert ward.alarm(event_code=196670) == ward.alarm(event_code=196652, starts=False)


def test_the_newest_of_two_that_could_be_meant_is_meant(ward: Ward) -> None:
    first = ward.alarm(patient=TILDA)
    second = ward.alarm(patient=OTTO)

    assert ward.alarm(patient=None) == second
    assert ward.alarm(patient=TILDA) == first


def test_a_resolved_alert_is_never_meant(ward: Ward) -> None:
    first = ward.alarm()
    ward.resolve("nurse", first)
    second = ward.alarm()

    assert second != first
    assert ward.alert(first).state is State.RESOLVED
    assert (ward.alert(first).repeats, ward.alert(second).repeats) == (0, 0)
    assert ward.happenings() == ["raised", "resolved", "raised"]


# ---- What a rule has raised before

LOW_SPO2 = "spo2-low"


def _by_a_rule(ward: Ward, **how: Any) -> int:
    """An alert that our own rules have raised."""
    alert_id = ward.alarm(alert_id="", **how)
    by_a_rule = update(Alert).where(Alert.id == alert_id).values(sender_id=None, condition_key=LOW_SPO2)
    records.write(None, lambda session: session.execute(by_a_rule))
    return alert_id


def test_the_monitors_alarm_joins_what_a_rule_has_raised(either_ward: Ward) -> None:
    alert_id = _by_a_rule(either_ward)

    assert either_ward.alarm(condition=LOW_SPO2, value="82") == alert_id

    alert = either_ward.alert(alert_id)
    assert (alert.sender_id, alert.sender_alert_id) == (either_ward.sender("demo"), "A1")
    assert (alert.value, alert.repeats, alert.version) == ("82", 1, 2)
    assert either_ward.happenings() == ["raised", "updated"]


def test_the_journal_tells_when_the_monitor_joins_though_it_says_nothing_new(ward: Ward) -> None:
    _by_a_rule(ward)
    for _ in range(2):
        ward.alarm(condition=LOW_SPO2)
    assert ward.happenings() == ["raised", "updated"]


def test_from_then_on_the_monitor_says_when_it_ends(ward: Ward) -> None:
    alert_id = _by_a_rule(ward)
    ward.alarm(condition=LOW_SPO2)

    assert ward.end() == alert_id
    assert ward.alert(alert_id).condition is Condition.CLEARED


@pytest.mark.parametrize(
    "other",
    [{"condition": "hr-high"}, {"condition": None}, {"patient": OTTO}, {"patient": None}, {"gateway": "demo-b"}]
    + [{"bed": "MED-08"}, {"unit_code": "ICU", "bed": "ICU-01"}, {"bed": "MED-99"}],
    ids=str,
)
def test_another_condition_patient_or_bed_is_another_alert(ward: Ward, other: dict[str, Any]) -> None:
    alert_id = _by_a_rule(ward)

    assert ward.alarm(**{"condition": LOW_SPO2} | other) != alert_id
    assert (ward.alert(alert_id).sender_id, ward.alert(alert_id).repeats) == (None, 0)


@pytest.mark.parametrize(("bed", "joins"), [("MED-98", True), ("MED-99", False), ("MED-07", False)])
def test_at_an_unknown_bed_the_place_must_be_the_same(ward: Ward, bed: str, joins: bool) -> None:
    alert_id = _by_a_rule(ward, bed="MED-98")

    assert (ward.alarm(condition=LOW_SPO2, bed=bed) == alert_id) is joins


def test_the_same_bed_may_be_called_otherwise(ward: Ward) -> None:
    alert_id = _by_a_rule(ward, bed="MED-07")

    assert ward.alarm(condition=LOW_SPO2, bed="07") == alert_id
    assert ward.alert(alert_id).place == "MED / – / 07"


def test_an_alert_keeps_what_our_rules_call_it(ward: Ward) -> None:
    assert ward.alert(ward.alarm(condition=LOW_SPO2)).condition_key == LOW_SPO2


def test_two_alarms_of_monitors_are_two_alerts_whatever_their_condition(ward: Ward) -> None:
    assert ward.alarm(alert_id="A1", condition=LOW_SPO2) != ward.alarm(alert_id="A2", condition=LOW_SPO2)


def test_a_resolved_alert_of_a_rule_is_not_joined(ward: Ward) -> None:
    alert_id = _by_a_rule(ward)
    ward.resolve("nurse", alert_id)

    assert ward.alarm(condition=LOW_SPO2) != alert_id


def test_the_newest_that_a_rule_has_raised_is_joined(ward: Ward) -> None:
    oldest, newest = _by_a_rule(ward), _by_a_rule(ward)

    assert oldest != newest
    assert ward.alarm(condition=LOW_SPO2) == newest


# ---- More urgent

MORE_URGENT = [
    (Priority.LOW, Priority.MEDIUM, 5),
    (Priority.LOW, Priority.HIGH, 2),
    (Priority.MEDIUM, Priority.HIGH, 2),
]


@pytest.mark.parametrize(("was", "becomes", "minutes"), MORE_URGENT)
def test_a_priority_rises_and_its_clock_starts_again(
    ward: Ward, was: Priority, becomes: Priority, minutes: int
) -> None:
    alert_id = ward.alarm(priority=was)
    ward.escalate("nurse", alert_id)
    ward.pass_time(60)

    assert ward.alarm(priority=becomes) == alert_id

    alert = ward.alert(alert_id)
    assert (alert.priority, alert.state, alert.step, alert.repeats) == (becomes, State.OPEN, 0, 1)
    assert alert.escalate_at == NOON + timedelta(minutes=1 + minutes)
    assert alert.happening is Happening.PRIORITY_RAISED
    assert ward.happenings() == ["raised", "escalated", "priority-raised"]
    assert ward.last_line().facts["priority"] == becomes
    assert ward.last_line().text_digest == ward.lines()[0].text_digest


@pytest.mark.parametrize(("becomes", "was", "_"), MORE_URGENT)
def test_a_priority_never_falls(ward: Ward, was: Priority, becomes: Priority, _: int) -> None:
    alert_id = ward.alarm(priority=was)

    with ward.nothing_written():
        assert ward.alarm(priority=becomes) == alert_id

    assert ward.alert(alert_id).priority is was


@pytest.mark.parametrize("was", Priority)
def test_a_repeat_without_a_priority_changes_none(ward: Ward, was: Priority) -> None:
    alert_id = ward.alarm(priority=was)

    with ward.nothing_written():
        ward.alarm(priority=None)

    assert (ward.alert(alert_id).priority, ward.alert(alert_id).priority_sent) == (was, True)


def test_an_assumed_priority_that_rises_was_sent_from_then_on(ward: Ward) -> None:
    alert_id = ward.alarm(priority=None)
    ward.alarm(priority=Priority.HIGH)

    assert (ward.alert(alert_id).priority, ward.alert(alert_id).priority_sent) == (Priority.HIGH, True)


def test_nobody_has_acknowledged_the_higher_priority(either_ward: Ward) -> None:
    alert_id = either_ward.alarm(priority=Priority.LOW)
    either_ward.acknowledge("nurse", alert_id)
    either_ward.pass_time(60)
    either_ward.alarm(priority=Priority.HIGH)

    alert = either_ward.alert(alert_id)
    assert (alert.state, alert.owner_id, alert.owned_at) == (State.OPEN, None, None)
    (taken,) = either_ward.acknowledgements(alert_id)
    assert (taken.since, taken.until) == (NOON, NOON + timedelta(seconds=60))
    assert either_ward.last_line().facts["owner"] is None


def test_a_cleared_alert_that_comes_back_more_urgent_is_active_again(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.end()
    ward.alarm(priority=Priority.MEDIUM)

    alert = ward.alert(alert_id)
    assert (alert.condition, alert.cleared_at, alert.expires_at) == (Condition.ACTIVE, None, None)
    assert ward.happenings() == ["raised", "cleared", "priority-raised"]


def test_a_latched_alarm_that_becomes_more_urgent_stays_latched(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.LOW)
    ward.alarm(priority=Priority.HIGH, latched=True)

    alert = ward.alert(alert_id)
    assert (alert.condition, alert.cleared_at) == (Condition.LATCHED, None)
    assert ward.happenings() == ["raised", "priority-raised"]


# ---- Back again, or gone but latched by its device


@pytest.mark.parametrize("priority", Priority)
def test_what_comes_back_is_an_open_alert_again(ward: Ward, priority: Priority) -> None:
    alert_id = ward.alarm(priority=priority)
    ward.escalate("nurse", alert_id)
    ward.end(priority=priority)
    ward.pass_time(60)

    assert ward.alarm(priority=priority) == alert_id

    alert = ward.alert(alert_id)
    assert (alert.state, alert.condition, alert.step) == (State.OPEN, Condition.ACTIVE, 0)
    assert (alert.cleared_at, alert.expires_at) == (None, None)
    assert alert.escalate_at == clock.now() + {"high": 120, "medium": 300, "low": 900}[priority] * timedelta(seconds=1)
    assert ward.happenings() == ["raised", "escalated", "cleared", "recurred"]


def test_nobody_has_acknowledged_what_came_back(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse", alert_id)
    ward.end(priority=Priority.HIGH)
    ward.alarm(priority=Priority.HIGH)

    alert = ward.alert(alert_id)
    assert (alert.state, alert.owner_id) == (State.OPEN, None)
    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [NOON]
    assert ward.happenings() == ["raised", "acknowledged", "cleared", "recurred"]


def test_what_came_back_can_be_acknowledged_again(ward: Ward) -> None:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse", alert_id)
    ward.end(priority=Priority.HIGH)
    ward.alarm(priority=Priority.HIGH)
    ward.acknowledge("nurse2", alert_id)

    assert ward.alert(alert_id).owner_id == ward.person("nurse2")
    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [NOON, None]


def test_a_device_that_latches_its_alarm_says_that_the_condition_has_gone(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.pass_time(10)
    ward.alarm(latched=True)

    alert = ward.alert(alert_id)
    assert (alert.state, alert.condition) == (State.OPEN, Condition.LATCHED)
    assert alert.cleared_at == NOON + timedelta(seconds=10)
    assert alert.escalate_at == NOON + timedelta(minutes=5), "someone must still look"
    assert ward.happenings() == ["raised", "cleared"]


def test_latching_does_not_take_the_alert_from_who_has_it(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)
    ward.alarm(latched=True)

    assert ward.alert(alert_id).owner_id == ward.person("nurse")
    assert [taken.until for taken in ward.acknowledgements(alert_id)] == [None]


def test_latching_twice_writes_one_line(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.alarm(latched=True)

    with ward.nothing_written():
        ward.alarm(latched=True)

    assert ward.alert(alert_id).repeats == 2


def test_a_latched_repeat_does_not_bring_a_cleared_alert_back(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.end()

    with ward.nothing_written():
        ward.alarm(latched=True)

    assert ward.alert(alert_id).condition is Condition.CLEARED


def test_a_latched_alarm_that_is_active_again_has_come_back(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)
    ward.alarm(latched=True)
    ward.alarm(latched=False)

    assert (ward.alert(alert_id).state, ward.alert(alert_id).condition) == (State.OPEN, Condition.ACTIVE)
    assert ward.happenings() == ["raised", "acknowledged", "cleared", "recurred"]


def test_an_active_repeat_of_an_active_alert_is_not_a_return(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)

    with ward.nothing_written():
        ward.alarm()

    assert ward.alert(alert_id).state is State.ACKNOWLEDGED


def test_a_new_start_that_names_nobody_never_joins_the_alert_of_somebody(house: House) -> None:
    known = house.raise_alarm()
    unknown = house.raise_alarm(patient=None)
    assert unknown != known
    assert house.alert(unknown).patient_id is None
    assert house.raise_alarm(patient=None, phase="update", value="80") == unknown
