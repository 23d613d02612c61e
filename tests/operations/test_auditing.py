"""`flask --app app audit …` and `keys …`, as an administrator types them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text

from hospital import background, records
from hospital.records import anchoring, audit, sealed
from hospital.records.audit import Trace
from tests.access.strangers import new_token
from tests.support.house import House

FORMULAS = ['=HYPERLINK("https://evil.example")', "+1", "-1", "@SUM(A1)", "\t=1"]


@pytest.fixture(autouse=True)
def the_key_of_the_house() -> Iterator[None]:
    yield
    sealed.use_secret("for tests")


def flask(house: House, *words: str) -> Result:
    return house.app.test_cli_runner().invoke(args=list(words), catch_exceptions=False)


def exported(house: House) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(flask(house, "audit", "export", "--hospital", "demo").stdout)))


# ---- Verify


def test_what_is_whole_is_told_with_its_length_and_ends_well(house: House) -> None:
    house.raise_alarm()
    house.visitor("nurse").get("/patients")
    background.anchoring.anchor()

    done = flask(house, "audit", "verify")

    assert done.exit_code == 0
    told = done.stdout.splitlines()
    assert told[0] == "demo journal: whole, 1 lines"
    assert re.fullmatch("demo audit: whole, [1-9] lines", told[1])
    assert [line.partition(":")[0] for line in told] == [
        "demo journal", "demo audit", "demo-b journal", "demo-b audit", "nobody audit", "anchors",
    ]  # fmt: skip
    assert told[-1] == "anchors: 3"


def test_what_is_broken_is_named_and_ends_badly(house: House) -> None:
    house.raise_alarm()
    records.write(None, lambda session: session.execute(text("UPDATE journal SET person_id = 1")))

    done = flask(house, "audit", "verify")

    assert done.exit_code == 1
    assert "demo journal: line 1 is not what was written" in done.stdout.splitlines()


def test_without_anchors_it_says_what_it_cannot_know(house: House) -> None:
    done = flask(house, "audit", "verify")

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0, "anchors: none. A chain whose tail was cut with its head looks whole.",
    )  # fmt: skip


def test_a_forged_anchor_ends_badly(house: House) -> None:
    anchoring.anchor()
    file = house.settings.instance / "anchors.log"
    file.write_text(file.read_text().replace('"key": 1', '"key": 1 ', 1).replace("demo-b", "demo-c"))

    done = flask(house, "audit", "verify")

    assert done.exit_code == 1
    assert "anchors: line 2 was changed or was not written by this server" in done.stdout


def test_anchors_are_dropped_each_hour_by_themselves() -> None:
    (task,) = (task for task in background.TASKS if task.run is anchoring.anchor)
    assert task.every_s == 3600


# ---- Export


def test_the_export_holds_every_line_and_itself_and_names_staff(house: House) -> None:
    house.visitor("nurse").get("/board")

    rows = exported(house)

    assert [int(row["number"]) for row in rows] == list(range(1, len(rows) + 1))
    assert [(row["person"], row["act"], row["object"], row["units"]) for row in rows[-2:]] == [
        ("Amara N.", "look", "/board", "MED"),
        ("", "export", "audit", ""),
    ]
    assert rows[0]["address"] == "127.0.0.1"


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula_for_a_spreadsheet(house: House, formula: str) -> None:
    audit.leave(Trace(1, formula[:40], formula, detail=json.dumps({"reason": formula, "address": formula})))

    row = exported(house)[0]

    assert (row["object"], row["reason"], row["address"]) == (f"'{formula}",) * 3
    assert row["act"] == f"'{formula[:40]}"


def test_lines_of_another_hospital_are_not_exported(house: House) -> None:
    house.visitor("nurse-b").get("/board")
    assert [row["act"] for row in exported(house)] == ["export"]


def test_an_export_of_a_hospital_that_nobody_knows_is_refused(house: House) -> None:
    done = flask(house, "audit", "export", "--hospital", "nowhere")
    assert (done.exit_code, done.stderr.strip()) == (1, "Error: There is no hospital 'nowhere'.")


def test_a_line_whose_detail_was_changed_does_not_hide_the_others(house: House) -> None:
    for n in range(3):
        audit.leave(Trace(1, "look", f"alert:{n}", 200, detail='{"address": "::1"}'))
    records.write(
        None, lambda session: session.execute(text("UPDATE audit_line SET detail = x'0102' WHERE number = 2"))
    )

    assert [(row["object"], row["reason"]) for row in exported(house)][:3] == [
        ("alert:0", ""), ("alert:1", "(changed: run audit verify)"), ("alert:2", ""),
    ]  # fmt: skip


# ---- What administrators do by command


def test_tokens_epochs_and_keys_leave_a_line_each(house: House, tmp_path: Path) -> None:
    new_token(house)
    flask(house, "epoch", "new", "--hospital", "demo")
    flask(house, "keys", "rotate")

    assert [(row["act"], row["object"].partition(":")[0], row["person"]) for row in exported(house)][:2] == [
        ("tokens create", "sender", "Test program"), ("epoch new", "epoch", ""),
    ]  # fmt: skip
    with records.read() as session:
        assert session.get_one(audit.AuditLine, (0, 1)).act == "keys rotate"
    assert flask(house, "audit", "verify").exit_code == 0


def test_a_new_key_without_a_file_is_printed_as_a_line(house: House) -> None:
    told = flask(house, "keys", "new").stdout.splitlines()
    assert re.fullmatch(r"2:[\w-]{43}", told[1])


def test_the_list_of_keys_counts_what_lies_under_each_and_shows_no_secret(house: House) -> None:
    house.raise_alarm()
    sealed.use_ring(lambda: {1: "for tests", 2: "the second"})
    before = flask(house, "keys", "list").stdout.splitlines()
    flask(house, "keys", "rotate")
    after = flask(house, "keys", "list").stdout.splitlines()

    assert re.fullmatch(r"key 1: current, in the ring, [1-9]\d* values", before[0])
    assert before[1] == "key 2: not used yet, in the ring, 0 values"
    assert re.fullmatch(r"key 1: retired \d{4}-\d\d-\d\d, in the ring, 0 values", after[0])
    assert re.fullmatch(r"key 2: current, in the ring, [1-9]\d* values", after[1])
    assert "for tests" not in str(before + after)
