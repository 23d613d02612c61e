"""A real server on free ports: `python app.py`, as `make run` starts it, or gunicorn."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0  # that a busy machine is given for anything; what must be quick measures that itself
EMBEDDED = ("app.py",)
GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py")


class Server:
    def __init__(
        self, folder: Path, environment: dict[str, str] | None = None, command: tuple[str, ...] = EMBEDDED
    ) -> None:
        """`command`: what Python runs."""
        self.folder = folder
        self._command = command
        self.port, self.mllp_port = free_port(), free_port()
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        mine = {
            "HOSPITAL_INSTANCE": str(self.folder),
            "HOSPITAL_SECRET_KEY": "for tests",
            "HOSPITAL_PORT": str(self.port),
            "HOSPITAL_MLLP_PORT": str(self.mllp_port),
            "HOSPITAL_DEMO": "1",
            "HOSPITAL_SIMULATE": "0",
            "HOSPITAL_DRAIN_WINDOW_S": "0",  # tests that are over need not be told gently
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSPITAL_")}
        return kept | mine | self._environment

    def start(self, *wrapper: str) -> None:
        """Start and wait until it is ready. `wrapper`: a command that runs it, such as strace."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, sys.executable, *self._command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def kill(self) -> None:
        """kill -9, as a power cut for this process alone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self, within_s: float = 20.0) -> int:
        """Wait until it has ended by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(within_s)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def gateway(self) -> "Gateway":
        """A gateway with a connection of its own."""
        return Gateway(self.mllp_port)

    def send(self, message: bytes) -> bytes:
        """One message on a connection of its own; the answer."""
        with closing(self.gateway()) as gateway:
            return gateway.send(message)

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=1):
                    return
            except (URLError, OSError):
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"the server did not become ready:\n{self.log()}")


class Gateway:
    """An MLLP client. `answer` raises ConnectionError when the server hangs up instead."""

    def __init__(self, port: int, timeout_s: float = PATIENCE_S) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._read = b""

    def send(self, message: bytes) -> bytes:
        self.write(b"\x0b" + message + b"\x1c\x0d")
        return self.answer()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> bytes:
        while b"\x1c\x0d" not in self._read:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("the server hung up")
            self._read += data
        answer, _, self._read = self._read.partition(b"\x1c\x0d")
        return answer.removeprefix(b"\x0b")

    def close(self) -> None:
        self.socket.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
