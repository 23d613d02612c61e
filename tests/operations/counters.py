"""Which counters there are, read from the source."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def counters() -> list[tuple[str, tuple[str, ...]]]:
    """Every place that counts: the counter and the names of its labels."""
    return [
        (call.args[0].value, tuple(sorted(str(keyword.arg) for keyword in call.keywords)))
        for file in [ROOT / "app.py", *(ROOT / "hospital").rglob("*.py")]
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("meters.count", "meters.observe")
        if isinstance(call.args[0], ast.Constant)
    ]
