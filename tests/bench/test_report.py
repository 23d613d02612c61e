"""The tables tell medians, ratios within a round, and what could not be measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench import report
from bench.crowd import Figures
from bench.servers import Ours

_ONE = Figures(
    open_p99_ms=5.0,
    memory_kb=1.0,
    cpu_ms=8.0,
    broadcast_ms=100.0,
    broadcast_p99_ms=120.0,
    lost=0,
    load_share=0.4,
    load_average=0.5,
)


def cells(table: str, server: str) -> list[str]:
    row = next(line for line in table.splitlines() if line.startswith(f"| {server}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_ratio_is_taken_within_a_round() -> None:
    ours: report.Rounds = [_ONE, replace(_ONE, cpu_ms=16.0), replace(_ONE, cpu_ms=8.0)]
    its: report.Rounds = [replace(_ONE, cpu_ms=ms) for ms in (10.0, 40.0, 10.0)]  # the second round was a noisy one
    told = report.of_crowds({(100, Ours.name): ours, (100, "peer"): its})
    assert cells(told, "peer")[1:3] == ["10.0 (10.0–40.0)", "0.80 (0.40–0.80)"]


def test_losses_are_added_up_and_the_busiest_load_client_is_told() -> None:
    rounds: report.Rounds = [replace(_ONE, lost=1), replace(_ONE, lost=2, load_share=0.9)]
    assert cells(report.of_crowds({(100, Ours.name): rounds}), Ours.name)[8:10] == ["3", "90%"]


def test_a_peer_that_is_not_here_says_why() -> None:
    told = report.of_crowds({(100, Ours.name): [_ONE], (100, "nchan"): ["not here: apt-get install it"]})
    assert cells(told, "nchan")[1] == "not here: apt-get install it"


def test_a_round_that_failed_is_told_beside_those_that_did_not() -> None:
    told = report.of_crowds({(100, Ours.name): [_ONE, _ONE], (100, "peer"): [_ONE, "lost 3"]})
    assert cells(told, "peer")[0] == "peer (1 of 2 rounds failed: lost 3)"


def test_only_its_own_section_of_the_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("A\n<!-- slow -->\nold\n<!-- /slow -->\nB\n<!-- storm -->\nkept\n<!-- /storm -->\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.put("slow", "new")
    assert page.read_text() == "A\n<!-- slow -->\n\nnew\n\n<!-- /slow -->\nB\n<!-- storm -->\nkept\n<!-- /storm -->\n"
