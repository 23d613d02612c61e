"""The journal: gap-free numbers, chained hashes, and nothing personal."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from hospital import clock, records
from hospital.records import Alert, Hospital, JournalLine, journal
from hospital.vocabulary import Happening, Priority
from tests.alerts.ward import NOON, Ward
from tests.records.chain import chained_hash, first_break
from tests.support.house import House
from tests.support.standing import standing

FREE_TEXT = "Tilda pulled the sensor off again."


@pytest.fixture
def ward(house: House) -> Ward:
    """In both hospitals, some lines of every kind of writer."""
    return _busy(Ward(house))


@pytest.fixture
def either_ward(either_house: House) -> Ward:
    return _busy(Ward(either_house))


def _busy(ward: Ward) -> Ward:
    alert_id = ward.alarm(priority=Priority.HIGH)
    ward.alarm(gateway="demo-b", bed="MED-99")
    ward.pass_time(120.000001)
    ward.run_timers()
    ward.acknowledge("nurse", alert_id)
    ward.note("nurse", alert_id, FREE_TEXT)
    ward.resolve("nurse", alert_id)
    return ward


# ---- Numbers


def test_numbers_start_at_one_and_have_no_gap(either_ward: Ward) -> None:
    assert [line.number for line in either_ward.lines("demo")] == [1, 2, 3, 4, 5]
    assert [line.number for line in either_ward.lines("demo-b")] == [1]


def test_the_head_is_the_last_line(either_ward: Ward) -> None:
    for code in ("demo", "demo-b"):
        hospital, last = either_ward.house.hospital(code), either_ward.last_line(code)
        assert (hospital.head, hospital.last_hash) == (last.number, last.hash)


def test_before_the_first_line_the_head_is_zero_and_its_hash_empty(house: House) -> None:
    assert (house.hospital().head, house.hospital().last_hash) == (0, "")


def test_a_line_is_its_alerts_version(either_ward: Ward) -> None:
    alert = either_ward.alerts()[0]
    last = either_ward.last_line()

    assert (alert.version, alert.happening) == (last.number, last.happening)
    assert (alert.changed_at, alert.changed_by_id) == (last.at, last.person_id)


def test_a_line_that_its_act_takes_back_uses_no_number(either_ward: Ward) -> None:
    alert_id, hospital = either_ward.alerts()[0].id, either_ward.house.hospital().id
    before = either_ward.house.hospital()

    def act(session: Any) -> None:
        journal.append(session, session.get_one(Alert, alert_id), Happening.NOTED, at=NOON)
        raise KeyError("after all not")

    with pytest.raises(KeyError):
        records.write(hospital, act)

    after = either_ward.house.hospital()
    assert (after.head, after.last_hash) == (before.head, before.last_hash)
    assert len(either_ward.lines()) == before.head
    assert either_ward.alert(alert_id).version == before.head


def test_two_lines_of_one_transaction_follow_each_other(either_ward: Ward) -> None:
    alert_id, hospital = either_ward.alerts()[0].id, either_ward.house.hospital().id

    def act(session: Any) -> list[int]:
        alert = session.get_one(Alert, alert_id)
        return [journal.append(session, alert, Happening.NOTED, at=NOON).number for _ in range(3)]

    assert records.write(hospital, act) == [6, 7, 8]
    assert broken_at(either_ward, "demo") is None


def test_append_gives_the_line_that_it_wrote(ward: Ward) -> None:
    alert, hospital = ward.alerts()[0], ward.house.hospital().id
    nurse = ward.person("nurse")

    def act(session: Any) -> JournalLine:
        fresh = session.get_one(Alert, alert.id)
        return journal.append(session, fresh, Happening.NOTED, at=NOON, by=nurse, free_text="x")

    line = records.write(hospital, act)
    last = ward.last_line()
    assert (line.number, line.hash, line.person_id) == (last.number, last.hash, nurse)
    assert (line.text_digest, line.at, line.hospital_id) == (last.text_digest, NOON, hospital)


def test_a_cursor_is_the_epoch_and_the_number() -> None:
    assert journal.cursor("a1b2c3d4", 17) == "a1b2c3d4-17"


# ---- Hashes


def broken_at(ward: Ward, hospital: str = "demo") -> int | None:
    return first_break(ward.lines(hospital), ward.house.hospital(hospital).last_hash)


def test_hashes_chain_from_the_first_line_to_the_head(either_ward: Ward) -> None:
    assert broken_at(either_ward, "demo") is None
    assert broken_at(either_ward, "demo-b") is None


CHANGES: dict[str, Callable[[JournalLine], Any]] = {
    "at": lambda line: line.at + timedelta(microseconds=1),
    "happening": lambda line: Happening.NOTED,
    "alert_id": lambda line: 2,
    "person_id": lambda line: None if line.person_id else 1,
    "unit_before": lambda line: None,
    "unit_after": lambda line: None,
    "facts": lambda line: line.facts | {"step": line.facts["step"] + 1},
    "text_digest": lambda line: "0" * 64,
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_line_that_was_changed_afterwards_breaks_the_chain(ward: Ward, column: str) -> None:
    third = ward.lines()[2]
    changed = {column: CHANGES[column](third)}
    query = update(JournalLine).where(JournalLine.hospital_id == third.hospital_id, JournalLine.number == 3)
    records.write(None, lambda session: session.execute(query.values(changed)))

    assert broken_at(ward) == 3


@pytest.mark.parametrize("fact", ["state", "priority", "condition", "step", "owner", "value"])
def test_each_fact_is_bound_in(ward: Ward, fact: str) -> None:
    line = ward.lines()[2]
    whole = line.hash
    before = ward.lines()[1].hash

    assert chained_hash(before, line) == journal.line_hash(before, line) == whole
    line.facts = line.facts | {fact: "another"}
    assert chained_hash(before, line) == journal.line_hash(before, line) != whole
    line.facts = {name: value for name, value in line.facts.items() if name != fact}
    assert chained_hash(before, line) == journal.line_hash(before, line) != whole


def test_a_line_that_was_taken_out_breaks_the_chain(ward: Ward) -> None:
    records.write(None, lambda session: session.delete(session.get_one(JournalLine, (ward.lines()[1].hospital_id, 2))))

    assert broken_at(ward) == 3


def test_a_last_line_that_was_taken_out_does_not_fit_the_head(ward: Ward) -> None:
    records.write(None, lambda session: session.delete(session.get_one(JournalLine, (ward.lines()[1].hospital_id, 5))))

    assert broken_at(ward) == 0


def test_the_hash_is_of_the_moment_wherever_the_clock_stands(ward: Ward) -> None:
    """Databases hand moments back in zones of their own."""
    line, before = ward.lines()[2], ward.lines()[1].hash
    whole = line.hash
    zone = datetime.now().astimezone().tzinfo
    for elsewhere in (line.at.astimezone(zone), line.at.astimezone(clock.now().tzinfo)):
        line.at = elsewhere
        assert journal.line_hash(before, line) == whole


# ---- What a line holds


def test_the_journal_replays_to_the_alert(either_ward: Ward) -> None:
    for hospital in ("demo", "demo-b"):
        last = {line.alert_id: line for line in either_ward.lines(hospital)}
        for alert in either_ward.alerts():
            if alert.id in last:
                assert last[alert.id].facts == {
                    "state": alert.state.value,
                    "priority": alert.priority.value,
                    "condition": alert.condition.value,
                    "step": alert.step,
                    "owner": alert.owner_id,
                    "value": alert.value,
                }


def test_a_line_holds_no_free_text_and_no_identity(either_ward: Ward) -> None:
    with records.read() as session:
        rows = [tuple(map(str, row)) for row in session.execute(text("SELECT * FROM journal"))]

    said = " ".join(" ".join(row) for row in rows)
    assert not standing(said, (FREE_TEXT, "Tilda", "Testmann", "4711", "SpO2", "1961", "1961-03-01"))


def test_free_text_is_bound_in_by_a_digest_that_says_nothing_without_the_key(ward: Ward) -> None:
    noted = ward.lines()[3]
    guess = hashlib.sha256(FREE_TEXT.encode()).hexdigest()

    assert noted.happening is Happening.NOTED
    assert noted.text_digest is not None and len(noted.text_digest) == 64
    assert noted.text_digest != guess
    assert [line.text_digest is None for line in ward.lines()] == [False, True, True, False, True]


def test_an_empty_text_is_bound_in_too(ward: Ward) -> None:
    alert_id, hospital = ward.alerts()[0].id, ward.house.hospital().id

    def act(session: Any) -> JournalLine:
        return journal.append(session, session.get_one(Alert, alert_id), Happening.NOTED, at=NOON, free_text="")

    assert records.write(hospital, act).text_digest is not None


def test_lines_are_of_one_hospital_and_their_order_is_its_own(either_ward: Ward) -> None:
    with records.read() as session:
        query = select(Hospital.code, JournalLine.number).join(Hospital, Hospital.id == JournalLine.hospital_id)
        rows = session.execute(query.order_by(Hospital.code, JournalLine.number)).all()

    assert [tuple(row) for row in rows] == [("demo", n) for n in range(1, 6)] + [("demo-b", 1)]
