"""Someone writes something down about an alert."""

from datetime import timedelta

import pytest

from hospital.alerts.refusals import EmptyNote
from hospital.vocabulary import Happening, State
from tests.alerts.ward import NOON, Ward


def test_a_note_is_kept_with_who_wrote_it_and_its_line(either_ward: Ward) -> None:
    alert_id, nurse = either_ward.alarm(), either_ward.person("nurse")
    either_ward.pass_time(10)
    written_at = NOON + timedelta(seconds=10)

    either_ward.note("nurse", alert_id, "Sensor re-sited.")

    (note,) = either_ward.notes(alert_id)
    assert (note.text, note.person_id, note.at, note.number) == ("Sensor re-sited.", nurse, written_at, 2)
    line = either_ward.last_line()
    assert (line.number, line.happening, line.person_id, line.at) == (2, Happening.NOTED, nurse, written_at)
    assert line.text_digest is not None
    assert "Sensor" not in str(line.facts)
    assert either_ward.alert(alert_id).version == 2


def test_a_note_changes_nothing_else(ward: Ward) -> None:
    alert_id = ward.alarm()
    before = ward.alert(alert_id)
    ward.note("nurse", alert_id, "Sensor re-sited.")
    after = ward.alert(alert_id)

    assert (after.state, after.condition, after.step) == (before.state, before.condition, before.step)
    assert (after.escalate_at, after.owner_id, after.repeats) == (before.escalate_at, None, 0)
    first, second = ward.lines()
    assert first.facts == second.facts


def test_a_resolved_alert_can_still_be_noted(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.resolve("nurse", alert_id)
    ward.note("nurse", alert_id, "It was the sensor.")

    assert ward.alert(alert_id).state is State.RESOLVED
    assert ward.happenings() == ["raised", "resolved", "noted"]


def test_each_note_is_one_more(ward: Ward) -> None:
    alert_id, other = ward.alarm(alert_id="A1"), ward.alarm(alert_id="A2")
    ward.note("nurse", alert_id, "First.")
    ward.note("nurse2", alert_id, "Second.")

    assert [(note.number, note.text) for note in ward.notes(alert_id)] == [(3, "First."), (4, "Second.")]
    assert ward.notes(other) == []


@pytest.mark.parametrize("words", ["x", "ä" * 2_000, "x\r\n" * 1_000], ids=["1", "2000", "2000 as its field counts"])
def test_a_note_has_one_to_two_thousand_characters(ward: Ward, words: str) -> None:
    alert_id = ward.alarm()
    ward.note("nurse", alert_id, words)

    assert [note.text for note in ward.notes(alert_id)] == [words.replace("\r\n", "\n").strip()]


@pytest.mark.parametrize("words", ["", " ", "\n\t\u00a0 ", "x" * 2_001, "ä" * 2_001], ids=len)
def test_blanks_or_more_are_no_note(ward: Ward, words: str) -> None:
    alert_id = ward.alarm()

    with ward.refused(EmptyNote):
        ward.note("nurse", alert_id, words)


def test_blanks_around_a_note_do_not_make_it_another(ward: Ward) -> None:
    alert_id = ward.alarm()
    ward.note("nurse", alert_id, "Sensor re-sited.")
    ward.note("nurse", alert_id, "  Sensor re-sited.\n")

    _, first, second = ward.lines()
    assert first.text_digest == second.text_digest
