"""The commands of `flask --app app`, as an administrator types them: in a process of their own."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.support.house import House
from tests.support.server import Server
from tests.support.sse import Stream, greeted, sign_in, until

ROOT = Path(__file__).parents[2]


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
