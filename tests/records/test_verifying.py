"""Whatever is changed, removed, put elsewhere or cut off: the first line that is not as it was written is named."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from hospital import clock, records
from hospital.records import AuditLine, Hospital, JournalLine, anchoring, audit, sealed
from hospital.records.audit import NOBODYS, Trace
from hospital.records.rotating import rotate
from hospital.records.verifying import verify
from tests.alerts.ward import Ward
from tests.support.house import House


@pytest.fixture
def kept(either_house: House, tmp_path: Path) -> Iterator[House]:
    """Five lines in each chain of `demo`, one in the others, and anchors at a place of their own."""
    fill(either_house, tmp_path)
    yield either_house
    sealed.use_secret("for tests")


@pytest.fixture
def kept_in_sqlite(house: House, tmp_path: Path) -> House:
    """The same, where each value is text, a number or bytes."""
    fill(house, tmp_path)
    return house


def fill(house: House, folder: Path) -> None:
    anchoring.use_file(folder / "anchors")
    ward = Ward(house)
    alert_id = ward.alarm()
    ward.acknowledge("nurse", alert_id)
    for words in ("Seen.", "Seen again.", "Called."):
        ward.note("nurse", alert_id, words)
    ward.alarm(gateway="demo-b", bed="MED-99")
    for n in range(5):
        audit.leave(Trace(1, "look", f"alert:{n}", 200, person_id=1, detail=json.dumps({"address": f"192.0.2.{n}"})))
    audit.leave(Trace(2, "look", "alerts", 200))
    audit.leave(Trace(NOBODYS, "refused", "/alerts", 401))


def found() -> dict[str, str]:
    """What is broken, by hospital and chain."""
    told = [one for one in anchoring.anchors() if one.proved is not False]
    return {f"{one.hospital} {one.chain}".strip(): one.broken for one in verify(told) if one.broken}


def change(*statements: str) -> None:
    """As somebody does who can write to the database and has not the keys."""

    def act(session: records.database.Session) -> None:
        for statement in statements:
            session.execute(text(statement))

    records.write(None, act)


def chain_anew(table: type[JournalLine] | type[AuditLine]) -> None:
    """All the hashes of `demo` are made anew, so that they fit together: that needs no key."""
    hash_of = records.journal.line_hash if table is JournalLine else audit.line_hash

    def act(session: records.database.Session) -> None:
        before, number = "", 0
        for line in session.scalars(select(table).where(table.hospital_id == 1).order_by(table.number)):
            line.hash = hash_of(before, line)  # type: ignore[operator]
            before, number = line.hash, line.number
        if table is JournalLine:
            hospital = session.get_one(Hospital, 1)
            hospital.head, hospital.last_hash = number, before
        else:
            head = session.get_one(audit.AuditHead, 1)
            head.number, head.hash = number, before

    records.write(None, act)


def test_what_nobody_touched_is_whole(kept: House) -> None:
    anchoring.anchor()

    assert [(one.hospital, one.chain, one.lines, one.broken) for one in verify(anchoring.anchors())] == [
        ("demo", "journal", 5, ""),
        ("demo", "audit", 5, ""),
        ("demo-b", "journal", 1, ""),
        ("demo-b", "audit", 1, ""),
        ("", "audit", 1, ""),
    ]


JOURNAL = [
    "person_id = 2",
    "happening = 'raised'",
    "happening = 'nonsense'",
    "alert_id = 2",
    "unit_after = 2",
    "at = '2026-11-22 12:00:00.000001'",
    "text_digest = 'x'",
    "text_digest = NULL",
    "hash = '0'",
]


@pytest.mark.parametrize("what", JOURNAL)
def test_a_changed_line_of_the_journal_is_named(kept: House, what: str) -> None:
    change(f"UPDATE journal SET {what} WHERE hospital_id = 1 AND number = 3")

    assert found() == {"demo journal": "line 3 is not what was written"}


def test_one_letter_in_a_line_s_facts_is_found(kept: House) -> None:
    change(
        "UPDATE journal SET facts = replace(CAST(facts AS text), 'acknowledged', 'acknowledgee') WHERE number = 4"
        if kept.settings.database_url == ""
        else "UPDATE journal SET facts = replace(facts::text, 'acknowledged', 'acknowledgee')::json WHERE number = 4"
    )

    assert found() == {"demo journal": "line 4 is not what was written"}


AUDIT = ["person_id = 2", "object = 'alert:9'", "act = 'glance'", "outcome = 403", "scope = '1'", "detail_digest = 'x'"]


@pytest.mark.parametrize("what", AUDIT)
def test_a_changed_line_of_the_audit_is_named(kept: House, what: str) -> None:
    change(f"UPDATE audit_line SET {what} WHERE hospital_id = 1 AND number = 2")

    assert found() == {"demo audit": "line 2 is not what was written"}


@pytest.mark.parametrize(("table", "chain"), [("journal", "journal"), ("audit_line", "audit")])
def test_a_removed_line_is_named(kept: House, table: str, chain: str) -> None:
    change(f"DELETE FROM {table} WHERE hospital_id = 1 AND number = 3")

    assert found() == {f"demo {chain}": "line 3 is missing"}


CHAINS = {"journal": "demo journal", "audit_line": "demo audit"}


class Thief:
    """Has the file of the database, and none of its rules: what each act has changed is put back at its end."""

    def __init__(self, file: Path, table: str) -> None:
        self._file, self.table = file, table

    @contextmanager
    def does(self, statement: str, *values: Any) -> Iterator[None]:
        with closing(sqlite3.connect(self._file, isolation_level=None)) as database:
            rows = database.execute(f"SELECT * FROM {self.table}").fetchall()
            assert database.execute(statement, values).rowcount == 1
            yield
            database.execute(f"DELETE FROM {self.table}")
            database.executemany(f"INSERT INTO {self.table} VALUES ({', '.join('?' for _ in rows[0])})", rows)

    def row(self, number: int) -> dict[str, Any]:
        with closing(sqlite3.connect(self._file)) as database:
            database.row_factory = sqlite3.Row
            query = f"SELECT * FROM {self.table} WHERE hospital_id = 1 AND number = {number}"
            return dict(database.execute(query).fetchone())


@pytest.fixture(params=CHAINS)
def thief(request: pytest.FixtureRequest, kept_in_sqlite: House) -> Thief:
    return Thief(kept_in_sqlite.settings.instance / "hospital.db", request.param)


def test_whichever_line_is_removed_it_is_named(thief: Thief) -> None:
    for number in range(1, 6):
        with thief.does(f"DELETE FROM {thief.table} WHERE hospital_id = 1 AND number = {number}"):
            assert found()[CHAINS[thief.table]].startswith(f"line {number} is missing")
    assert found() == {}


def test_whichever_byte_of_whichever_line_is_changed_it_is_named(thief: Thief) -> None:
    """Every column of every line, each at a place taken by chance; the same places each time."""
    chance, changed = random.Random(thief.table), 0
    for number in range(1, 6):
        cells = [cell for cell in thief.row(number).items() if cell[1] not in (None, "")]
        for column, value in [cell for cell in cells if cell[0] not in ("hospital_id", "number")]:
            other = with_another_byte(value, chance)
            where = f"WHERE hospital_id = 1 AND number = {number}"
            with thief.does(f"UPDATE {thief.table} SET {column} = ? {where}", other):
                told = found().get(CHAINS[thief.table], "")
            assert f"line {number} is not what was written" in told, (column, value, other, told)
            changed += 1
    assert changed > 30
    assert found() == {}


def with_another_byte(value: Any, chance: random.Random) -> Any:
    """In a text a letter or digit: '2026-11-22 12:00' is the same time with anything in its middle."""
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 10])
    data = bytearray(value if isinstance(value, bytes) else value.encode())
    letters = [n for n, byte in enumerate(data) if isinstance(value, bytes) or chr(byte).isalnum()]
    data[chance.choice(letters)] ^= 1
    return bytes(data) if isinstance(value, bytes) else data.decode()


@pytest.mark.parametrize(("table", "chain"), [("journal", "journal"), ("audit_line", "audit")])
def test_two_lines_that_changed_places_are_named(kept: House, table: str, chain: str) -> None:
    where = "WHERE hospital_id = 1 AND number ="
    change(*(f"UPDATE {table} SET number = {to} {where} {of}" for of, to in ((2, 99), (3, 2), (99, 3))))

    assert found() == {f"demo {chain}": "line 2 is not what was written"}


@pytest.mark.parametrize(("table", "chain"), [("journal", "journal"), ("audit_line", "audit")])
def test_a_cut_tail_is_told_by_the_head(kept: House, table: str, chain: str) -> None:
    change(f"DELETE FROM {table} WHERE hospital_id = 1 AND number > 3")

    assert found() == {f"demo {chain}": "line 4 is missing: the chain ends at 3, its head says 5"}


def test_a_line_that_was_put_behind_the_head_is_found(kept: House) -> None:
    cells = "at, act, object, outcome, scope, hash FROM audit_line WHERE hospital_id = 1 AND number = 5"
    change(f"INSERT INTO audit_line (hospital_id, number, at, act, object, outcome, scope, hash) SELECT 1, 6, {cells}")

    assert found() == {"demo audit": "line 6 is not what was written"}


# ---- Texts


def test_a_note_whose_words_were_changed_is_named_by_its_line(kept: House) -> None:
    change("UPDATE note SET text = (SELECT text FROM note WHERE number = 5) WHERE number = 3")

    assert found() == {"demo journal": "the text of line 3 is not what was written"}


def test_a_note_that_was_removed_or_cannot_be_opened_is_named(kept: House) -> None:
    change("DELETE FROM note WHERE number = 5")
    assert found() == {"demo journal": "the text of line 5 is not what was written"}
    change("UPDATE note SET text = (SELECT name FROM patient LIMIT 1) WHERE number = 4")
    assert found() == {"demo journal": "the text of line 4 is not what was written"}


def test_an_address_that_was_exchanged_for_another_is_named(kept: House) -> None:
    change(
        "UPDATE audit_line SET detail = "
        "(SELECT detail FROM audit_line WHERE number = 1 AND hospital_id = 1) WHERE number = 4"
    )

    assert found() == {"demo audit": "the text of line 4 is not what was written"}


def test_after_the_keys_were_changed_everything_still_verifies(kept: House) -> None:
    anchoring.anchor()
    sealed.use_ring(lambda: {1: "for tests", 2: "the second"})
    rotate(lambda *_: None)
    anchoring.anchor()
    sealed.use_ring(lambda: {2: "the second"})

    assert found() == {}
    assert [one.proved for one in anchoring.anchors()] == [None] * 3 + [True] * 3
    change("UPDATE note SET text = (SELECT text FROM note WHERE number = 5) WHERE number = 3")
    assert found() == {"demo journal": "the text of line 3 is not what was written"}


# ---- Anchors: against those who can make every hash anew


def test_without_an_anchor_a_chain_that_was_made_anew_looks_whole(kept: House) -> None:
    """What the anchors are for."""
    change("DELETE FROM audit_line WHERE hospital_id = 1 AND number > 3")
    chain_anew(AuditLine)

    assert found() == {}


@pytest.mark.parametrize(("table", "chain"), [(JournalLine, "journal"), (AuditLine, "audit")])
def test_a_tail_that_was_cut_with_its_head_shows_by_the_anchor(kept: House, table: type, chain: str) -> None:
    anchoring.anchor()
    change(f"DELETE FROM {table.__tablename__} WHERE hospital_id = 1 AND number > 3")
    chain_anew(table)

    at = anchoring.anchors()[0].at
    assert found() == {f"demo {chain}": f"line 4 is missing: the chain ends at 3, the anchor of {at} has seen 5"}


@pytest.mark.parametrize(("table", "chain"), [(JournalLine, "journal"), (AuditLine, "audit")])
def test_a_chain_that_was_made_anew_shows_by_the_anchor(kept: House, table: type, chain: str) -> None:
    anchoring.anchor()
    change(f"UPDATE {table.__tablename__} SET person_id = 2 WHERE hospital_id = 1 AND number = 2")
    chain_anew(table)

    broken = found()[f"demo {chain}"]
    assert broken.startswith("line 5, or one before it, was written anew: the anchor of ")


def test_an_anchor_of_one_hospital_says_nothing_of_another(kept: House) -> None:
    anchoring.anchor()
    audit.leave(Trace(2, "look", "alerts", 200))
    clock.turn(by=clock.timedelta(hours=1))
    anchoring.anchor()

    assert found() == {}
    assert [one.hospital for one in anchoring.anchors()] == ["demo", "demo-b", ""] * 2


def test_a_forged_or_changed_anchor_is_not_proved(kept: House, tmp_path: Path) -> None:
    anchoring.anchor()
    lines = (tmp_path / "anchors").read_text().splitlines()
    changed = [lines[0].replace('"journal": [5', '"journal": [3'), "nonsense", '{"mac": 1}', "[]", *lines]
    (tmp_path / "anchors").write_text("\n".join(changed))

    assert [one.proved for one in anchoring.anchors()] == [False] * 4 + [True] * 3
    assert lines[0] != changed[0]


def test_an_anchor_holds_hospital_codes_numbers_and_hashes_alone(kept: House, tmp_path: Path) -> None:
    anchoring.anchor()

    first = json.loads((tmp_path / "anchors").read_text().splitlines()[0])
    assert set(first) == {"at", "hospital", "epoch", "journal", "audit", "key", "mac"}
    hospital = kept.hospital()
    assert first["journal"] == [hospital.head, hospital.last_hash]


def test_long_chains_are_read_in_pages(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.records.verifying._AT_ONCE", 2)
    assert found() == {}
    change("UPDATE journal SET happening = 'nonsense' WHERE hospital_id = 1 AND number = 4")
    assert found() == {"demo journal": "line 4 is not what was written"}
