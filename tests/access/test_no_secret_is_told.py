"""What opens a door stands nowhere but with its owner: not in the log, the counters, the audit or the database."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.boards import Wall
from tests.support.house import House, Visitor

TYPED = "Typed-by-mistake-8842"
FORM = {"Content-Type": "x-application/hl7-v2+er7"}


def post(visitor: Visitor, path: str, **fields: str) -> TestResponse:
    return visitor.client.post(path, data={"csrf_token": visitor.csrf_token, **fields})


def shown_in(page: str) -> str:
    """The secret that this page shows its owner this once."""
    (secret,) = re.findall(r'<p class="secret"><code>([^<]{12,})</code>', page)
    return str(secret)


def cookie_of(visitor: Visitor, name: str = "session") -> str:
    cookie = visitor.client.get_cookie(name, path="/" if name == "session" else "/pair")
    assert cookie is not None
    return cookie.value


@pytest.fixture
def told(house: House, caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that an operator, a thief of the disk or a reader of the audit gets to see."""
    caplog.set_level("DEBUG")
    admin = house.visitor("admin")

    def collect() -> str:
        folder: Path = house.settings.instance
        disk = b"".join(file.read_bytes() for file in folder.iterdir()).decode("latin-1")
        pages = [admin.get(path).text for path in ("/admin/audit", "/admin/audit/export", "/internal/metrics")]
        return "\n".join((caplog.text, disk, *pages))

    return collect


def test_no_password_is_told(house: House, told: Callable[[], str]) -> None:
    visitor = house.visitor()
    visitor.sign_in("nurse", TYPED)
    visitor.sign_in(TYPED, "x")
    visitor.sign_in("nurse")
    post(visitor, "/account/password", old=TYPED, new=TYPED, again=TYPED, password=TYPED)
    page = post(house.visitor("admin"), f"/admin/people/{house.actor('nurse2').person_id}/password-reset").text

    assert [word for word in (TYPED, shown_in(page)) if word in told()] == []


def test_no_token_is_told(house: House, told: Callable[[], str]) -> None:
    """Of a session, a sender, a screen that waits: right, wrong, or brought to a door that is not its own."""
    nurse, wall, token = house.visitor("nurse"), Wall.new(house), new_token(house)
    nurse.acknowledge(house.raise_alarm())
    nurse.get("/nothing")
    cookie = cookie_of(nurse)
    for bearer in (token, f"{token}x", cookie, TYPED):
        headers = FORM | {"Authorization": f"Bearer {bearer}"}
        for message in (alarm(), b"nonsense"):
            nurse.client.post("/api/v1/hl7", data=message, headers=headers)
    nurse.act("/alerts/1/notes", headers={"X-CSRF-Token": TYPED})
    post(nurse, "/sign-out")
    nurse.client.set_cookie("session", cookie)
    for path in ("/alerts", "/live/stream?view=alerts"):
        nurse.get(path)

    secrets = (cookie, token, cookie_of(wall.screen, "pairing"), wall.code, TYPED)
    assert all(len(secret) >= 8 for secret in secrets)
    assert [secret for secret in secrets if secret in told()] == []


def test_no_second_factor_is_told(house: House, told: Callable[[], str]) -> None:
    nurse = house.visitor("nurse")
    secret = shown_in(nurse.get("/account/second-factor").text).replace(" ", "")
    post(nurse, "/account/second-factor", code="842197")

    assert len(secret) >= 16
    assert [word for word in (secret, "842197") if word in told()] == []
