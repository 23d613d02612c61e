"""What the database ends with: the journal's lines, the alerts, who has acknowledged, which messages were taken."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """A journal line of one hospital. `unit` None: unassigned; `state` of the alert after it."""

    number: int
    happening: str
    alert: int
    person: str | None
    unit: str | None
    state: str


@dataclass(frozen=True)
class Stored:
    """An alert as it is. `alert_id`: its sender's name for it."""

    id: int
    hospital: str
    unit: str | None
    alert_id: str
    state: str
    version: int


@dataclass(frozen=True)
class Truth:
    """`epochs`: hospital → epoch; `messages`: how often each (hospital, control id) is kept as accepted."""

    epochs: dict[str, str]
    lines: dict[str, list[Line]]
    alerts: dict[int, Stored]
    messages: dict[tuple[str, str], int]


def read_truth(folder: Path) -> Truth:
    """Of an embedded database, whether its server runs or not."""
    with closing(sqlite3.connect(folder / "hospital.db")) as database:
        hospitals = dict(database.execute("SELECT id, code FROM hospital"))
        units = dict(database.execute("SELECT id, code FROM unit"))
        people = dict(database.execute("SELECT id, name FROM person"))
        lines: dict[str, list[Line]] = {code: [] for code in hospitals.values()}
        for hospital, number, happening, alert, person, unit, facts in database.execute(
            "SELECT hospital_id, number, happening, alert_id, person_id, unit_after, facts FROM journal ORDER BY number"
        ):
            state = json.loads(facts)["state"]
            lines[hospitals[hospital]].append(
                Line(number, happening, alert, people.get(person), units.get(unit), state)
            )
        alerts = {
            id: Stored(id, hospitals[hospital], units.get(unit), name, state, version)
            for id, hospital, unit, name, state, version in database.execute(
                "SELECT id, hospital_id, unit_id, sender_alert_id, state, version FROM alert"
            )
        }
        messages = {
            (hospitals[hospital], control_id): kept
            for hospital, control_id, kept in database.execute(
                "SELECT hospital_id, control_id, count(*) FROM message"
                " WHERE verdict = 'accepted' AND hospital_id IS NOT NULL GROUP BY 1, 2"
            )
        }
        epochs = dict(database.execute("SELECT code, epoch FROM hospital"))
    return Truth(epochs, lines, alerts, messages)
