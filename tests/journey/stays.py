"""What a stay must lead to, reckoned a second time: this file shares nothing with the application, by intent.

The points are those of chart 1 of RCP NEWS2 (December 2017); limits, delays and ages are written down anew from what
the documentation promises. Times are whole seconds of the stay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

COLUMNS = {"HR": "hr", "RespRate": "rr", "SaO2": "spo2", "NISysABP": "cuff", "SysABP": "artery", "Temp": "temp"}
VITAL = {name: "sbp" if name in ("cuff", "artery") else name for name in COLUMNS.values()}

Rows = dict[int, dict[str, float]]  # what was measured, by time


class Limit(NamedTuple):
    vital: str
    side: str
    limit: float
    priority: str
    delay_s: int
    inside_by: float  # comes back only so far inside


LIMITS = [
    Limit("spo2", "low", 90, "medium", 15, 1),
    Limit("spo2", "low", 85, "high", 10, 1),
    Limit("hr", "high", 130, "medium", 15, 5),
    Limit("hr", "high", 150, "high", 10, 5),
    Limit("hr", "low", 45, "medium", 15, 3),
    Limit("hr", "low", 38, "high", 5, 3),
    Limit("rr", "high", 28, "medium", 30, 2),
    Limit("rr", "low", 8, "high", 15, 1),
    Limit("sbp", "low", 90, "medium", 15, 5),
    Limit("sbp", "low", 75, "high", 10, 5),
    Limit("sbp", "high", 200, "medium", 15, 5),
    Limit("temp", "high", 39.5, "low", 0, 0.5),
]
URGENCY = {"low": 1, "medium": 2, "high": 3}
PRIORITY = {urgency: priority for priority, urgency in URGENCY.items()}
QUARTER, HALF_DAY, MINUTE = 900, 43_200, 60
STANDS_S, HOLD_S = 15, 300


class Line(NamedTuple):
    """What the journal must say of an alert."""

    at_s: int
    condition: str
    happening: str
    priority: str
    value: str


def read_stay(text: str) -> Rows:
    """The columns of the PhysioNet Challenge 2012; -1 is unknown. Time is HH:MM, in our own stay also HH:MM:SS."""
    rows: Rows = {}
    for line in text.split()[1:]:
        time, column, value = line.split(",")
        if column in COLUMNS and float(value) != -1:
            hours, minutes, seconds = (int(part) for part in f"{time}:0".split(":")[:3])
            rows.setdefault(hours * 3600 + minutes * 60 + seconds, {})[COLUMNS[column]] = float(value)
    return dict(sorted(rows.items()))


# ---- Limits ----------------------------------------------------------------------------------------------------------


class Value(NamedTuple):
    at_s: int
    value: float
    by_cuff: bool


def values_of(rows: Rows, vital: str) -> list[Value]:
    """What counts for the limits: a cuff's value only if the artery has said nothing for more than 15 minutes."""
    found, artery_at = [], -HALF_DAY
    for at_s, row in rows.items():
        artery_at = at_s if "artery" in row else artery_at
        for name, value in row.items():
            if VITAL[name] == vital and not (name == "cuff" and at_s - artery_at <= QUARTER):
                found.append(Value(at_s, value, name == "cuff"))
    return found


def crossed(values: Sequence[Value], limit: Limit) -> Iterator[bool]:
    """After each value, whether the limit is crossed."""
    sign = 1 if limit.side == "high" else -1
    is_crossed, run_s, before_s = False, None, 0
    for at_s, value, by_cuff in values:
        beyond = sign * (value - limit.limit)
        if beyond <= -limit.inside_by if is_crossed else beyond > 0:
            run_s = 0 if run_s is None else run_s + min(at_s - before_s, MINUTE)
        else:
            run_s = None
        if run_s is not None and run_s >= (0 if by_cuff else limit.delay_s):
            is_crossed, run_s = not is_crossed, None
        before_s = at_s
        yield is_crossed


# ---- The score -------------------------------------------------------------------------------------------------------


