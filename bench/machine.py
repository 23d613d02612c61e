"""The machine: its cores, what a process has used of them, and what it runs."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def on_core(core: int) -> tuple[str, ...]:
    """The words before a command that keep it on one core."""
    return ("taskset", "-c", str(core))


def stay_on_load_core() -> None:
    os.sched_setaffinity(0, {LOAD_CORE})


def cpu_s(pid: int) -> float:
    """CPU seconds that all threads of this process have used, in user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def memory_kb(pid: int) -> int:
    """Resident memory, in KB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Rss:"))


def load_average() -> float:
    return os.getloadavg()[0]


def missing() -> list[str]:
    """What the measurements cannot do without, each with what to do about it."""
    lacking = [f"{name} (apt-get install {package})" for name, package in _PROGRAMS.items() if not shutil.which(name)]
    cores = os.cpu_count() or 1
    return lacking + ([] if cores > LOAD_CORE else [f"{LOAD_CORE + 1} cores, one for the server and one for the load"])


_PROGRAMS = {"gcc": "gcc libc6-dev", "taskset": "util-linux"}


def described() -> list[str]:
    """Machine and versions, as lines for the page."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return [
        f"{os.cpu_count()} cores ({model.partition(':')[2].strip()}), {int(memory.split()[1]) // 1024**2} GB, "
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}, {packages}, {_nginx()}",
    ]


_PACKAGES = ("gevent", "Flask", "Flask-SocketIO", "simple-websocket", "sse-starlette", "uvicorn", "uvloop")


def _nginx() -> str:
    if not shutil.which("nginx"):
        return "no nginx"
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    nchan = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"], capture_output=True, text=True
    ).stdout
    return f"nginx {told} with nchan {nchan or 'missing'}"
