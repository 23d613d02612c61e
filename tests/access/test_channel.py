"""Nobody signs in over a line that others can read, and only a proxy that we trust may say what the line was."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from hospital.settings import BadSetting
from tests.access.strangers import new_token
from tests.support.alarms import alarm
from tests.support.house import House

ELSEWHERE = "192.0.2.7"
SAID = "This connection is not encrypted"


@pytest.fixture
def ward(house: House) -> Flask:
    """The same hospital without the invented one's leniency, behind a proxy at 10.0.0.5 or anywhere in 10.1.0.0/16."""
    chosen = house.settings.but(demo=False, trusted_proxies="10.0.0.5, 10.1.0.0/16, fd00::/8")
    app = create_app(chosen)
    app.testing = True
    return app


@pytest.mark.parametrize("path", ["/sign-in", "/alerts", "/live/stream?view=alerts", "/board"])
def test_without_tls_a_client_from_elsewhere_is_told_why_it_gets_nothing(ward: Flask, path: str) -> None:
    answer = ask(ward, path, ELSEWHERE)
    assert answer.status_code == 403
    assert SAID in answer.text
    assert "https://" in answer.text
    assert "csrf_token" not in answer.text


def test_no_password_is_looked_at_that_came_in_the_clear(ward: Flask) -> None:
    answer = sign_in(ward, ELSEWHERE)
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (403, [])


def test_no_token_of_a_sender_is_taken_in_the_clear(house: House, ward: Flask) -> None:
    headers = {"Authorization": f"Bearer {new_token(house)}", "Content-Type": "x-application/hl7-v2+er7"}
    for address, status in ((ELSEWHERE, 403), ("127.0.0.1", 202)):
        answer = ward.test_client().post(
            "/api/v1/hl7", data=alarm(), headers=headers, environ_base={"REMOTE_ADDR": address}
        )
        assert answer.status_code == status


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_on_the_same_machine_nobody_reads_along(ward: Flask, address: str) -> None:
    assert cookies(sign_in(ward, address)) == {"session", "device"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/internal/metrics", "/static/css/main.css"])
def test_what_knows_nobody_is_answered_to_everybody(ward: Flask, path: str) -> None:
    answer = ask(ward, path, ELSEWHERE)
    answer.close()
    assert answer.status_code == 200


def test_the_invented_hospital_may_be_shown_around_the_house(house: House) -> None:
    """Its passwords stand in the README: there is nothing to read along."""
    assert cookies(sign_in(house.app, ELSEWHERE)) == {"session", "device"}


def test_a_network_that_is_trusted_with_passwords_is_a_setting(house: House) -> None:
    app = create_app(house.settings.but(demo=False, plain_http=True))
    assert ask(app, "/sign-in", ELSEWHERE).status_code == 200


@pytest.mark.parametrize("proxy", ["10.0.0.5", "10.1.200.3", "fd00::8"])
def test_behind_a_trusted_proxy_with_tls_the_cookie_never_leaves_tls(ward: Flask, proxy: str) -> None:
    answer = sign_in(ward, proxy, {"X-Forwarded-Proto": "https", "X-Forwarded-For": ELSEWHERE})
    assert cookies(answer) == {"__Host-session", "__Host-device"}
    assert all("; Secure" in given for given in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("proxy", [ELSEWHERE, "10.0.0.6", "10.2.0.1", ""])
def test_nobody_else_can_say_that_the_line_was_encrypted(ward: Flask, proxy: str) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
    assert ask(ward, "/sign-in", proxy, headers).status_code == 403


@pytest.mark.parametrize(
    ("chain", "status"),
    [
        ("127.0.0.1", 200),  # the proxy speaks for a program on its own machine
        ("127.0.0.1, 192.0.2.7", 403),  # whoever it was made the first up
        ("192.0.2.7, 10.1.0.9", 403),
        ("127.0.0.1, 10.1.0.9", 200),
        ("", 403),
    ],
)
def test_who_asks_is_the_last_whom_no_trusted_proxy_stands_for(ward: Flask, chain: str, status: int) -> None:
    headers = {"X-Forwarded-For": chain} if chain else {}
    assert ask(ward, "/sign-in", "10.0.0.5", headers).status_code == status


def test_a_proxy_that_says_plain_is_believed_too(ward: Flask) -> None:
    headers = {"X-Forwarded-Proto": "http", "X-Forwarded-For": ELSEWHERE}
    assert ask(ward, "/sign-in", "10.0.0.5", headers, base_url="https://localhost").status_code == 403


def test_a_cookie_that_was_planted_without_tls_is_not_taken_over_tls(house: House) -> None:
    kept = house.visitor("nurse").client.get_cookie("session")
    assert kept is not None
    headers = {"Cookie": f"session={kept.value}"}
    browser = house.app.test_client(use_cookies=False)
    assert browser.get("/alerts", headers=headers).status_code == 200
    assert browser.get("/alerts", headers=headers, base_url="https://localhost").status_code == 302


def test_a_proxy_that_cannot_be_read_ends_the_start(house: House) -> None:
    with pytest.raises(BadSetting, match="HOSPITAL_TRUSTED_PROXIES"):
        create_app(house.settings.but(trusted_proxies="the one in the cellar"))


def ask(app: Flask, path: str, address: str, headers: dict[str, str] | None = None, **how: Any) -> TestResponse:
    return app.test_client().get(
        path, headers={"Accept": "text/html"} | (headers or {}), environ_base={"REMOTE_ADDR": address}, **how
    )


def sign_in(app: Flask, address: str, headers: dict[str, str] | None = None) -> TestResponse:
    client, base = app.test_client(), {"REMOTE_ADDR": address}
    form = client.get("/sign-in", headers=headers, environ_base=base).text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', form) or ["none"]
    fields = {"name": "nurse", "password": "demo-nurse", "csrf_token": token[0]}
    return client.post("/sign-in", data=fields, headers=headers, environ_base=base)


def cookies(answer: TestResponse) -> set[str]:
    return {given.partition("=")[0] for given in answer.headers.getlist("Set-Cookie")}
