"""Commands, as an administrator types them: in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.house import House

ROOT = Path(__file__).parents[2]
Flask = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def flask(house: House, tmp_path: Path) -> Flask:
    """Runs `flask --app app …` on the database of the house."""

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSPITAL_")}
        mine = {"HOSPITAL_INSTANCE": str(tmp_path), "HOSPITAL_SECRET_KEY": "for tests"}
        command = [sys.executable, "-m", "flask", "--app", "app", *words]
        return subprocess.run(command, cwd=ROOT, env=kept | mine, capture_output=True, text=True, timeout=60)

    return run
