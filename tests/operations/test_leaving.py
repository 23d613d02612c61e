"""A process that is asked to go: screens are told and spread, what is in work is answered, and it ends well."""

import http.client
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.alarms import alarm
from tests.support.crowd import Crowd
from tests.support.postgres import Postgres
from tests.support.screen import Screen, Seat
from tests.support.server import EMBEDDED, GUNICORN, Server
from tests.support.sse import Stream, greeted, opened, sign_in, until
from tests.support.websocket import Socket

NewServer = Callable[..., Server]
WINDOW_S = 4.0
SCREENS = 200
TIMEOUT_S = "12"  # after which gunicorn kills a worker that stands still; starting must take less

either_server = pytest.mark.parametrize("command", [EMBEDDED, GUNICORN], ids=["embedded", "gunicorn"])


@either_server
def test_every_screen_is_told_and_their_ends_are_spread_over_the_window(
    new_server: NewServer, command: tuple[str, ...]
) -> None:
    server = new_server(
        command=command, HOSPITAL_DRAIN_WINDOW_S=str(WINDOW_S), HOSPITAL_STREAMS_PER_PERSON=str(SCREENS + 2)
    )
    cookie = sign_in(server.port, "nurse").cookie
    streams = opened(server.port, [cookie] * SCREENS)
    socket = Socket(server.port, cookie)
    until(lambda: socket.named("hello"), socket)
    ends: dict[Stream, float] = {}

    server.signal(signal.SIGTERM)
    until(lambda: all(stream.named("drain") for stream in streams), *streams)
    ready, refused = _ask(server, "/health/ready"), _ask(server, "/live/stream?view=alerts", cookie)
    answer = server.send(alarm())
    until(lambda: _note_ends(streams, ends) == SCREENS and socket.over, *streams, socket)

    assert {stream.named("drain")[0].data for stream in streams} == {'{"within_s": 4.0}'}
    assert (len(socket.named("drain")), socket.code) == (1, 1012), "a WebSocket hears that it is a restart"
    assert ready.status == 503
    assert (refused.status, refused.headers["Retry-After"], refused.headers["Connection"]) == (503, "1", "close")
    assert b"MSA|AA" in answer or b"MSA|CA" in answer
    last = max(streams, key=lambda stream: ends[stream])
    assert last.named("frame"), "news came until the end"
    in_order = sorted(ends.values())
    assert in_order[-1] - in_order[0] >= WINDOW_S / 2
    assert max(_within(in_order, WINDOW_S / 10)) <= SCREENS / 2, "they did not end at the same instant"
    assert server.ended() == 0
    _nothing_went_wrong(server)


@pytest.mark.parametrize(
    ("command", "number"),
    [(EMBEDDED, signal.SIGTERM), (EMBEDDED, signal.SIGINT), (GUNICORN, signal.SIGTERM)],
    ids=["embedded-SIGTERM", "embedded-SIGINT", "gunicorn-SIGTERM"],
)
def test_an_act_and_a_message_in_work_are_answered_before_it_ends(
    new_server: NewServer, command: tuple[str, ...], number: signal.Signals
) -> None:
    server = new_server(command=command)
    nurse, gateway = sign_in(server.port, "nurse"), server.gateway()
    gateway.send(alarm(alert_id="A1"))
    token = nurse.csrf_token()

    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with _database_locked(server) as lock, closing(line):
        headers = {"Cookie": f"session={nurse.cookie}", "Accept": "application/json", "X-CSRF-Token": token}
        line.request("POST", "/alerts/1/acknowledgement", headers=headers)
        gateway.write(b"\x0b" + alarm(alert_id="A2", bed="MED^^MED-08") + b"\x1c\x0d")
        assert _ask(server, "/health/ready").status == 200  # it has taken up both: connections are taken in turn
        server.signal(number)
        until(lambda: not _is_ready(server))
        assert server.is_running
        lock.execute("ROLLBACK")
        answer, said = line.getresponse(), gateway.answer()

    assert answer.status == 200
    assert b"MSA|AA" in said or b"MSA|CA" in said
    with pytest.raises(ConnectionError):
        gateway.answer()
    gateway.close()
    assert server.ended() == 0
    _nothing_went_wrong(server)