def points(name: str, value: float) -> int:
    """One part of the chart."""
    shown = int(value * 10 + 0.5 + 1e-6) / 10 if name == "temp" else int(value + 0.5)
    if name == "rr":
        return 3 if shown <= 8 or shown >= 25 else 2 if shown >= 21 else 1 if shown <= 11 else 0
    if name == "spo2":
        return 3 if shown <= 91 else 2 if shown <= 93 else 1 if shown <= 95 else 0
    if name == "sbp":
        return 3 if shown <= 90 or shown >= 220 else 2 if shown <= 100 else 1 if shown <= 110 else 0
    if name == "hr":
        if shown <= 40 or shown >= 131:
            return 3
        return 2 if shown >= 111 else 1 if shown >= 91 or shown <= 50 else 0
    return 3 if shown <= 35.0 else 2 if shown >= 39.1 else 1 if shown <= 36.0 or shown >= 38.1 else 0


@dataclass
class Score:
    """The bound at one moment: consciousness and oxygen are never known, so it is never complete.

    `streams`: something in its row was also measured less than 15 s before.
    """

    points: dict[str, int]
    streams: bool

    @property
    def total(self) -> int:
        return sum(self.points.values())

    @property
    def urgency(self) -> int:
        return urgency_of(self.points)


def scores(rows: Rows) -> dict[int, Score]:
    found = {}
    last: dict[str, tuple[int, float]] = {}
    for now, row in rows.items():
        streams = any(name in last and now - last[name][0] < STANDS_S for name in row)
        last |= {name: (now, value) for name, value in row.items()}
        parts = {
            name: value
            for name, (at_s, value) in last.items()
            if VITAL[name] != "sbp" and now - at_s <= (HALF_DAY if name == "temp" else QUARTER)
        }
        pressures = [last[name] for name in ("artery", "cuff") if name in last and now - last[name][0] <= HALF_DAY]
        if "artery" in last and now - last["artery"][0] <= QUARTER:
            parts["sbp"] = last["artery"][1]
        elif pressures:
            parts["sbp"] = max(pressures, key=lambda seen: seen[0])[1]
        found[now] = Score({name: points(name, value) for name, value in parts.items()}, streams)
    return found


def urgency_of(points: dict[str, int]) -> int:
    total = sum(points.values())
    return 3 if total >= 7 else 2 if total >= 5 else 1 if 3 in points.values() else 0


def has_stood(scored: dict[int, Score], urgency: int) -> dict[int, bool]:
    """Whether the score has mostly been so urgent, and is: a balance of seconds, of which 15 are enough."""
    balance_s, before_s, found = 0, None, {}
    for at_s, score in scored.items():
        passed_s = 0 if before_s is None else at_s - before_s
        if score.urgency < urgency:
            balance_s = max(0, balance_s - passed_s)
        else:
            balance_s = min(STANDS_S, balance_s + passed_s) if score.streams else STANDS_S
        found[at_s] = score.urgency >= urgency and balance_s == STANDS_S
        before_s = at_s
    return found


# ---- Alerts ----------------------------------------------------------------------------------------------------------


@dataclass
class Alert:
    """One condition of a patient whom nobody looks at: the alert of it is never resolved."""

    condition: str
    priority: str = ""
    active: bool = False
    value: float = 0
    lines: list[Line] = field(default_factory=list)

    def goes_on(self, at_s: int, priority: str, value: float, *, starts: bool) -> None:
        further = value < self.value if self.condition.endswith("-low") else value > self.value
        if not self.priority and not starts:
            return
        if not self.priority:
            happening = "raised"
        elif URGENCY[priority] > URGENCY[self.priority]:
            happening = "priority-raised"
        elif starts and not self.active:
            happening = "recurred"
        elif self.active and further:
            happening = "updated"
        else:
            return
        if happening in ("raised", "priority-raised"):
            self.priority = priority
        self.active, self.value = True, value
        self._write(at_s, happening)

    def ends(self, at_s: int) -> None:
        if self.active:
            self.active = False
            self._write(at_s, "cleared")

    def _write(self, at_s: int, happening: str) -> None:
        shown = f"≥ {self.value}" if self.condition == "news2" else f"{self.value:g}"
        self.lines.append(Line(at_s, self.condition, happening, self.priority, shown))


