"""Keys are changed while a hospital works: no alarm is refused, no page fails, a kill -9 is harmless."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, create_engine, func, select, text, type_coerce

from hospital.records.key_register import sealed_columns
from tests.support.alarms import alarm
from tests.support.postgres import Postgres
from tests.support.server import ROOT, Server
from tests.support.web import Web

MESSAGES = 500  # several batches
pytestmark = pytest.mark.timeout(300)  # two commands start while a ward works: on a busy machine that takes its time


@pytest.fixture(params=["sqlite", "postgresql"])
def ringed(request: pytest.FixtureRequest, new_server: Callable[..., Server], tmp_path: Path) -> Iterator[Server]:
    """A server with its keys in a file, on each database in turn."""
    ring = tmp_path / "ring"
    ring.write_text("1:for tests\n")
    keys = {"HOSPITAL_SECRET_KEY": "", "HOSPITAL_KEY_FILE": str(ring)}
    if request.param == "sqlite":
        yield new_server(**keys)
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database(like=request.getfixturevalue("furnished_postgres"))
    yield (started := new_server(HOSPITAL_DATABASE_URL=url, **keys))
    started.stop()
    server.drop_database(url)


def of_a_patient(alert_id: str, number: int) -> bytes:
    return alarm(alert_id=alert_id, patient=f"{number % 5}^^^Ward||Lindqvist^Ole")


class Ward:
    """A gateway that sends and a nurse who looks, until told to stop; `troubles` is what went wrong for them."""

    def __init__(self, server: Server) -> None:
        self.server, self.troubles, self.sent, self.looks = server, [], 0, 0
        self._over = threading.Event()
        self._hands = [threading.Thread(target=self._until_over, args=(what,)) for what in (self._send, self._look)]

    def __enter__(self) -> "Ward":
        self._gateway, self._web = self.server.gateway(), Web(self.server, "nurse")
        for hand in self._hands:
            hand.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for hand in self._hands:
            hand.join()
        self._gateway.close()

    def _until_over(self, what: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                what()
            except Exception as trouble:
                self.troubles.append(repr(trouble))
                return

    def _send(self) -> None:
        self.sent += 1
        answer = self._gateway.send(of_a_patient(f"L{self.sent % 7}", self.sent))
        assert b"MSA|CA" in answer, answer

    def _look(self) -> None:
        self.looks += 1
        assert "Lindqvist" in self._web.get("/alerts") or self.looks < 5


def flask(server: Server, *words: str, kill_at: str = "") -> str:
    """`flask --app app …` with the server's settings; killed as soon as it prints a line that begins so."""
    command = [sys.executable, "-u", "-m", "flask", "--app", "app", *words]
    told = ""
    with subprocess.Popen(
        command, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told += line
            if kill_at and line.startswith(kill_at):
                process.kill()
                return told
    assert process.returncode == 0, told
    return told


def keys_at_rest(server: Server) -> dict[bytes, int]:
    """How many values lie under each key, straight from the database."""
    url = server.environment.get("HOSPITAL_DATABASE_URL") or f"sqlite:///{server.folder / 'hospital.db'}"
    engine, counts = create_engine(url), {}
    with engine.connect() as connection:
        for model, names in sealed_columns().items():
            for name in names:
                column = type_coerce(model.__table__.c[name], LargeBinary)
                first = func.substr(column, 1, 1, type_=LargeBinary)
                query = select(first, func.count()).where(column.is_not(None)).group_by(first)
                for byte, count in connection.execute(query):
                    counts[bytes(byte)] = counts.get(bytes(byte), 0) + count
        patients = connection.execute(text("SELECT count(*) FROM patient")).scalar_one()
    engine.dispose()
    return counts | {b"patients": patients}


@pytest.mark.slow
def test_keys_are_changed_while_alarms_come_and_the_change_survives_a_kill(ringed: Server) -> None:
    with closing(ringed.gateway()) as gateway:
        for number in range(MESSAGES):
            gateway.send(of_a_patient(f"E{number % 50}", number))
    assert "Nothing is sealed with it until you run" in flask(ringed, "keys", "new")

    with Ward(ringed) as ward:
        flask(ringed, "keys", "rotate", kill_at="message: 200 of")
        between = keys_at_rest(ringed)
        told = flask(ringed, "keys", "rotate")

    assert between[b"\x01"] and between[b"\x02"], "it was killed in the middle"
    assert ward.troubles == []
    assert ward.sent > 20 and ward.looks > 5
    after = keys_at_rest(ringed)
    assert b"\x01" not in after and after[b"\x02"] > MESSAGES
    assert after[b"patients"] == 5
    assert "Everything lies under key 2. Other keys may leave the ring." in told
    assert "key 2: current, in the ring" in flask(ringed, "keys", "list")


@pytest.mark.slow
def test_without_a_key_that_is_needed_the_server_does_not_start_and_says_so(ringed: Server, tmp_path: Path) -> None:
    flask(ringed, "keys", "new")
    flask(ringed, "keys", "rotate")
    ringed.stop()
    (tmp_path / "ring").write_text("1:for tests\n")

    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=ringed.environment, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Hospital alerts cannot start: Key 2 is missing. ")
    assert "Traceback" not in done.stderr
