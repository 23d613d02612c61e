"""Counters of this process. Doors count here; operations/metrics.py shows them. No label ever names a person."""

from collections import defaultdict

_counts: defaultdict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter; labels are few and fixed (kind, reason, code), never taken from a message."""
    _counts[name, tuple(sorted(labels.items()))] += amount


def counted(name: str, **labels: str) -> float:
    """The sum of a counter over every label that is not named."""
    wanted = set(labels.items())
    return sum(value for (key, has), value in _counts.items() if key == name and wanted <= set(has))


def rows() -> list[tuple[str, dict[str, str], float]]:
    return [(name, dict(labels), value) for (name, labels), value in sorted(_counts.items())]


def forget() -> None:
    """Tests only: start from nothing."""
    _counts.clear()
