"""Which alarm messages raise an alert, which clear one, and which do neither."""

from dataclasses import replace

import pytest

from hospital.triage.alarm import Alarm
from hospital.triage.assess import Outcome, assess
from hospital.vocabulary import AlertKind, Priority

LOW_SPO2 = Alarm(
    alert_id="1",
    event_code=196670,
    source_code=150456,
    text="Low SpO2",
    kind=AlertKind.PHYSIOLOGICAL,
    priority=Priority.HIGH,
    phase="start",
    state="active",
    value="88",
    unit="%",
    low=90.0,
    high=96.0,
    observed_at=None,
)


def outcome(phase: str | None, state: str | None, processing_id: str = "P", training_sender: bool = False) -> Outcome:
    return assess(replace(LOW_SPO2, phase=phase, state=state), processing_id, training_sender).outcome


@pytest.mark.parametrize("phase", ["tpoint", "start", "start_only", "continue", "present", "update", "escalate"])
@pytest.mark.parametrize("state", ["active", "latched", None])
def test_an_alarm_in_its_course_raises(phase: str, state: str | None) -> None:
    assert outcome(phase, state) is Outcome.RAISE


@pytest.mark.parametrize("phase", ["deescalate", "whatever", "ended", "", None])
@pytest.mark.parametrize("state", ["active", "whatever", None])
def test_an_alarm_that_we_do_not_understand_still_raises(phase: str | None, state: str | None) -> None:
    assert outcome(phase, state) is Outcome.RAISE


@pytest.mark.parametrize("phase", ["end", "stop", "reset"])
@pytest.mark.parametrize("state", ["active", "inactive", "latched", None])
def test_the_end_of_an_alarm_clears(phase: str, state: str | None) -> None:
    assert outcome(phase, state) is Outcome.CLEAR


@pytest.mark.parametrize("phase", ["start", "present", "inactivate", "acknowledged", "whatever", None])
def test_an_inactive_state_clears_whatever_the_phase(phase: str | None) -> None:
    assert outcome(phase, "inactive") is Outcome.CLEAR


@pytest.mark.parametrize("phase", ["inactivate", "acknowledged"])
@pytest.mark.parametrize("state", ["active", "latched", None])
def test_silence_at_the_device_changes_nothing_here(phase: str, state: str | None) -> None:
    assert outcome(phase, state) is Outcome.NOTHING


@pytest.mark.parametrize("processing_id", ["D", "T", "X"])
@pytest.mark.parametrize("phase", ["start", "end", None])
def test_a_message_not_for_production_does_nothing(processing_id: str, phase: str | None) -> None:
    assert outcome(phase, "active", processing_id) is Outcome.NOTHING
    assert outcome(phase, "inactive", processing_id) is Outcome.NOTHING


@pytest.mark.parametrize("processing_id", ["P", "D", "T", "X", ""])
def test_a_training_sender_is_taken_at_its_word_whatever_it_is_for(processing_id: str) -> None:
    assert outcome("start", "active", processing_id, training_sender=True) is Outcome.RAISE
    assert outcome("end", "inactive", processing_id, training_sender=True) is Outcome.CLEAR
    assert outcome("inactivate", "active", processing_id, training_sender=True) is Outcome.NOTHING


def test_a_message_that_does_not_say_what_it_is_for_raises() -> None:
    assert outcome("start", "active", processing_id="") is Outcome.RAISE


@pytest.mark.parametrize("phase", ["start", "start_only", "tpoint"])
def test_these_phases_begin_a_new_occurrence(phase: str) -> None:
    assert assess(replace(LOW_SPO2, phase=phase), "P", False).starts is True


@pytest.mark.parametrize("phase", ["continue", "present", "update", "escalate", "end", "reset", "whatever", "", None])
def test_other_phases_do_not_begin_one(phase: str | None) -> None:
    assert assess(replace(LOW_SPO2, phase=phase), "P", False).starts is False


@pytest.mark.parametrize(
    ("state", "latched"), [("latched", True), ("active", False), ("inactive", False), (None, False)]
)
def test_only_a_latched_state_is_latched(state: str | None, latched: bool) -> None:
    assert assess(replace(LOW_SPO2, state=state), "P", False).latched is latched


def test_a_latched_alarm_that_ends_says_both() -> None:
    assessment = assess(replace(LOW_SPO2, phase="end", state="latched"), "P", False)
    assert (assessment.outcome, assessment.latched) == (Outcome.CLEAR, True)


@pytest.mark.parametrize("priority", list(Priority))
def test_a_priority_that_was_sent_is_kept(priority: Priority) -> None:
    assessment = assess(replace(LOW_SPO2, priority=priority), "P", False)
    assert (assessment.priority, assessment.priority_sent) == (priority, True)


def test_a_missing_priority_is_medium_and_says_so() -> None:
    assessment = assess(replace(LOW_SPO2, priority=None), "P", False)
    assert (assessment.priority, assessment.priority_sent) == (Priority.MEDIUM, False)
