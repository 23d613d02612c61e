"""Screens: each shows what is so, or says that it does not; nothing foreign, nothing twice, nothing older."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import inf

from tests.faults.history import (
    Closed,
    Doubled,
    Frozen,
    Marked,
    Noted,
    Opened,
    Removed,
    Says,
    Shown,
    Told,
)
from tests.faults.ledger import Ledger, Verdict
from tests.faults.truth import Line, Stored
from tests.support.pieces import Cursor

BRIEF_S = 0.5  # what is read in one go may be shown one after the other
SLACK_S = 2.0  # the relay looks once a second; a busy machine is late
GONE = ("resolved", "left")


class Screens:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._wrong = ledger, ledger.wrong

    def screens(self) -> Iterator[Verdict]:
        entries: dict[str, list[Noted]] = defaultdict(list)
        for entry in self._ledger.history.everything():
            if (screen := getattr(entry, "screen", None)) is not None:
                entries[screen].append(entry)
        for opened in self._ledger.history.of(Opened):
            screen = _Screen(opened, entries[opened.screen], self._ledger.ended)
            for look in (
                *(self._order, self._scope, self._freshness, self._cursor),
                *(self._calm, self._end, self._revocation),
            ):
                yield from look(screen)

    def _order(self, screen: "_Screen") -> Iterator[Verdict]:
        """An alert's versions only rise, and each looks as the journal says."""
        has: dict[int, tuple[str, int]] = {}
        facts = {line.number: line for line in self._lines(screen)}
        for entry in screen.entries:
            if isinstance(entry, Removed):
                has.pop(entry.alert, None)
            elif isinstance(entry, Doubled):
                yield self._wrong("twice", f"{screen.name} shows alert {entry.alert} in two places", entry.at)
            elif isinstance(entry, Shown):
                before = has.get(entry.alert)
                if before and before[0] == entry.epoch and entry.version <= before[1]:
                    kind = "twice" if entry.version == before[1] else "undone"
                    what = f"{screen.name} shows alert {entry.alert} at {entry.version} after {before[1]}"
                    yield self._wrong(kind, what, entry.at)
                line = facts.get(entry.version) if self._holds(screen, entry.epoch, entry.version) else None
                if entry.state != "left" and line and (line.alert, line.state) != (entry.alert, entry.state):
                    what = f"{screen.name} shows alert {entry.alert} at {entry.version} as {entry.state}"
                    yield self._wrong("undone", f"{what}; the journal says {line.state} of {line.alert}", entry.at)
                has[entry.alert] = (entry.epoch, entry.version)

    def _scope(self, screen: "_Screen") -> Iterator[Verdict]:
        """Not a word, and not a card, of a hospital or a unit that is not theirs."""
        ours = {f"mark-{screen.hospital}-{unit}" for unit in screen.units}
        for entry in screen.entries:
            if isinstance(entry, Marked):
                foreign = {mark for mark in entry.marks if mark.rpartition("-")[0] not in ours}
                if foreign:
                    yield self._wrong("foreign", f"{screen.name} was sent {', '.join(sorted(foreign))}", entry.at)
            elif isinstance(entry, Shown) and entry.state != "left":
                alert = self._ledger.truth.alerts.get(entry.alert)
                if alert and self._holds(screen, entry.epoch, entry.version) and not screen.sees(alert):
                    whose = f"{alert.hospital} {alert.unit}"
                    yield self._wrong("foreign", f"{screen.name} shows alert {entry.alert} of {whose}", entry.at)

    def _freshness(self, screen: "_Screen") -> Iterator[Verdict]:
        """Whatever anybody knows is on the screen soon, or the screen says that it is not current."""
        for line in self._lines(screen):
            known = self._ledger.known[screen.hospital][line.number - 1]
            if line.unit not in screen.units or known == inf or not screen.cares_for(line):
                continue
            shown = screen.shows(line, lambda epoch, number: self._holds(screen, epoch, number))
            until = min(shown, self._ledger.resolved_at.get((line.alert, line.number), inf), screen.closed_at)
            since = max(known, screen.opened_at)
            fresh_s = self._ledger.rules.delayed_after
            wrong = screen.live_within(since + fresh_s / 2 + SLACK_S, since + fresh_s + SLACK_S, until)
            if wrong is not None:
                how = f"shown {shown - wrong:.1f} s later" if shown < inf else "never shown"
                what = f"{screen.name} says LIVE without {line.happening} of alert {line.alert} (line {line.number}"
                kind = "stale" if shown < inf else "lost"
                yield self._wrong(kind, f"{what}, known for {wrong - known:.1f} s; {how})", wrong)

    def _cursor(self, screen: "_Screen") -> Iterator[Verdict]:
        """A stream's number means that everything up to it has been shown; within an epoch a stream's do not fall."""
        at = streamed = Cursor("", 0)
        gap_up_to = 0  # a page must be at least as new
        lines = self._lines(screen)
        has: dict[int, int] = {}
        for entry in screen.entries:
            if isinstance(entry, Shown):
                has[entry.alert] = entry.version or has.get(entry.alert, 0)
            if not isinstance(entry, Told) or entry.by == "hello":
                continue
            told, goes_on = entry.cursor, entry.cursor.epoch == at.epoch
            if entry.by == "page":
                gap_up_to = 0 if told.number >= gap_up_to or not goes_on else gap_up_to
            else:
                if told.epoch == streamed.epoch and told.number < streamed.number:
                    what = f"{screen.name} was told {told.number} after {streamed.number}"
                    yield self._wrong("out of order", what, entry.at)
                streamed = told
            if entry.by == "resync":
                gap_up_to = told.number
            elif entry.by != "page" and goes_on and not gap_up_to and self._is_last(screen, at):
                yield from self._missed(screen, lines[at.number : told.number], has, entry)
            if not goes_on or told.number > at.number:
                at = told

    def _missed(self, screen: "_Screen", lines: list[Line], has: dict[int, int], told: Told) -> Iterator[Verdict]:
        for line in lines:
            if line.unit in screen.units and has.get(line.alert, 0) < line.number:
                later = screen.shows(line, lambda epoch, number: self._holds(screen, epoch, number)) < inf
                what = f"{screen.name} was told that it has everything up to {told.cursor.number}"
                what += f", without line {line.number} of alert {line.alert}"
                yield self._wrong("out of order" if later else "lost", what, told.at)

    def _calm(self, screen: "_Screen") -> Iterator[Verdict]:
        """While nothing is wrong a screen stays LIVE."""
        excused_s = self._ledger.rules.stale_after + self._ledger.rules.backoff_most + SLACK_S
        was = ""
        for entry in (entry for entry in screen.entries if isinstance(entry, Says)):
            excused = any(fault.at <= entry.at <= fault.until + excused_s for fault in self._ledger.faults)
            if was == "live" and entry.state in ("delayed", "stale") and not excused:
                yield self._wrong("dark", f"{screen.name} says {entry.state} though nothing is wrong", entry.at)
            was = entry.state

    def _end(self, screen: "_Screen") -> Iterator[Verdict]:
        """In the end every screen is LIVE again and shows what is so."""
        if screen.closed_at < inf or screen.state == "signed-out":
            return
        if screen.state != "live":
            yield self._wrong(
                "dark", f"{screen.name} is still {screen.state} though nothing is wrong", self._ledger.ended
            )
            return
        ours = {alert.id: alert for alert in self._ledger.truth.alerts.values() if screen.sees(alert)}
        shown = {id: entry for id, entry in screen.on_it().items() if entry.state not in GONE}
        for alert in ours.values():
            entry = shown.get(alert.id)
            if alert.state != "resolved" and entry is None:
                yield self._wrong("lost", f"{screen.name} does not show alert {alert.id}, which is {alert.state}", 0)
            elif alert.state != "resolved" and entry is not None and entry.version != alert.version:
                what = f"{screen.name} shows alert {alert.id} at {entry.version}, {entry.state}"
                kind = "lost" if entry.version < alert.version else "stale"
                yield self._wrong(kind, f"{what}; it is at {alert.version}, {alert.state}", 0)
        for id, entry in shown.items():
            if id not in ours or ours[id].state == "resolved":
                what = f"{screen.name} still shows alert {id} as {entry.state}, and it is not so any more"
                yield self._wrong("stale", what, 0)

    def _revocation(self, screen: "_Screen") -> Iterator[Verdict]:
        """After one beat an ended session gets nothing more, and its screens say so."""
        for revoked in self._ledger.revoked:
            if revoked.session != screen.session or revoked.at < screen.opened_at:
                continue
            latest = revoked.at + self._ledger.beat_s + SLACK_S
            for entry in screen.entries:
                if isinstance(entry, Shown | Marked) and entry.at > latest:
                    after_s = entry.at - revoked.at
                    what = f"{screen.name} was sent an alert {after_s:.1f} s after its session had ended"
                    yield self._wrong("revoked", what, entry.at)
                    break
            else:
                if screen.state == "live" and screen.closed_at == inf and self._ledger.ended > latest:
                    yield self._wrong(
                        "revoked", f"{screen.name} is live though its session has ended", self._ledger.ended
                    )

    def _lines(self, screen: "_Screen") -> list[Line]:
        return self._ledger.truth.lines[screen.hospital]

    def _is_last(self, screen: "_Screen", cursor: Cursor) -> bool:
        return cursor.epoch == self._ledger.truth.epochs[screen.hospital]

    def _holds(self, screen: "_Screen", epoch: str, number: int) -> bool:
        return epoch == "" or self._ledger.is_true(screen.hospital, Cursor(epoch, number))


