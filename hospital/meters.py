"""What this process counts. Doors count here; operations/metrics.py shows it. No label ever names a person."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

_counts: defaultdict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)


@dataclass
class Histogram:
    """`within[n]`: how many were at most `bounds[n]` and above the bound before; the last of them: above all bounds."""

    bounds: tuple[float, ...]
    total: float = 0.0
    within: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.within = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.within[bisect_left(self.bounds, value)] += 1
        self.total += value


_histograms: dict[str, Histogram] = {}
_gauges: dict[str, Callable[[], list[tuple[dict[str, str], float]]]] = {}


def gauge(name: str, read: Callable[[], list[tuple[dict[str, str], float]]]) -> None:
    """What is read anew each time that somebody asks: labels and how many."""
    _gauges[name] = read


def gauges() -> list[tuple[str, list[tuple[dict[str, str], float]]]]:
    return [(name, read()) for name, read in sorted(_gauges.items())]


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter; labels are few and fixed (kind, reason, code), never taken from a message."""
    _counts[name, tuple(sorted(labels.items()))] += amount


def observe(name: str, value: float, bounds: tuple[float, ...]) -> None:
    """Put a value into a histogram whose bounds are always the same."""
    _histograms.setdefault(name, Histogram(bounds)).add(value)


def counted(name: str, **labels: str) -> float:
    """The sum of a counter over every label that is not named."""
    wanted = set(labels.items())
    return sum(value for (key, has), value in _counts.items() if key == name and wanted <= set(has))


def rows() -> list[tuple[str, dict[str, str], float]]:
    return [(name, dict(labels), value) for (name, labels), value in sorted(_counts.items())]


def histograms() -> list[tuple[str, Histogram]]:
    return sorted(_histograms.items())


def forget() -> None:
    """Tests only: start from nothing."""
    _counts.clear()
    _histograms.clear()
