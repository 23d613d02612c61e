"""`make mutants`: change the code at random places, one at a time, and see whether the tests notice.

python tests/mutants.py [--count 100] [--seed 1]: each mutant gets a copy of the tree; the survivors are printed, and
fewer than 80 killed of 100 is a failure. Not part of `make test`: 100 mutants take about half an hour.
"""

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each room, and the tests that speak of it: its own first, as they are the quickest to notice.
ROOMS = {
    "triage": ("tests/triage", "tests/alerts/test_observing.py", "tests/journey/test_real_stays.py"),
    "alerts": ("tests/alerts", "tests/pages/test_acting.py", "tests/journey/test_real_stays.py"),
    "records": ("tests/records", "tests/alerts", "tests/intake/test_receiving.py"),
    "live": ("tests/live",),
}
ENOUGH = 0.8
AT_ONCE = 2
LONGEST_S = 400.0

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OTHER_WAY: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}

_CHANGEABLE = (
    *(ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.If, ast.While, ast.IfExp),
    *(ast.Return, ast.Expr, ast.Constant),
)


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    what: str
    code: str


def main() -> int:
    asked = _arguments()
    paths = [path for room in ROOMS for path in sorted((ROOT / "hospital" / room).glob("*.py"))]
    every = [place for path in paths for place in _places(path)]
    sample = random.Random(asked.seed).sample(every, min(asked.count, len(every)))
    chosen = [_mutant(path, number) for path, number in sample]
    print(f"{len(chosen)} of {len(every)} mutants", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        survived = [mutant for mutant, killed in zip(chosen, pool.map(_is_killed, chosen), strict=True) if not killed]
    for mutant in survived:
        print(f"survived: {mutant.path}:{mutant.line} {mutant.what}")
    killed = len(chosen) - len(survived)
    print(f"{killed} of {len(chosen)} killed")
    return 0 if killed >= ENOUGH * len(chosen) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _places(path: Path) -> Iterator[tuple[Path, int]]:
    """The number of each node of a file that can be changed."""
    for number, node in enumerate(ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, _CHANGEABLE) and _change(copy.deepcopy(node)):
            yield path, number


def _mutant(path: Path, number: int) -> Mutant:
    tree = ast.parse(path.read_text())
    node = list(ast.walk(tree))[number]
    what = _change(node)
    return Mutant(str(path.relative_to(ROOT)), getattr(node, "lineno", 0), what, ast.unparse(tree))


def _change(node: ast.AST) -> str:
    """Change the node in place and say how; '' if it has nothing to change."""
    if isinstance(node, ast.Compare):
        before = type(node.ops[0])
        node.ops[0] = _OPPOSITE[before]()
        return f"{before.__name__} became {type(node.ops[0]).__name__}"
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return f"became {type(node.op).__name__}"
    if isinstance(node, ast.BinOp) and type(node.op) in _OTHER_WAY:
        node.op = _OTHER_WAY[type(node.op)]()
        return f"became {type(node.op).__name__}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
        return "a not was taken away"
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Constant):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return "the condition was turned round"
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        node.value = ast.Constant(None)
        return "returns None"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node.value = ast.Constant(None)
        return "a call was taken away"
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        node.value = not node.value
        return f"became {node.value}"
    if isinstance(node, ast.Constant) and type(node.value) is int:
        node.value += 1
        return f"became {node.value}"
    return ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_killed(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(
            ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "instance", "__pycache__", ".*_cache")
        )
        (tree / mutant.path).write_text(mutant.code)
        tests = [test for test in ROOMS[Path(mutant.path).parent.name] if (tree / test).exists()]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout=60", *tests]
        try:
            done = subprocess.run(command, cwd=tree, capture_output=True, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            return True  # it hangs: somebody would notice
        print("." if done.returncode else "S", end="", flush=True)
        return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
