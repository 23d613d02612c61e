"""Is it alive, is it ready? For whoever watches the process: without a sign-in, and without a word of a patient."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hospital import records
from tests.support.house import House


def test_a_process_that_answers_is_alive(house: House) -> None:
    answer = house.visitor().get("/health/live")
    assert (answer.status_code, answer.json) == (200, {"status": "live"})


def test_a_process_whose_database_answers_is_ready(either_house: House) -> None:
    answer = either_house.visitor().get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_a_process_without_its_database_is_alive_but_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("SELECT", {}, Exception("/secret/path is gone"))

    monkeypatch.setattr(records, "read", away)
    stranger = house.visitor()
    answer = stranger.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "reason": "The database does not answer."}
    assert stranger.get("/health/live").status_code == 200


def test_a_database_without_its_tables_is_not_ready(house: House) -> None:
    records.write(None, lambda session: session.execute(text("ALTER TABLE hospital RENAME TO elsewhere")))
    assert house.visitor().get("/health/ready").status_code == 503


def test_health_asks_for_no_session(house: House) -> None:
    """It must be able to tell that the database is away."""
    client = house.app.test_client()
    client.set_cookie("session", "whatever")
    assert client.get("/health/live").status_code == 200
