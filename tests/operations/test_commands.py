"""The commands of `flask --app app`, as an administrator types them: in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hospital import records
from hospital.access.tokens import token_hash
from hospital.records import Sender
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House

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
