"""The commands of `flask --app app`, as an administrator types them: in a process of their own."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hospital import records
from hospital.access.tokens import token_hash
from hospital.records import Sender
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.server import Server
from tests.support.sse import Stream, greeted, sign_in, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def flask(house: House, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs `flask --app app …` on the database of the house."""

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSPITAL_")}
        mine = {"HOSPITAL_INSTANCE": str(tmp_path), "HOSPITAL_SECRET_KEY": "for tests"}
        command = [sys.executable, "-m", "flask", "--app", "app", *words]
        return subprocess.run(command, cwd=ROOT, env=kept | mine, capture_output=True, text=True, timeout=60)

    return run


def test_a_token_is_the_last_word_and_works_at_once(house: House, flask) -> None:  # type: ignore[no-untyped-def]
    done = flask("tokens", "create", "--hospital", "demo", "--sender", "Ward gateway")
    assert (done.returncode, done.stderr) == (0, "")
    token = done.stdout.split()[-1]
    assert len(token) >= 43

    answer = _send(house, token)
    assert answer.status_code == 202
    assert house.alert(answer.json["alerts"][0]).sender_id == _sender("Ward gateway").id


def test_for_a_hospital_that_nobody_knows_there_is_a_sentence_and_no_token(house: House, flask) -> None:  # type: ignore[no-untyped-def]
    done = flask("tokens", "create", "--hospital", "nowhere", "--sender", "X")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.strip() == "Error: There is no hospital 'nowhere'."
    with records.read() as session:
        assert session.scalars(select(Sender)).all() == []


def test_what_is_left_out_is_asked_for(house: House) -> None:
    for words in (["--hospital", "demo"], ["--sender", "X"]):
        done = house.app.test_cli_runner().invoke(args=["tokens", "create", *words])
        assert done.exit_code == 2
        assert "Missing option" in done.output


def test_only_the_hash_of_a_token_is_stored(house: House) -> None:
    token = new_token(house)
    assert _sender("Test program").token_hash == token_hash(token)
    with records.read() as session:
        assert token not in str(session.execute(text("SELECT * FROM sender")).all())


def test_a_sender_that_gets_a_new_token_loses_the_old_one_and_stays_who_it_is(house: House) -> None:
    old = new_token(house)
    sender_id = _sender("Test program").id
    new = new_token(house)
    assert _sender("Test program").id == sender_id
    assert _send(house, old).status_code == 401
    assert _send(house, new).status_code == 202


def test_a_sender_of_the_same_name_in_another_hospital_is_another(house: House) -> None:
    ours, theirs = new_token(house, "demo"), new_token(house, "demo-b")
    for token, hospital in ((ours, "demo"), (theirs, "demo-b")):
        answer = _send(house, token)
        assert house.alert(answer.json["alerts"][0]).hospital_id == house.hospital(hospital).id


def test_a_token_of_a_hospital_makes_no_sender_of_another(house: House) -> None:
    new_token(house, "demo-b")
    with records.read() as session:
        (sender,) = session.scalars(select(Sender)).all()
    assert sender.hospital_id == house.hospital("demo-b").id


def _send(house: House, token: str):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "x-application/hl7-v2+er7"}
    return house.visitor().client.post("/api/v1/hl7", data=alarm(), headers=headers)


def _sender(name: str) -> Sender:
    with records.read() as session:
        return session.scalars(select(Sender).where(Sender.name == name)).one()


# ---- Epochs ----------------------------------------------------------------------------------------------------------


def test_a_new_epoch_changes_the_head_row_of_that_hospital_and_nothing_else(house: House, flask) -> None:  # type: ignore[no-untyped-def]
    house.raise_alarm()
    before, theirs, lines = house.hospital(), house.hospital("demo-b"), len(house.journal())
    done = flask("epoch", "new", "--hospital", "demo")
    after = house.hospital()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[-1] == after.epoch != before.epoch
    assert (after.head, after.last_hash, len(house.journal())) == (before.head, before.last_hash, lines)
    assert house.hospital("demo-b").epoch == theirs.epoch


def test_all_hospitals_can_begin_anew_together(house: House, flask) -> None:  # type: ignore[no-untyped-def]
    before = {code: house.hospital(code).epoch for code in ("demo", "demo-b")}
    assert flask("epoch", "new", "--all").returncode == 0
    assert all(house.hospital(code).epoch != word for code, word in before.items())


def test_an_epoch_that_cannot_be_changed_is_refused_with_a_sentence(house: House, flask) -> None:  # type: ignore[no-untyped-def]
    before = house.hospital().epoch
    for words, sentence in (
        (("--hospital", "nowhere"), "There is no hospital 'nowhere'."),
        ((), "Say either --hospital CODE or --all."),
        (("--hospital", "demo", "--all"), "Say either --hospital CODE or --all."),
    ):
        done = flask("epoch", "new", *words)
        assert done.returncode != 0 and sentence in done.stderr
    assert house.hospital().epoch == before


def test_an_epoch_is_not_changed_while_another_process_holds_the_database(
    house: House,
    flask,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    before = house.hospital().epoch
    with closing(sqlite3.connect(tmp_path / "hospital.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        done = flask("epoch", "new", "--hospital", "demo")
    assert done.returncode == 1
    assert "The epoch of demo could not be changed (database is locked). Try again." in done.stderr
    assert house.hospital().epoch == before


def test_the_screens_of_a_running_server_begin_anew_by_themselves(server: Server) -> None:
    stream = Stream(server.port, sign_in(server.port, "nurse").cookie)
    greeted(stream)
    command = [sys.executable, "-m", "flask", "--app", "app", "epoch", "new", "--all"]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    until(lambda: stream.named("resync"), stream)
    (resync,) = stream.named("resync")
    assert json.loads(resync.data) == {"why": "another epoch"}
    assert f"begin anew at {str(resync.id).partition('-')[0]}" in done.stdout