class _Screen:
    """What one screen has noted, made easy to ask."""

    def __init__(self, opened: Opened, entries: list[Noted], ended: float) -> None:
        self.name, self.hospital, self.units, self.session = (
            opened.screen,
            opened.hospital,
            opened.units,
            opened.session,
        )
        self.entries = entries
        self.opened_at = opened.at
        self.closed_at = min((entry.at for entry in entries if isinstance(entry, Closed)), default=inf)
        self.state = next((entry.state for entry in reversed(entries) if isinstance(entry, Says)), "delayed")
        self._frozen = [(entry.at, entry.until) for entry in entries if isinstance(entry, Frozen)]
        self._live = self._live_times(min(ended, self.closed_at))
        self._shown: dict[int, list[Shown | Removed]] = defaultdict(list)
        for entry in entries:
            if isinstance(entry, Shown | Removed):
                self._shown[entry.alert].append(entry)

    def sees(self, alert: Stored) -> bool:
        return alert.hospital == self.hospital and alert.unit in self.units

    def cares_for(self, line: Line) -> bool:
        """An end matters only to who has shown the alert before."""
        before = (entry for entry in self._shown.get(line.alert, []) if isinstance(entry, Shown))
        return line.state != "resolved" or any(entry.version < line.number for entry in before)

    def shows(self, line: Line, holds: Callable[[str, int], bool]) -> float:
        """When it first showed this line of its alert, or a later one, or for an end nothing of it; inf: never."""
        for entry in self._shown.get(line.alert, []):
            if isinstance(entry, Removed):
                if line.state == "resolved":
                    return entry.at
            elif entry.version >= line.number and holds(entry.epoch, entry.version):
                return entry.at
        return inf

    def on_it(self) -> dict[int, Shown]:
        """What stands on it in the end."""
        last = {alert: entries[-1] for alert, entries in self._shown.items()}
        return {alert: entry for alert, entry in last.items() if isinstance(entry, Shown)}

    def live_within(self, since: float, at_latest: float, until: float) -> float | None:
        """The first moment before `until` at which it becomes LIVE after `since`, or is LIVE after `at_latest`."""
        for began, ended in self._live:
            wrong = began if began > since else max(began, at_latest)
            if wrong + BRIEF_S < min(ended, until) and not any(start <= wrong <= end for start, end in self._frozen):
                return wrong
        return None

    def _live_times(self, ended: float) -> list[tuple[float, float]]:
        says = [entry for entry in self.entries if isinstance(entry, Says)]
        ends = [entry.at for entry in says[1:]] + [ended]
        return [(entry.at, end) for entry, end in zip(says, ends, strict=False) if entry.state == "live"]