@either_server
def test_a_connection_that_asks_nothing_does_not_hold_it_up(new_server: NewServer, command: tuple[str, ...]) -> None:
    server = new_server(command=command, HOSPITAL_DRAIN_WINDOW_S="30")
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    idle.request("GET", "/health/live")
    assert idle.getresponse().read()
    silent = server.gateway()
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.ended() == 0
    assert time.monotonic() - began < 8
    idle.close()
    silent.close()


@either_server
def test_sigint_waits_for_no_window(new_server: NewServer, command: tuple[str, ...]) -> None:
    server = new_server(command=command, HOSPITAL_DRAIN_WINDOW_S="60")
    stream = Stream(server.port, sign_in(server.port, "nurse").cookie)
    greeted(stream)
    server.signal(signal.SIGINT)
    until(lambda: stream.over, stream)
    assert stream.named("drain")
    assert server.ended(10) == 0


# ---- gunicorn --------------------------------------------------------------------------------------------------------


def test_under_gunicorn_a_stream_is_not_a_greenlet_either(new_server: NewServer) -> None:
    """A worker that takes three requests at once carries thirty streams and still answers."""
    server = new_server(command=(*GUNICORN, "--worker-connections", "3"))
    cookie = sign_in(server.port, "nurse").cookie
    streams = [Stream(server.port, cookie) for _ in range(30)]
    greeted(*streams)
    server.send(alarm())
    until(lambda: all(stream.named("frame") for stream in streams), *streams)
    assert _is_ready(server)


def test_a_new_worker_takes_over_and_the_port_of_the_monitors_never_closes(new_server: NewServer) -> None:
    server = new_server(command=GUNICORN, HOSPITAL_DRAIN_WINDOW_S="1")
    person = sign_in(server.port, "nurse")
    stream = Stream(server.port, person.cookie)
    greeted(stream)
    (before,) = _workers(server)

    server.signal(signal.SIGHUP)
    number = 0
    while not stream.over or before in _workers(server):
        number += 1
        assert b"MSA|" in _insist(server, alarm(alert_id=f"H{number}"))
        stream.read()
    (after,) = _workers(server)

    again = Stream(server.port, person.cookie)
    greeted(again)
    assert stream.named("drain") and after != before
    assert b"MSA|" in server.send(alarm(alert_id="AFTER"))
    until(lambda: again.named("frame"), again)


def test_two_workers_on_postgresql_show_the_same_to_everyone(
    new_server: NewServer, postgres: Postgres, furnished_postgres: str
) -> None:
    """Each worker's bell rings for itself alone; a look every second finds what the other has written."""
    url = postgres.create_database(like=furnished_postgres)
    server = new_server(command=(*GUNICORN, "--workers", "2"), HOSPITAL_DATABASE_URL=url)
    person = sign_in(server.port, "nurse")
    until(lambda: len(_workers(server)) == 2)
    screens = []
    for asleep in _workers(server):  # the other one opens the streams
        os.kill(asleep, signal.SIGSTOP)
        screens.append([Stream(server.port, person.cookie) for _ in range(3)])
        greeted(*screens[-1])
        os.kill(asleep, signal.SIGCONT)
    streams = [stream for group in screens for stream in group]

    answers = [server.send(alarm(alert_id=f"A{n}", bed=f"MED^^MED-0{n}")) for n in range(1, 6)]
    until(lambda: all(_shown(stream) >= set(range(1, 6)) for stream in streams), *streams)
    statuses = [person.post(f"/alerts/{n}/acknowledgement") for n in range(1, 6)]

    assert all(b"MSA|AA" in answer or b"MSA|CA" in answer for answer in answers)
    assert set(statuses) <= {200, 303}
    until(lambda: all(_last_number(stream) >= 10 for stream in streams), *streams)
    server.stop()
    postgres.drop_database(url)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stands still"])
