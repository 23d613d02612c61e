"""Where the keys come from: one secret, or a ring of several, in the environment, a file or a command's output.

A ring has one key on each line, its number (1 to 255) and its secret: `2:…`. Any other text is one secret, key 1. The
highest key becomes the current one with `flask --app app keys rotate`, and not before.
"""

import os
import re
import secrets
import shlex
from pathlib import Path

from gevent import subprocess

_LINE = re.compile(r"([1-9][0-9]{0,2}):(\S.*)")
_HIGHEST = 255  # the number is one byte
_COMMAND_S = 30


class BadRing(Exception):
    """There are no keys where they should be."""


def parse(text: str) -> dict[int, str]:
    """Number → secret. Raises BadRing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    matches = [_LINE.fullmatch(line) for line in lines]
    found = [(int(match[1]), match[2]) for match in matches if match]
    if not lines:
        raise BadRing("The key ring is empty.")
    if len(found) < len(lines):
        if found:
            raise BadRing("Each line of a key ring is a number, a colon and a secret; one is not.")
        return {1: text.strip("\r\n")}
    ring = dict(found)
    if len(ring) < len(found) or max(ring) > _HIGHEST:
        raise BadRing(f"The keys of a ring have different numbers from 1 to {_HIGHEST}.")
    return ring


def from_file(path: Path) -> dict[int, str]:
    """Raises BadRing."""
    try:
        return parse(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise BadRing(f"The key ring {path} cannot be read: {type(error).__name__}.") from None


def from_command(command: str) -> dict[int, str]:
    """What the command prints; it must end with 0 within half a minute. Raises BadRing."""
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=_COMMAND_S, check=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise BadRing(f"The command for the key ring failed: {type(error).__name__}.") from None
    return parse(done.stdout)


def new_line(highest: int) -> str:
    """A new key, one higher than the highest, as its line. Raises BadRing."""
    if highest == _HIGHEST:
        raise BadRing(f"There is no number above {_HIGHEST} for another key.")
    return f"{highest + 1}:{secrets.token_urlsafe(32)}"


def add_to_file(path: Path, line: str) -> None:
    """Replace the file as a whole: nobody ever reads half a ring."""
    kept = "".join(f"{number}:{secret}\n" for number, secret in from_file(path).items())
    beside, owner = path.with_name(f"{path.name}.new"), path.stat()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{kept}{line}\n")
        file.flush()
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)  # the server must be able to read what root has added
        os.fsync(file.fileno())
    beside.replace(path)
