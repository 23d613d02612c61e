"""POST /csp-reports: that the policy was broken is counted, and nothing that a report says is kept."""

import json
from typing import Any

import pytest

from hospital import meters, settings
from hospital.pages.headers import POLICY
from tests.support.house import House


def post(house: House, body: Any, **how: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.visitor().client.post("/csp-reports", data=data, content_type="application/csp-report", **how)


def broken(directive: str, **more: Any) -> dict[str, Any]:
    return {"csp-report": {"effective-directive": directive, "violated-directive": directive} | more}


def counted() -> dict[str, float]:
    return {labels["directive"]: n for name, labels, n in meters.rows() if name == "csp_violations_total"}


def test_a_report_is_counted_by_its_directive(house: House) -> None:
    for directive in ("script-src-elem", "script-src-attr", "style-src", "img-src"):
        assert post(house, broken(directive)).status_code == 204
    assert post(house, {"csp-report": {"violated-directive": "form-action 'self'"}}).status_code == 204
    assert counted() == {"script-src": 2, "style-src": 1, "img-src": 1, "form-action": 1}


def test_every_directive_of_our_policy_is_known(house: House) -> None:
    directives = [part.split()[0] for part in POLICY.split("; ") if not part.startswith("report-")]
    for directive in directives:
        post(house, broken(directive))
    assert set(counted()) == set(directives)


def test_nothing_that_it_says_is_kept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    said = {"document-uri": "https://x/Testmann", "blocked-uri": "Testmann", "script-sample": "Testmann"}
    post(house, broken("Testmann-src", **said))
    post(house, broken("script-src Testmann", **said))
    post(house, b"Testmann")

    assert counted() == {"other": 1, "script-src": 1}
    assert "Testmann" not in caplog.text + house.visitor().get("/internal/metrics").text
    assert not [name for name in house.settings.instance.iterdir() if b"Testmann" in name.read_bytes()]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"csp-report": {"effective-directive": "\xff"}}',
        b'{"csp-report": 1}',
        b"[" * 16_000,
        b'{"csp-report":' * 1_100,
        b"\xff\xfe{}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_nonsense_is_refused(house: House, nonsense: bytes) -> None:
    assert post(house, nonsense).status_code == 400
    assert counted() == {}


def test_a_report_that_is_too_long_is_refused(house: House) -> None:
    assert post(house, broken("script-src", sample="x" * 16_384)).status_code == 413
    assert counted() == {}


def test_a_flood_of_them_is_refused_with_when_to_come_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "current", settings.current.but(csp_reports_per_minute=2))
    answers = [post(house, broken("img-src")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [204, 204, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert counted() == {"img-src": 2}
