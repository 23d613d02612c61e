"""A simulated colleague at a real server: signs in, takes what nobody takes, and ends what is over."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, text

from hospital.simulator.alerts_page import Desk
from hospital.simulator.staff import PEOPLE, Colleague, work
from tests.support.alarms import alarm
from tests.support.server import Server
from tests.support.web import Web

NURSE = PEOPLE[0]
STANDING_STILL = "0.000001"  # the server's own simulators: they begin, and then nothing happens


def who_did(server: Server, happening: str, bed: str) -> list[str]:
    engine = create_engine(f"sqlite:///{server.folder / 'hospital.db'}")
    query = text(
        "SELECT person.display_name FROM journal JOIN person ON person.id = person_id "
        "JOIN alert ON alert.id = alert_id JOIN bed ON bed.id = alert.bed_id "
        "WHERE lower(journal.happening) = :happening AND bed.code = :bed"
    )
    with engine.connect() as connection:
        names = list(connection.execute(query, {"happening": happening, "bed": bed}).scalars())
    engine.dispose()
    return names


def test_a_simulated_nurse_takes_an_alert_and_ends_it(new_server: Callable[..., Any]) -> None:
    server = new_server(HOSPITAL_SIMULATE="1", HOSPITAL_SIMULATE_STAFF="1", HOSPITAL_SIMULATOR_SPEED=STANDING_STILL)
    at_work = [(Colleague(NURSE, seed=2), Desk(server.url, NURSE.name))]

    def until(happening: str) -> list[str]:
        give_up_at = time.monotonic() + 30
        work(
            at_work,
            speed=500,
            stop=lambda: bool(who_did(server, happening, "MED-07")) or time.monotonic() > give_up_at,
        )
        return who_did(server, happening, "MED-07")

    server.send(alarm(bed="MED^^MED-07", priority="high"))
    assert until("acknowledged") == [NURSE.display_name]
    server.send(alarm(bed="MED^^MED-07", priority="high", phase="end"))
    assert until("resolved") == [NURSE.display_name]
    assert NURSE.name not in Web(server, "nurse").get("/sign-in")