@dataclass
class Expected:
    """`lines` of all alerts, sorted; `bounds` of the score and `beyond`, the limits crossed, after each row."""

    lines: list[Line]
    bounds: dict[int, int]
    beyond: dict[int, set[str]]


def expected(rows: Rows) -> Expected:
    lines, beyond = [], {at_s: set[str]() for at_s in rows}
    for condition in dict.fromkeys(f"{limit.vital}-{limit.side}" for limit in LIMITS):
        of_limits, standing = _of_limits(rows, condition)
        lines += of_limits
        is_beyond = False
        for at_s in rows:
            is_beyond = standing.get(at_s, is_beyond)
            if is_beyond:
                beyond[at_s].add(condition)
    scored = scores(rows)
    lines += _of_scores(scored)
    return Expected(sorted(lines), {at_s: score.total for at_s, score in scored.items()}, beyond)


def _of_limits(rows: Rows, condition: str) -> tuple[list[Line], dict[int, bool]]:
    group = [limit for limit in LIMITS if f"{limit.vital}-{limit.side}" == condition]
    values = values_of(rows, group[0].vital)
    alert, standing = Alert(condition), {}
    before: set[str] = set()
    courses = zip(*(crossed(values, limit) for limit in group), strict=True)
    for value, course in zip(values, courses, strict=True):
        now = {limit.priority for limit, is_crossed in zip(group, course, strict=True) if is_crossed}
        if now:
            alert.goes_on(value.at_s, max(now, key=lambda one: URGENCY[one]), value.value, starts=bool(now - before))
        elif before:
            alert.ends(value.at_s)
        before = now
        standing[value.at_s] = bool(now)
    return alert.lines, standing


def _of_scores(scored: dict[int, Score]) -> list[Line]:
    """An alert rises when a score has stood, and falls when for five minutes each has been lower, by what was measured.

    Told by looking back. `as_urgent`: the place of the last score that was as urgent as the alert, or by which it fell;
    `then`: the points that it had; `stood`: the place of the last that also stood there.
    """
    alert, urgency, as_urgent, stood = Alert("news2"), 0, 0, 0
    then: dict[str, int] = {}
    standing = {level: has_stood(scored, level) for level in (1, 2, 3)}
    moments = list(scored)
    for place, (now, score) in enumerate(scored.items()):
        reached = max((level for level in standing if standing[level][now]), default=0)
        away_s = now - moments[stood + 1] if stood < place else 0
        starts = reached > urgency or (reached == urgency > 0 and stood + 1 < place and away_s >= HOLD_S)
        urgency = falls_to = max(urgency, reached)
        if score.urgency < urgency:
            falls_to = _falls_to(scored, moments[as_urgent + 1 : place + 1], then, urgency)
        if urgency and not falls_to:
            alert.ends(now)
        elif urgency:
            further = score.total if score.urgency <= falls_to else 0  # one that has not stood is not shown
            alert.goes_on(now, PRIORITY[falls_to], further, starts=starts)
        if score.urgency >= urgency:
            as_urgent, then = place, score.points
        elif falls_to < urgency:
            as_urgent, then = place, then | score.points
        if reached >= urgency or falls_to < urgency:
            stood = place
        urgency = falls_to
    return alert.lines


def _falls_to(scored: dict[int, Score], moments: Sequence[int], then: dict[str, int], urgency: int) -> int:
    """`moments`: of all scores since it was so urgent. What is not known now counts as it did `then`."""
    at_most = {at_s: urgency_of(then | scored[at_s].points) for at_s in moments}
    lower = [at_s for at_s, level in at_most.items() if level < urgency]
    if not lower or lower[-1] != moments[-1] or lower[-1] - lower[0] < HOLD_S:
        return urgency
    return max(at_most[at_s] for at_s in lower)
