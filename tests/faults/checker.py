"""Judges a history against what the database ends with. A verdict says in a sentence what is wrong, where, when."""

from tests.faults.history import History
from tests.faults.judging_acts import Acts
from tests.faults.judging_screens import Screens
from tests.faults.ledger import Ledger, Verdict
from tests.faults.truth import Truth
from tests.support.screen import Rules


def judge(history: History, truth: Truth, rules: Rules | None = None, beat_s: float = 5.0) -> list[Verdict]:
    """What is wrong; nothing, if every promise was kept. The history must have ended in peace."""
    ledger = Ledger(history, truth, rules or Rules(), beat_s)
    acts, screens = Acts(ledger), Screens(ledger)
    return sorted([*acts.intake(), *acts.acts(), *screens.screens()], key=lambda verdict: verdict.at)


def told(verdicts: list[Verdict], most: int = 20) -> str:
    """For an assertion's message."""
    more = [f"… and {len(verdicts) - most} more"] if len(verdicts) > most else []
    return "\n".join(["", *map(str, verdicts[:most]), *more])
