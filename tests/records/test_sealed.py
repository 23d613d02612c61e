"""Identity at rest: what lies in the database says nothing without the key."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Column, LargeBinary, select, text, update

from hospital import records
from hospital.records import Alert, Base, Message, Note, Patient
from hospital.records.sealed import CannotOpen, Sealed, blind, derive, keyed_digest, use_secret
from hospital.triage.alarm import Subject
from tests.alerts.ward import Ward
from tests.support.alarms import alarm
from tests.support.house import House

SECRETS = {
    "name": "Zwiebelfisch",
    "given name": "Ottokar",
    "identifier": "PID-90210-XQ",
    "authority": "Sankt-Nirgendwo",
    "birth date": "19430517",
    "birth date as kept": "1943-05-17",
    "text of the alarm": "Oxygen saturation plummets",
    "note": "Daughter has been telephoned",
    "raw message": "ORU^R40^ORU_R40",
    "answer": "MSA|CA|",
}


@pytest.fixture(autouse=True)
def the_key_of_the_house() -> Iterator[None]:
    """Whatever key a test ends with, the next house has its own."""
    use_secret("for tests")
    yield
    use_secret("for tests")


def fill(house: House) -> int:
    patient = "PID-90210-XQ^^^Sankt-Nirgendwo^PI||Zwiebelfisch^Ottokar^^^^^L||19430517|M"
    alert_id = house.raise_alarm(patient=patient, text="Oxygen saturation plummets")
    Ward(house).note("nurse", alert_id, "Daughter has been telephoned.")
    return alert_id


# ---- Nothing can be read without the key


def test_the_files_of_sqlite_hold_no_secret(house: House) -> None:
    fill(house)
    folder = house.settings.instance
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.startswith("hospital.db")}
    with records.read() as session:
        assert session.scalars(select(Patient)).one().name == "Zwiebelfisch, Ottokar"
    records.disconnect()
    _checkpoint(folder / "hospital.db")
    after = (folder / "hospital.db").read_bytes()

    assert set(before) >= {"hospital.db", "hospital.db-wal"}
    assert b"TEST_GATEWAY" in before["hospital.db-wal"], "what is no secret can be found: the search works"
    assert b"TEST_GATEWAY" in after
    for what, secret in SECRETS.items():
        for name, data in [*before.items(), ("hospital.db after the checkpoint", after)]:
            assert _found(secret, data) == [], f"{what} in {name}"


def test_no_column_of_any_table_holds_a_secret(either_house: House) -> None:
    fill(either_house)

    with records.read() as session:
        rows = [
            (table.name, value)
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f'SELECT * FROM "{table.name}"'))
            for value in row
        ]

    assert ("sender", "TEST_GATEWAY") in rows
    for table, value in rows:
        data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for what, secret in SECRETS.items():
            assert _found(secret, data) == [], f"{what} in {table}"


def test_what_was_sealed_opens_as_it_was(either_house: House) -> None:
    alert_id = fill(either_house)

    with records.read() as session:
        patient, note = session.scalars(select(Patient)).one(), session.scalars(select(Note)).one()
        message, alert = session.scalars(select(Message)).one(), session.get_one(Alert, alert_id)
    assert (patient.identifier, patient.authority) == ("PID-90210-XQ", "Sankt-Nirgendwo")
    assert (patient.name, patient.birth_date, patient.sex) == ("Zwiebelfisch, Ottokar", "1943-05-17", "M")
    assert (note.text, alert.text) == ("Daughter has been telephoned.", "Oxygen saturation plummets")
    assert "Zwiebelfisch^Ottokar" in message.raw and (message.answer or "").startswith("MSH")


IDENTITY = {
    "alert": {"text"},
    "message": {"answer", "raw"},
    "note": {"text"},
    "patient": {"authority", "birth_date", "identifier", "name", "sex"},
}


def test_these_columns_are_sealed_each_to_its_own_place() -> None:
    found: dict[str, set[str]] = {}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                found.setdefault(table.name, set()).add(column.name)
                assert column.type.place == f"{table.name}.{column.name}"

    assert {table: found.get(table) for table in IDENTITY} == IDENTITY


# ---- What a sealed value is


def seal(words: str, place: str = "patient.name") -> bytes:
    data = Sealed(place).process_bind_param(words, None)  # type: ignore[arg-type]
    assert data is not None
    return data


def unseal(data: bytes, place: str = "patient.name") -> str | None:
    return Sealed(place).process_result_value(data, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["", "x", "Testmann, Tilda", "Ärztin 🩺", "\x00", "x" * 100_000], ids=len)
def test_words_are_opened_as_they_were_sealed(words: str) -> None:
    assert unseal(seal(words)) == words


def test_a_sealed_value_is_a_key_id_a_nonce_and_a_ciphertext_with_its_tag() -> None:
    data = seal("Tilda")

    assert data[0] == 1
    assert len(data) == 1 + 12 + len("Tilda") + 16


def test_the_same_words_are_never_sealed_alike() -> None:
    assert len({seal("Tilda") for _ in range(100)}) == 100
    assert len({seal("Tilda")[1:13] for _ in range(100)}) == 100, "a nonce is never used twice"


def test_nothing_stays_nothing() -> None:
    assert Sealed("patient.name").process_bind_param(None, None) is None  # type: ignore[arg-type]
    assert Sealed("patient.name").process_result_value(None, None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [0, 1, 12, 13, -17, -16, -1])
def test_a_value_that_was_changed_does_not_open(at: int) -> None:
    data = bytearray(seal("Testmann, Tilda"))
    data[at] ^= 1

    with pytest.raises(CannotOpen):
        unseal(bytes(data))


@pytest.mark.parametrize("length", [0, 1, 2, 12, 13, 28, 29])
def test_a_value_that_was_cut_off_does_not_open(length: int) -> None:
    with pytest.raises(CannotOpen):
        unseal(seal("Testmann, Tilda")[:length])


def test_a_value_in_another_column_does_not_open() -> None:
    with pytest.raises(CannotOpen, match="^note.text cannot be opened"):
        unseal(seal("Tilda", "patient.name"), "note.text")


def test_another_key_does_not_open_and_says_what_to_look_at() -> None:
    data = seal("Tilda")
    use_secret("another")

    with pytest.raises(CannotOpen, match="patient.name cannot be opened: is HOSPITAL_SECRET_KEY the one"):
        unseal(data)
    use_secret("for tests")
    assert unseal(data) == "Tilda"


# ---- In the database


def test_with_another_secret_the_database_does_not_open(either_house: House) -> None:
    fill(either_house)
    use_secret("another")

    with pytest.raises(CannotOpen), records.read() as session:
        session.scalars(select(Patient)).all()
    with pytest.raises(CannotOpen), records.read() as session:
        session.scalars(select(Alert)).all()


def test_a_name_that_was_moved_into_a_note_does_not_open(either_house: House) -> None:
    """Who can write to the file could otherwise have a nurse's screen read secrets out."""
    fill(either_house)
    table = Base.metadata.tables["patient"]
    with records.read() as session:
        name = session.scalar(select(Column("name", LargeBinary)).select_from(table))
    records.write(None, lambda session: session.execute(text("UPDATE note SET text = :name"), {"name": name}))

    with pytest.raises(CannotOpen), records.read() as session:
        session.scalars(select(Note)).all()


