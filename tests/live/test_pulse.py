"""POST /live/pulse: what a wall board tells, and what is not a pulse."""

import pytest

from tests.support.boards import board, paired
from tests.support.house import House


def test_a_pulse_says_when_and_up_to_where(house: House) -> None:
    wall, before = paired(house)
    house.raise_alarm()
    cursor = f"{house.hospital().epoch}-{house.hospital().head}"
    assert wall.pulse(cursor) == 200
    after = board()
    assert (before.pulse_at, after.painted) == (None, cursor)
    assert after.pulse_at is not None and after.current_at == after.pulse_at


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"cursor": 7}', b'{"\xff": 1}',
                                  b'{"cursor": "e-1", "x": 1}', b'{"cursor": "-1"}',
                                  b'{"cursor": "e-1\\n"}', b'{"cursor": "' + b"e" * 300 + b'-1"}'])  # fmt: skip
def test_what_is_no_pulse_is_refused_and_changes_nothing(house: House, body: bytes) -> None:
    wall, before = paired(house)
    headers = {"X-CSRF-Token": wall.screen.csrf_token}
    answer = wall.screen.client.post("/live/pulse", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == (413 if len(body) > 200 else 400)
    assert board().painted == before.painted


def test_a_person_who_looks_at_the_board_is_none(house: House) -> None:
    nurse = house.visitor("nurse")
    answer = nurse.client.post("/live/pulse", json={"cursor": "e-1"}, headers={"X-CSRF-Token": nurse.csrf_token})
    assert answer.status_code == 404
    assert "data-paired" not in nurse.get("/board").text


def test_a_pulse_without_the_pages_token_is_refused(house: House) -> None:
    wall, _ = paired(house)
    assert wall.screen.client.post("/live/pulse", json={"cursor": "e-1"}).status_code == 403
