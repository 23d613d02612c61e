"""Intake and acts: what was answered is there, once, and nothing was sent late."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Accepted, Answered, Sent
from tests.faults.ledger import Ledger, Verdict
from tests.faults.truth import Stored


class Acts:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._wrong = ledger, ledger.wrong

    def intake(self) -> Iterator[Verdict]:
        """What was answered is there, once."""
        accepted = [one for one in self._ledger.history.of(Accepted) if not self._ledger.was_lost_with_the_disk(one)]
        stored: dict[tuple[str, str], list[Stored]] = defaultdict(list)
        for alert in self._ledger.truth.alerts.values():
            stored[alert.hospital, alert.alert_id].append(alert)
        for one in {(one.hospital, one.control_id): one for one in accepted}.values():
            kept = self._ledger.truth.messages.get((one.hospital, one.control_id), 0)
            if kept == 0 or not stored[one.hospital, one.alert_id]:
                yield self._wrong("lost", f"intake accepted {one.alert_id}, and the database has no such alert", one.at)
            elif kept > 1:
                yield self._wrong("twice", f"message {one.control_id} is kept {kept} times", one.at)
        for (_, alert_id), alerts in stored.items():
            if len(alerts) > 1:
                ids = ", ".join(str(alert.id) for alert in alerts)
                yield self._wrong("twice", f"one alarm, {alert_id}, became the alerts {ids}", self._ledger.ended)

    def acts(self) -> Iterator[Verdict]:
        """The same key gets the same outcome; who was told that it is done has done it, once; nothing is sent late."""
        since = max((one.at for one in self._ledger.restored.values()), default=0.0)
        answers: dict[str, list[Answered]] = defaultdict(list)
        for answer in self._ledger.history.of(Answered):
            if answer.at > since:
                answers[answer.key].append(answer)
        for key, of_key in answers.items():
            yield from self._one_outcome(key, of_key)
        yield from self._one_owner([of_key[0] for of_key in answers.values()])
        for sent in self._ledger.history.of(Sent):
            after_s = sent.at - sent.pressed_at
            if after_s > self._ledger.rules.sent_within:
                what = f"{sent.person}'s {sent.act} of alert {sent.alert}"
                yield self._wrong("late", f"{what} was sent {after_s:.0f} s after the press", sent.at)

    def _one_outcome(self, key: str, answers: list[Answered]) -> Iterator[Verdict]:
        first = answers[0]
        what = f"{first.person}'s {first.act} of alert {first.alert} (key {key[:8]})"
        if len({(one.status, one.version) for one in answers}) > 1:
            outcomes = " and then ".join(f"{one.status} (version {one.version})" for one in answers)
            yield self._wrong("acknowledged", f"{what} was answered {outcomes}", answers[-1].at)
        if first.status == 200 and not self._is_written(first):
            yield self._wrong("acknowledged", f"{what} was answered 200, and the journal does not have it", first.at)

    def _is_written(self, answer: Answered) -> bool:
        stored = self._ledger.truth.alerts.get(answer.alert)
        lines = self._ledger.truth.lines[stored.hospital] if stored else []
        return any(
            line.number == answer.version and line.alert == answer.alert and line.person == answer.person
            for line in lines
        )

    def _one_owner(self, answers: list[Answered]) -> Iterator[Verdict]:
        """Between two openings one person has it; and nobody has it who did not press."""
        pressed = {(sent.person, sent.alert) for sent in self._ledger.history.of(Sent) if sent.act == "acknowledgement"}
        done = defaultdict(set)
        for answer in answers:
            if answer.act == "acknowledgement" and answer.status == 200:
                done[answer.alert, answer.version].add(answer.key)
        for (alert, _), keys in done.items():
            if len(keys) > 1:
                yield self._wrong("acknowledged", f"{len(keys)} presses were told that they have alert {alert}", 0)
        for lines in self._ledger.truth.lines.values():
            taken: dict[int, int] = {}
            for line in lines:
                if line.happening == "acknowledged":
                    if taken.get(line.alert):
                        yield self._wrong("acknowledged", f"alert {line.alert} was taken twice, at {line.number}", 0)
                    if (line.person, line.alert) not in pressed:
                        yield self._wrong("acknowledged", f"nobody pressed, and {line.person} has {line.alert}", 0)
                taken[line.alert] = line.number if line.state == "acknowledged" else 0