def test_a_sealed_column_cannot_be_searched_but_its_blind_index_can(either_house: House) -> None:
    fill(either_house)
    hospital_id = either_house.hospital().id
    exact = blind(str(hospital_id), "Sankt-Nirgendwo", "PID-90210-XQ")

    with records.read() as session:
        assert session.scalar(select(Patient.id).where(Patient.name == "Zwiebelfisch, Ottokar")) is None
        assert session.scalar(select(Patient.id).where(Patient.identifier_index == exact)) is not None


def test_changing_a_value_seals_it_anew(either_house: House) -> None:
    fill(either_house)
    raw = text("SELECT name FROM patient")
    with records.read() as session:
        before = bytes(session.scalar(raw))
    records.write(None, lambda session: session.execute(update(Patient).values(name="Zwiebelfisch, Ottokar")))
    with records.read() as session:
        after = bytes(session.scalar(raw))

    assert before != after
    assert unseal(before) == unseal(after)


# ---- Indexes, digests and keys


def test_the_same_parts_give_the_same_index() -> None:
    assert blind("1", "Ward", "4711") == blind("1", "Ward", "4711")
    assert len(blind("1", "Ward", "4711")) == 64


@pytest.mark.parametrize(
    "other",
    [("2", "Ward", "4711"), ("1", "ward", "4711"), ("1", "Ward", "4711 "), ("1", "Ward", "471"), ("1", "4711", "Ward")]
    + [
        ("1", "Ward4711"),
        ("1Ward", "4711"),
        ("1", "Ward\x1f4711"),
        ("1", "Ward", "", "4711"),
        ("1", "Ward", "4711", ""),
    ]
    + [("1", 'Ward", "4711'), ("1", "Wärd", "4711"), ("1", "W\\u00e4rd", "4711")],
    ids=repr,
)
def test_other_parts_give_another_index(other: tuple[str, ...]) -> None:
    assert blind(*other) != blind("1", "Ward", "4711")


