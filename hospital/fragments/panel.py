"""Alerts in numbers, in words: what the metrics page says of what hospital/fragments/counting.py has counted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hospital.fragments import words
from hospital.fragments.counting import Counted, Most, Tally, Waiting, What, limit_s
from hospital.fragments.moment import Moment, moment, moment_or_none
from hospital.fragments.words import gettext
from hospital.triage.conditions import LINK, NEWS2, WORDS
from hospital.vocabulary import N_, Priority

_STEPS = (N_("nurses"), N_("charge nurse"), N_("physician"))
_LIMITS_SHOWN = 3  # a bar of durations ends at three times the limit
_LEAST_PERCENT = 5  # of a bar: what is there can be seen
_PER = {5: N_("Raised in each 5 minutes"), 60: N_("Raised in each hour"), 360: N_("Raised in each 6 hours")}
_EVENTS = {196680: N_("Lead off"), 196916: N_("Sensor disconnected"), 196940: N_("Fluid line blocked")}  # MDC
_CONDITIONS = {f"{vital}-{side}": f"{word} {side}" for vital, word in WORDS.items() for side in ("low", "high")}
_CONDITIONS |= {NEWS2: "NEWS2", LINK: "No data from the monitor"}
_NOTHING = "–"

Bar = tuple[str, str, int, int]  # key, word, number, its share of the largest in percent


@dataclass(frozen=True)
class Now:
    """What is open, whatever range is shown beside it. `tables`: title, of what, bars."""

    version: int
    open: int
    unacknowledged: int
    oldest: Moment | None
    tables: list[tuple[str, str, list[Bar]]]
    at: Moment


@dataclass(frozen=True)
class Part:
    """A number of a whole; `text` is its percents, '–' of nothing."""

    number: int
    percent: int
    text: str


@dataclass(frozen=True)
class Parts:
    """What became of `raised` alerts."""

    raised: int
    in_time: Part
    told_charge: Part
    told_physician: Part
    unseen: Part


@dataclass(frozen=True)
class Times:
    """How long it took, as texts ('1:12'); `median` and `p90` in percent of a bar that ends at three limits."""

    median: int
    p90: int
    median_text: str
    p90_text: str
    limit_text: str
    resolved_text: str


@dataclass(frozen=True)
class Row:
    """The alerts of one priority. `bars`: how many in each, and its height in percent of the highest of all rows."""

    key: str
    word: str
    bars: list[tuple[int, int]]
    times: Times
    parts: Parts


@dataclass(frozen=True)
class Top:
    """`needed` and `unseen` are percents of the longest bar: what did not end by itself, and what did."""

    word: str
    raised: int
    needed: int
    unseen: int
    unseen_text: str


@dataclass(frozen=True)
class Metrics:
    """One range. `ticks`: when each bar begins, and what stands under it. `tops`: of what, title, tops."""

    hours: int
    version: int
    parts: Parts
    rows: list[Row]
    per: str
    ticks: list[tuple[str, str]]
    tops: list[tuple[str, str, list[Top]]]
    since: Moment
    until: Moment


def now_shown(waiting: Waiting, zone: ZoneInfo) -> Now:
    priorities = [(one.value, _of_priority(one), waiting.by_priority.get(one, 0)) for one in Priority]
    units = [(unit or "", unit or gettext("Unassigned"), number) for unit, number in waiting.by_unit.items()]
    steps = [(word, gettext(word).capitalize(), waiting.by_step.get(step, 0)) for step, word in enumerate(_STEPS)]
    return Now(
        version=_version(waiting.at),
        open=waiting.open,
        unacknowledged=waiting.unacknowledged,
        oldest=moment_or_none(waiting.oldest, zone),
        tables=[
            (gettext("By priority"), "priority", _bars(priorities)),
            (gettext("By unit"), "unit", _bars(units)),
            (gettext("By who has been told"), "step", _bars(steps)),
        ],
        at=moment(waiting.at, zone, seconds=True),
    )


def shown(counted: Counted, zone: ZoneInfo) -> Metrics:
    range_ = counted.range
    highest = max((number for bars in counted.bars.values() for number in bars), default=0)
    form = "%H:%M" if 0 < range_.hours <= 24 else "%Y-%m-%d %H:%M"
    ticks = zip(range_.bars(zone), range_.words(zone), strict=True)
    return Metrics(
        hours=range_.hours,
        version=_version(range_.until),
        parts=_parts(list(counted.tallies.values())),
        rows=[_row(one, counted.tallies[one], counted.bars[one], highest) for one in Priority],
        per=gettext(_PER.get(range_.bar_minutes, N_("Raised on each day"))),
        ticks=[(bar.astimezone(zone).strftime(form), word) for bar, word in ticks],
        tops=[
            ("bed", gettext("Beds with the most alerts"), _tops(counted.beds, str)),
            ("limit", gettext("What alarmed most"), _tops(counted.limits, _of_limit)),
        ],
        since=moment(range_.since, zone, old=True),
        until=moment(range_.until, zone, old=not range_.hours, seconds=bool(range_.hours)),
    )


def _row(priority: Priority, tally: Tally, bars: list[int], highest: int) -> Row:
    return Row(
        priority.value,
        _of_priority(priority),
        [(number, _share(number, highest)) for number in bars],
        _times(tally, limit_s(priority)),
        _parts([tally]),
    )


def _times(tally: Tally, limit: float) -> Times:
    def of_bar(seconds: float | None) -> int:
        return min(100, _share(seconds or 0, _LIMITS_SHOWN * limit)) if seconds is not None else 0

    taken, resolved = tally.taken, tally.resolved
    texts = (_span(seconds) for seconds in (taken.median_s, taken.p90_s, limit, resolved.median_s))
    return Times(of_bar(taken.median_s), of_bar(taken.p90_s), *texts)


def _parts(tallies: list[Tally]) -> Parts:
    def total(name: str) -> int:
        return sum(getattr(tally, name) for tally in tallies)

    raised = total("raised")
    told = (_part(total(name), raised) for name in ("told_charge", "told_physician", "unseen"))
    return Parts(raised, _part(total("in_time"), total("due")), *told)


def _tops(most: list[Most], word: Callable[[Any], str]) -> list[Top]:
    longest = max((one.raised for one in most), default=0)
    return [
        Top(
            word(one.what),
            one.raised,
            round(100 * (one.raised - one.unseen) / longest),
            round(100 * one.unseen / longest),
            _part(one.unseen, one.raised).text,
        )
        for one in most
    ]


def _of_priority(priority: Priority) -> str:
    return gettext(words.PRIORITIES[priority]).capitalize()


def _of_limit(what: What) -> str:
    """What an alert was about, without a word that a device has sent: that may name somebody."""
    key, event, source, kind = what
    if key:
        return words.rule(_CONDITIONS.get(key, key))
    if event in _EVENTS:
        return gettext(_EVENTS[event])
    codes = " / ".join(str(code) for code in (event, source) if code)
    kind_word = gettext(words.KINDS[kind]).capitalize()
    return f"{kind_word}: {codes}" if codes else kind_word


def _bars(counts: Iterable[tuple[str, str, int]]) -> list[Bar]:
    counts = list(counts)
    most = max((number for _, _, number in counts), default=0)
    return [(key, word, number, _share(number, most)) for key, word, number in counts]


def _share(number: float, whole: float) -> int:
    """In percent; what is there at all can be seen."""
    return max(_LEAST_PERCENT, round(100 * number / whole)) if number and whole else 0


def _part(number: int, whole: int) -> Part:
    percent = round(100 * number / whole) if whole else 0
    return Part(number, percent, f"{percent} %" if whole else _NOTHING)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return _NOTHING
    whole = int(seconds)
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d}"


def _version(at: datetime) -> int:
    return int(at.timestamp() * 1000)
