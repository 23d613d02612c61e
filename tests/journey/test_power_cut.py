"""What was answered is there after a kill -9, once; and the answer leaves only after the disk has it."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.alarms import alarm
from tests.support.server import Server

ALARMS = 60


def messages() -> list[bytes]:
    return [
        alarm(control_id=f"C{n}", alert_id=f"A{n}", bed=f"MED^^MED-{n % 12 + 1:02d}", patient=None)
        for n in range(ALARMS)
    ]


def rows(server: Server, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(server.folder / "hospital.db") as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("cut_after", [1, 17, 44])
def test_after_a_kill_nothing_answered_is_missing_and_nothing_repeated_is_there_twice(
    server: Server, cut_after: int
) -> None:
    sent = messages()
    answered = []
    with closing(server.gateway()) as gateway:
        for n, message in enumerate(sent):
            if n == cut_after:
                gateway.write(b"\x0b" + message + b"\x1c\x0d")  # this one may or may not have been stored
                server.kill()
                break
            gateway.send(message)
            answered.append(f"A{n}")
    server.start()
    stored = [row[0] for row in rows(server, "SELECT sender_alert_id FROM alert ORDER BY id")]
    assert set(answered) <= set(stored) <= {*answered, f"A{cut_after}"}

    with closing(server.gateway()) as gateway:
        for message in sent:  # the sender does not know what arrived, and sends all of it again
            assert re.findall(rb"MSA\|(\w+)", gateway.send(message)) == [b"CA"]
    assert [row[0] for row in rows(server, "SELECT sender_alert_id FROM alert ORDER BY id")] == [
        f"A{n}" for n in range(ALARMS)
    ]
    assert rows(server, "SELECT count(*), min(number), max(number) FROM journal") == [(ALARMS, 1, ALARMS)]
    assert rows(server, "SELECT sum(repeats) FROM alert") == [(0,)]


def test_the_write_ahead_log_is_synced_before_each_answer_leaves(
    new_server: Callable[..., Server], strace_path: str
) -> None:
    server = new_server()
    server.stop()
    trace = server.folder / "trace"
    calls = "trace=pwrite64,fdatasync,fsync,sendto,write"
    server.start(strace_path, "-D", "-f", "-y", "-s", "64", "-e", calls, "-o", str(trace))
    with closing(server.gateway()) as gateway:
        for n in range(5):
            gateway.send(alarm(control_id=f"C{n}", alert_id=f"A{n}"))
    server.stop()
    happened = [kind for line in _ended(trace, server.pid) if (kind := _kind(line))]
    answers = [n for n, kind in enumerate(happened) if kind == "answer"]
    assert len(answers) == 5
    for previous, answer in zip([-1, *answers], answers, strict=False):
        between = happened[previous + 1 : answer]
        last_write = len(between) - 1 - between[::-1].index("log written")
        assert "log synced" in between[last_write:], f"an answer left before its commit was on the disk: {between}"


def _ended(trace: Path, pid: int) -> list[str]:
    """The trace, once strace has written the end of the server."""
    until = time.monotonic() + 30
    while not re.search(rf"^{pid} .*\+\+\+ (exited|killed)", trace.read_text(), re.MULTILINE):
        assert time.monotonic() < until, "strace did not see the server end"
        time.sleep(0.05)
    return trace.read_text().splitlines()


def _kind(line: str) -> str:
    """What a line of strace tells, if it matters here. A call that was interrupted counts when it has finished."""
    if "hospital.db-wal" in line and ("fdatasync" in line or "fsync" in line):
        return "" if "unfinished" in line else "log synced"
    if "resumed" in line and ("fdatasync" in line or "fsync" in line):
        return "log synced"
    if "hospital.db-wal" in line and ("pwrite64" in line or "write(" in line):
        return "log written"
    return "answer" if "MSH|" in line and ("sendto" in line or "write" in line) else ""