def test_an_index_or_a_digest_says_nothing_without_the_key() -> None:
    index, digest = blind("1", "Ward", "4711"), keyed_digest("SpO2 low")
    use_secret("another")

    assert blind("1", "Ward", "4711") != index
    assert keyed_digest("SpO2 low") != digest


def test_index_and_digest_have_keys_of_their_own() -> None:
    assert blind("x") != keyed_digest("x") != keyed_digest('["x"]')
    assert blind("x") != keyed_digest('["x"]')


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = [derive("for tests", purpose) for purpose in ("seal", "blind index", "journal digest", "forms")]

    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}
    assert derive("for tests", "seal") == keys[0] != derive("another", "seal")


def test_the_secret_of_a_filled_database_always_opens_it() -> None:
    """What was sealed by an earlier version: these bytes must open for ever."""
    use_secret("a secret that was chosen long ago")

    assert unseal(OLD_NAME) == "Testmann, Tilda"
    assert blind("1", "Ward", "4711") == OLD_INDEX
    assert keyed_digest("SpO2 low") == OLD_DIGEST


OLD_NAME = bytes.fromhex("01bdc3e501afc309b9b5a6a541d13f8d468db8c46817e1f397d7c68ea7067002c5c97ab82f702f403da74c47")
OLD_INDEX = "0b800b1ec00f5ebaf97fe356e93fdd7ac8f6b89065940842308988b0ee5ed8e3"
OLD_DIGEST = "10f714e775f8c9ab644ebb3bb36498220b28d57a6a583ba7509d2dc22749e43b"


def test_a_message_that_was_refused_is_sealed_too(house: House) -> None:
    house.take(
        alarm(patient="PID-90210-XQ^^^Sankt-Nirgendwo", text="Oxygen saturation plummets").replace(b"OBR|", b"ZZZ|")
    )

    with records.read() as session:
        raw, reason = session.execute(text("SELECT raw, reason FROM message")).one()
        assert "PID-90210-XQ" in session.scalars(select(Message)).one().raw
    assert b"PID-90210-XQ" not in raw
    assert "PID-90210-XQ" not in reason


def test_a_patient_is_met_again_though_nothing_can_be_read(house: House) -> None:
    ward = Ward(house)
    subject = Subject("PID-90210-XQ", "Sankt-Nirgendwo", "Zwiebelfisch, Ottokar", date(1943, 5, 17), "M")
    first = ward.alert(ward.alarm(alert_id="A1", patient=subject)).patient_id

    assert ward.alert(ward.alarm(alert_id="A2", patient=subject)).patient_id == first


def _found(secret: str, data: bytes) -> list[str]:
    """In which encodings the secret can be found."""
    lower = data.lower()
    spelled = {
        "as it is": secret.encode().lower(),
        "UTF-16": secret.encode("utf-16-le").lower(),
        "hex": secret.encode().hex().encode(),
    }
    return [how for how, needle in spelled.items() if needle in lower]


def _checkpoint(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
