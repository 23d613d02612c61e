"""Everything is sealed anew while others write, and nothing is lost, doubled or left behind."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import func, select, text

from hospital import records
from hospital.records import JournalLine, Message, Note, Patient, PatientReference, SealKey, sealed
from hospital.records.key_register import WrongRing, digest_keys, prepare_keys, sealed_columns
from hospital.records.patient import name_patient, named_patient
from hospital.records.rotating import _ROWS, count_by_key, rotate
from hospital.records.sealed import CannotOpen, is_digest, use_ring, use_secret
from hospital.triage.alarm import Subject
from tests.alerts.ward import Ward
from tests.support.alarms import alarm
from tests.support.house import House

BOTH = {1: "for tests", 2: "the second"}
TILDA = Subject("PID-90210", "Ward", "Zwiebelfisch, Tilda", date(1943, 5, 17), "F")


@pytest.fixture(autouse=True)
def the_key_of_the_house() -> Iterator[None]:
    yield
    use_secret("for tests")


def fill(house: House, messages: int = 3) -> Ward:
    ward = Ward(house)
    alert_id = ward.alarm(alert_id="A1", patient=TILDA)
    ward.note("nurse", alert_id, "Daughter has been telephoned.")
    for number in range(messages):
        house.take(alarm(alert_id=f"M{number}"))
    return ward


def turn(*ring: dict[int, str]) -> list[tuple[str, int, int]]:
    told: list[tuple[str, int, int]] = []
    for keys in ring:
        use_ring(lambda keys=keys: keys)
        rotate(lambda *words: told.append(words))
    return told


def by_key() -> dict[int, int]:
    with records.read() as session:
        return count_by_key(session)


def patients() -> list[Patient]:
    with records.read() as session:
        return list(session.scalars(select(Patient).order_by(Patient.id)))


def test_afterwards_nothing_lies_under_the_old_key_and_everything_opens(either_house: House) -> None:
    fill(either_house)
    values = by_key()[1]

    turn(BOTH)

    assert by_key() == {2: values + 1}, "and the digest key of the second key"
    use_ring(lambda: {2: "the second"})
    with records.read() as session:
        for model, names in sealed_columns().items():
            for row in session.scalars(select(model)):
                assert all(isinstance(getattr(row, name), str | None) for name in names)
        assert session.scalars(select(Note.text)).all() == ["Daughter has been telephoned."]
        assert "Zwiebelfisch, Tilda" in [one.name for one in patients()]


def test_the_old_key_opens_nothing_any_more(house: House) -> None:
    fill(house)
    turn(BOTH)
    use_secret("for tests")

    with pytest.raises(CannotOpen):
        patients()


def test_the_same_patient_is_met_before_during_and_after(either_house: House) -> None:
    """A second row for the same patient would part their alarms from their history."""
    ward = fill(either_house)
    first = ward.alert(ward.alarm(alert_id="B1", patient=TILDA)).patient_id
    use_ring(lambda: BOTH)
    met = []
    rotate(lambda table, *_: met.append(ward.alert(ward.alarm(alert_id=table, patient=TILDA)).patient_id))

    met.append(ward.alert(ward.alarm(alert_id="B3", patient=TILDA)).patient_id)

    assert len(met) > 3
    assert set(met) == {first}
    assert len([one for one in patients() if one.name == TILDA.name]) == 1


def test_what_is_written_meanwhile_lies_under_the_new_key(either_house: House) -> None:
    ward = fill(either_house)
    use_ring(lambda: BOTH)

    rotate(lambda table, *_: ward.alarm(alert_id=f"while {table}", patient=TILDA))

    assert set(by_key()) == {2}


def test_a_sender_still_finds_its_patients_by_its_own_words(either_house: House) -> None:
    fill(either_house)
    patient = patients()[0]
    with records.read() as session:
        sender_id = session.scalar(select(Message.sender_id).where(Message.sender_id.is_not(None)).limit(1))
    assert sender_id is not None
    records.write(1, lambda session: name_patient(session, sender_id, ["Patient/1"], session.merge(patient)))

    turn(BOTH, {2: "the second"})

    with records.read() as session:
        found = named_patient(session, sender_id, "Patient/1")
    assert found is not None and found.id == patient.id


def test_a_reference_whose_words_nobody_kept_is_forgotten_and_told(house: House) -> None:
    ward = fill(house)
    patient = patients()[0]
    sender_id = ward.alerts()[0].sender_id
    row = PatientReference(sender_id=sender_id, patient_id=patient.id, reference_index="x")
    records.write(1, lambda session: session.add(row))
    use_ring(lambda: BOTH)

    assert rotate(lambda *_: None).forgotten == 1
    assert rotate(lambda *_: None).forgotten == 0


def test_digests_of_the_journal_still_verify(either_house: House) -> None:
    ward = fill(either_house)
    turn(BOTH)
    ward.note("nurse", ward.alerts()[0].id, "A second note.")
    turn({2: "the second", 3: "the third"}, {3: "the third"})

    with records.read() as session:
        keys = digest_keys(session)
        pairs = session.execute(
            select(Note.text, JournalLine.text_digest).join(JournalLine, JournalLine.number == Note.number)
        ).all()
    assert len(pairs) == 2
    assert all(is_digest(text, digest, keys) for text, digest in pairs)
    assert not any(is_digest(f"{text}!", digest, keys) for text, digest in pairs)
    assert not any(is_digest(text, digest, keys[2:]) for text, digest in pairs), "each key is needed"


def test_it_goes_in_batches_and_goes_on_where_it_was_stopped(either_house: House) -> None:
    fill(either_house, messages=2 * _ROWS + 5)
    use_ring(lambda: BOTH)

    class Killed(Exception):
        pass

    def kill(table: str, done: int, of: int) -> None:
        if table == "message" and done == _ROWS:
            assert of == 2 * _ROWS + 5
            raise Killed

    with pytest.raises(Killed):
        rotate(kill)
    assert by_key()[1] > 0
    told = turn(BOTH)

    assert ("message", _ROWS, _ROWS + 5) in told and ("message", _ROWS + 5, _ROWS + 5) in told
    assert set(by_key()) == {2}


def test_running_it_again_does_nothing(house: House) -> None:
    fill(house)
    turn(BOTH)

    assert turn(BOTH) == []


def test_the_register_tells_when_keys_came_and_went(house: House) -> None:
    turn(BOTH)

    with records.read() as session:
        rows = session.scalars(select(SealKey).order_by(SealKey.id)).all()
    assert [(row.id, row.retired_at is None) for row in rows] == [(1, False), (2, True)]


# ---- A process that has not heard of the new key


def test_another_process_reads_its_ring_again_when_the_key_has_changed(house: House) -> None:
    ward, file = fill(house), {1: "for tests"}
    use_ring(lambda: dict(file))
    file[2] = "the second"
    records.write(None, lambda session: _adopted_elsewhere(session))

    ward.alarm(alert_id="after", patient=TILDA)

    assert sealed.current() == 2
    assert by_key()[2] > 0


def test_a_process_without_the_new_key_writes_nothing_rather_than_under_the_old_one(house: House) -> None:
    fill(house)
    records.write(None, lambda session: _adopted_elsewhere(session))
    before = by_key()

    with pytest.raises(records.NotStored, match="The key ring lacks key 2"):
        house.take(alarm(alert_id="after"))

    assert by_key() == before


def test_a_page_that_meets_the_new_key_first_reads_the_ring_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(house)
    turn(BOTH)
    monkeypatch.setattr(sealed, "_ASK_AGAIN_S", 0.0)
    ring = {1: "for tests"}
    use_ring(lambda: dict(ring))
    ring[2] = "the second"

    assert patients()[0].name


# ---- Start


def test_a_start_without_a_key_that_is_needed_says_which_and_what_to_do(either_house: House) -> None:
    fill(either_house)
    turn(BOTH)
    use_secret("for tests")

    with pytest.raises(WrongRing, match=r"^Key 2 is missing\..*HOSPITAL_KEY_FILE.*flask --app app keys rotate"):
        prepare_keys()


def test_a_start_with_another_secret_of_the_same_number_says_so(house: House) -> None:
    use_secret("another")

    with pytest.raises(WrongRing, match="^Key 1 is another"):
        prepare_keys()


def test_a_database_older_than_the_register_opens_only_with_its_own_key(house: House) -> None:
    fill(house)
    records.write(None, lambda session: session.execute(text("DELETE FROM seal_key")))
    use_secret("another")
    with pytest.raises(WrongRing, match="^The key is another"):
        prepare_keys()
    use_secret("for tests")

    prepare_keys()

    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(SealKey)) == 1


def test_after_a_rotation_the_old_key_may_go(house: House) -> None:
    fill(house)
    turn(BOTH)
    use_ring(lambda: {2: "the second"})

    prepare_keys()


def test_a_lower_key_is_never_made_current_again(house: House) -> None:
    turn(BOTH)
    use_ring(lambda: {1: "for tests"})

    with pytest.raises((WrongRing, records.NotStored)):
        rotate(lambda *_: None)


def _adopted_elsewhere(session: records.database.Session) -> None:
    from hospital.records.key_register import _add

    known = dict(sealed._ring)
    sealed._ring[2] = sealed.Key.of("the second")
    _add(session, 2)
    session.flush()
    sealed._ring = known
