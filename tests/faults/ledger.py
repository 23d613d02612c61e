"""A history beside what the database ends with: who could know what, and when."""

from dataclasses import dataclass
from math import inf

from tests.faults.history import Accepted, Fault, History, Opened, Restored, Revoked, Told
from tests.faults.truth import Truth
from tests.support.pieces import Cursor
from tests.support.screen import Rules


@dataclass(frozen=True)
class Verdict:
    """`kind`: lost, twice, out of order, undone, stale, foreign, acknowledged, revoked, late or dark."""

    kind: str
    sentence: str
    at: float

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:.2f} s: {self.sentence}"


class Ledger:
    """`known`: hospital → for each journal line the moment from which somebody outside knew of it."""

    def __init__(self, history: History, truth: Truth, rules: Rules, beat_s: float) -> None:
        self.history, self.truth, self.rules, self.beat_s = history, truth, rules, beat_s
        self.faults, self.revoked = history.of(Fault), history.of(Revoked)
        self.restored = {(one.hospital, one.epoch): one for one in history.of(Restored)}
        self._hospital = {opened.screen: opened.hospital for opened in history.of(Opened)}
        self.known = {hospital: self._known_in(hospital) for hospital in truth.epochs}
        self.resolved_at = self._ends()
        self.ended = history.ended

    def _known_in(self, hospital: str) -> list[float]:
        """For each line the moment from which somebody outside knew that it is there: an answer, or a screen."""
        lines = self.truth.lines[hospital]
        known = [inf] * (len(lines) + 1)
        raised = {self.truth.alerts[line.alert].alert_id: line.number for line in lines if line.happening == "raised"}
        numbers: list[tuple[int, float]] = []
        for accepted in self.history.of(Accepted):
            if accepted.hospital == hospital and not self.was_lost_with_the_disk(accepted):
                numbers.append((raised.get(accepted.alert_id, 0), accepted.at))
        for told in self.history.of(Told):
            if self._hospital[told.screen] == hospital and self.is_true(hospital, told.cursor):
                numbers.append((told.cursor.number, told.at))
        for number, at in numbers:
            if 0 < number <= len(lines):
                known[number - 1] = min(known[number - 1], at)
        for number in range(len(lines) - 1, -1, -1):
            known[number] = min(known[number], known[number + 1])
        return known

    def _ends(self) -> dict[tuple[int, int], float]:
        """For each line of an alert the moment from which its next end was known."""
        ends = {}
        for hospital, lines in self.truth.lines.items():
            ending: dict[int, float] = {}
            for line in reversed(lines):
                if line.state == "resolved":
                    ending[line.alert] = self.known[hospital][line.number - 1]
                if line.alert in ending and line.state != "resolved":
                    ends[line.alert, line.number] = ending[line.alert]
        return ends

    def is_true(self, hospital: str, cursor: Cursor) -> bool:
        """Whether that number of that epoch means the line that the database has."""
        if cursor.epoch == self.truth.epochs[hospital] and (hospital, cursor.epoch) not in self.restored:
            return True
        restored = self.restored.get((hospital, cursor.epoch))
        return restored is not None and cursor.number <= restored.head

    def was_lost_with_the_disk(self, accepted: Accepted) -> bool:
        return any(
            one.hospital == accepted.hospital and one.since < accepted.at < one.at for one in self.history.of(Restored)
        )

    def wrong(self, kind: str, sentence: str, at: float) -> Verdict:
        at = at or self.ended
        faults = self.history.faults_at(at)
        return Verdict(kind, f"{sentence}{f' (after {faults})' if faults else ''}", at - self.history.began)