def test_a_worker_that_dies_is_replaced_and_its_screens_come_back_with_everything(
    new_server: NewServer, postgres: Postgres, number: signal.Signals
) -> None:
    """Two workers that have made an empty database together. One that stands still is killed by gunicorn."""
    url = postgres.create_database()
    server = new_server(command=(*GUNICORN, "--workers", "2", "--timeout", TIMEOUT_S), HOSPITAL_DATABASE_URL=url)
    seat = Seat("nurse", sign_in(server.port, "nurse").cookie)
    crowd = Crowd(server.port)
    try:
        until(lambda: len(_workers(server)) == 2)
        dies, lives = _workers(server)
        theirs = {}
        for asleep, awake in ((lives, dies), (dies, lives)):  # who is asleep opens no stream
            os.kill(asleep, signal.SIGSTOP)
            theirs[awake] = crowd.open(seat, 5, every_s=0.01)
            crowd.wait(lambda awake=awake: all(screen.state == "live" for screen in theirs[awake]))  # type: ignore[misc]
            os.kill(asleep, signal.SIGCONT)

        os.kill(dies, number)
        answers = [_insist(server, alarm(alert_id=f"A{n}", bed=f"MED^^MED-0{n}")) for n in range(1, 6)]

        crowd.wait(lambda: all(screen.connects == 2 for screen in theirs[dies]), 60, "they do not come back")
        crowd.wait(lambda: all(_cards(screen) == {f"alert-{n}" for n in range(1, 6)} for screen in crowd.screens), 30)
        crowd.wait_live(30)
        until(lambda: len(_workers(server)) == 2 and dies not in _workers(server))
        assert all(b"MSA|" in answer for answer in answers)
        assert all(screen.connects == 1 for screen in theirs[lives])
    finally:
        crowd.close()
        server.stop()
        postgres.drop_database(url)


def test_two_workers_on_sqlite_are_refused_with_a_sentence(tmp_path: Path) -> None:
    server = Server(tmp_path, command=(*GUNICORN, "--workers", "2"))
    with pytest.raises(RuntimeError, match="SQLite has one writer: give one worker"):
        server.start()


def _cards(screen: Screen) -> set[str]:
    return {id for id, card in screen.shown.items() if not card.hidden}


def _insist(server: Server, message: bytes) -> bytes:
    """As a gateway does that gets no answer: it repeats. But the port is there every time."""
    while True:
        try:
            return server.send(message)
        except ConnectionRefusedError:
            raise
        except ConnectionError:
            continue


def _note_ends(streams: list[Stream], ends: dict[Stream, float]) -> int:
    for stream in streams:
        if stream.over and stream not in ends:
            ends[stream] = time.monotonic()
    return len(ends)


def _within(moments: list[float], span_s: float) -> Iterator[int]:
    """For each moment: how many follow within this span."""
    for moment in moments:
        yield sum(moment <= other < moment + span_s for other in moments)


def _ask(server: Server, path: str, cookie: str = "") -> http.client.HTTPResponse:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Cookie": f"session={cookie}"} if cookie else {})
        answer = connection.getresponse()
        answer.read()
        return answer


def _is_ready(server: Server) -> bool:
    try:
        return _ask(server, "/health/ready").status == 200
    except OSError:
        return False


@contextmanager
def _database_locked(server: Server) -> Iterator[sqlite3.Connection]:
    """Until its ROLLBACK whatever is written waits (for five seconds at most)."""
    with closing(sqlite3.connect(server.folder / "hospital.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database


def _workers(server: Server) -> list[int]:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def _shown(stream: Stream) -> set[int]:
    return {n for event in stream.named("frame") for n in range(1, 6) if f'id="alert-{n}"' in event.data}


def _last_number(stream: Stream) -> int:
    return max(int((event.id or "-0").rpartition("-")[2]) for event in stream.events)


def _nothing_went_wrong(server: Server) -> None:
    assert "Traceback" not in server.log()
