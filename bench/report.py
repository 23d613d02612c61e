"""Figures as the tables of docs/benchmarks.md: medians of rounds, ratios within a round, the noise between rounds."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

from bench.browser import Acts, Times
from bench.crowd import Figures
from bench.gzip import Gzip
from bench.servers import Ours
from bench.slow import Slow
from bench.storm import Storm

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"

Rounds = list[Figures | str]  # each round's figures, or why there are none
Crowds = dict[tuple[int, str], Rounds]  # screens and server

_CROWD_HEAD = (
    "CPU ms per 1,000 deliveries",
    "ours ÷ its",
    "broadcast complete, ms",
    "ours ÷ its",
    "p99 ms",
    "KB per idle screen",
    "opening, p99 ms",
    "lost",
    "load client",
    "load average",
)


def put(section: str, text: str) -> None:
    """Write this between the section's marks on the page; the prose around them stays."""
    page = PAGE.read_text()
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    assert begin in page and end in page, f"{PAGE.name} has no section {section}"
    before, _, rest = page.partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{rest.partition(end)[2]}")


def of_crowds(crowds: Crowds) -> str:
    """One table for each number of screens."""
    return "\n\n".join(_of_size(crowds, screens) for screens in sorted({screens for screens, _ in crowds}))


def of_acts(rounds: Sequence[Acts]) -> str:
    head = ("", "p50 ms", "p99 ms", "fastest ms", "load average")
    return _table(
        head,
        *(
            [
                what,
                _spread([pick(one).p50 for one in rounds]),
                _spread([pick(one).p99 for one in rounds]),
                _middle(pick(one).least for one in rounds),
                _middle(one.load_average for one in rounds),
            ]
            for what, pick in _ACTS.items()
        ),
    )


_ACTS: dict[str, Callable[[Acts], Times]] = {
    "acknowledgement → DOM": lambda one: one.acknowledged,
    "alarm (HL7) → DOM": lambda one: one.raised,
}


def of_gzip(rounds: Sequence[Gzip]) -> str:
    head = ("", "bytes of a card's frame", "CPU ms per 1,000 deliveries", "load average")
    return _table(
        head,
        ["plain", _middle(one.plain_bytes for one in rounds), _spread([one.plain_cpu_ms for one in rounds]), ""],
        ["gzip", _middle(one.gzip_bytes for one in rounds), _spread([one.gzip_cpu_ms for one in rounds]), ""],
        [
            "gzip ÷ plain",
            _spread([one.gzip_bytes / one.plain_bytes for one in rounds], 2),
            _spread([one.gzip_cpu_ms / one.plain_cpu_ms for one in rounds], 2),
            _middle(one.load_average for one in rounds),
        ],
    )


def of_slow(rounds: Sequence[Slow]) -> str:
    head = (
        "others' p99 without, ms",
        "with, ms",
        "ratio",
        "memory, KB more",
        "what became of it",
        "right",
        "load average",
    )
    return _table(
        head,
        [
            _spread([one.without_p99_ms for one in rounds]),
            _spread([one.with_p99_ms for one in rounds]),
            _spread([one.with_p99_ms / one.without_p99_ms for one in rounds], 2),
            _middle(one.memory_growth_kb for one in rounds),
            " / ".join(sorted({one.fate for one in rounds})),
            "always" if all(one.right for one in rounds) else "NOT ALWAYS",
            _middle(one.load_average for one in rounds),
        ],
    )


def of_storms(storms: Sequence[Storm]) -> str:
    head = ("clients", "down for, s", "all LIVE after, s", "lost", "resyncs", "refused tries", "load average")
    return _table(
        head,
        *(
            [
                f"{one.clients:,}",
                f"{one.down_s:.1f}",
                f"{one.live_s:.1f}",
                str(one.lost),
                str(one.resyncs),
                str(one.refused),
                f"{one.load_average:.1f}",
            ]
            for one in storms
        ),
    )


def _of_size(crowds: Crowds, screens: int) -> str:
    rows = [_row(name, crowds, screens) for size, name in crowds if size == screens]
    return _table((f"{screens:,} screens", *_CROWD_HEAD), *rows)


def _row(name: str, crowds: Crowds, screens: int) -> list[str]:
    rounds = crowds[screens, name]
    whole = [one for one in rounds if isinstance(one, Figures)]
    if not whole:
        return [name, str(rounds[0]), *[""] * (len(_CROWD_HEAD) - 1)]
    failed = [one for one in rounds if isinstance(one, str)]
    pairs = list(zip(crowds[screens, Ours.name], rounds, strict=True)) if name != Ours.name else []
    return [
        name + (f" ({len(failed)} of {len(rounds)} rounds failed: {failed[0]})" if failed else ""),
        _spread([one.cpu_ms for one in whole]),
        _ratio(pairs, lambda one: one.cpu_ms),
        _spread([one.broadcast_ms for one in whole], 0),
        _ratio(pairs, lambda one: one.broadcast_ms),
        _middle(one.broadcast_p99_ms for one in whole),
        _spread([one.memory_kb for one in whole], 2),
        _middle(one.open_p99_ms for one in whole),
        str(sum(one.lost for one in whole)),
        f"{max(one.load_share for one in whole):.0%}",
        _middle(one.load_average for one in whole),
    ]


def _ratio(pairs: list[tuple[Figures | str, Figures | str]], pick: Callable[[Figures], float]) -> str:
    """Ours to the peer's, in the same round."""
    both = [(ours, its) for ours, its in pairs if isinstance(ours, Figures) and isinstance(its, Figures)]
    return _spread([pick(ours) / pick(its) for ours, its in both], 2) if both else ""


def _middle(numbers: Iterable[float]) -> str:
    return f"{median(numbers):.1f}"


def _spread(numbers: Sequence[float], digits: int = 1) -> str:
    """The median, and from where to where the rounds lay."""
    told = f"{median(numbers):.{digits}f}"
    return told if len(numbers) == 1 else f"{told} ({min(numbers):.{digits}f}–{max(numbers):.{digits}f})"


def _table(head: Sequence[str], *rows: Sequence[str]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
