"""Six real stays, two days each, played side by side at 3,600 times real speed over MLLP; each alert reckoned again.

A server that takes what is two days old as if it were of now (a setting) must come to the same alerts as one to which
each reading comes at its time (test_real_stays.py), since rules know no times but those of observation.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.journey.stays import expected, read_stay
from tests.journey.test_real_stays import FILES, STAYS
from tests.support.server import ROOT, Server

FACTOR = 3_600
WEEK_S = str(7 * 86_400)
BY_PEOPLE_AND_TIMERS = {"escalated", "expired"}

Courses = dict[str, list[tuple[str, str, str]]]  # by condition: what happened, the priority and the value


def courses(lines: Iterable[tuple[str, str, str, str]]) -> Courses:
    found: Courses = defaultdict(list)
    for condition, *what in lines:
        happening, priority, value = what
        found[condition].append((happening, priority, value))
    return dict(found)


def told(server: Server) -> dict[str, Courses]:
    """By bed."""
    query = text(
        "SELECT bed.code, alert.condition_key, journal.happening, json_extract(journal.facts, '$.priority'), "
        "json_extract(journal.facts, '$.value') FROM journal JOIN alert ON alert.id = alert_id "
        "JOIN bed ON bed.id = alert.bed_id ORDER BY journal.number"
    )
    engine = create_engine(f"sqlite:///{server.folder / 'hospital.db'}")
    by_bed: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    with engine.connect() as connection:
        for bed, *line in connection.execute(query):
            if line[1] not in BY_PEOPLE_AND_TIMERS:
                by_bed[bed].append(tuple(line))
    engine.dispose()
    return {bed: courses(lines) for bed, lines in by_bed.items()}


@pytest.mark.slow
@pytest.mark.skipif(not FILES.is_dir(), reason="the shared stays are not beside this checkout")
def test_six_stays_over_mllp_lead_to_the_alerts_that_a_second_reckoning_finds(
    new_server: Callable[..., Any],
) -> None:
    server = new_server(HOSPITAL_HISTORY_AFTER_S=WEEK_S, HOSPITAL_LINK_LOSS_S=WEEK_S)
    files = [str(FILES / f"{name}.txt") for name in STAYS]
    how = ["--port", str(server.mllp_port), "--factor", str(FACTOR)]
    command = [sys.executable, "-m", "hospital.simulator.replay", *files, *how]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    print(f"\n{played.stdout.strip()}")
    meant = {}
    for number, name in enumerate(STAYS, 1):
        lines = expected(read_stay((FILES / f"{name}.txt").read_text())).lines
        meant[f"MED-{number:02d}"] = courses(line[1:] for line in lines)
    assert told(server) == meant
