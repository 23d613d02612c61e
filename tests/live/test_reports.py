"""POST /live/reports: browsers tell how they fare; it is counted, and nothing else is taken."""

from collections.abc import Callable
from typing import Any

import pytest

from hospital import meters
from hospital.access.pace import PerMinute
from hospital.live import reports
from tests.support.house import House, Visitor

_BODY = {"errors": {"stream": 2, "swap": 0, "script": 1, "worker": 0, "act": 0}, "paint_ms": [4, 12.5, 99, 20_000]}


@pytest.fixture(autouse=True)
def a_new_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_pace", PerMinute())


def test_what_went_wrong_is_counted_by_its_kind(house: House) -> None:
    assert _report(house.visitor("nurse"), _BODY) == 204
    assert _report(house.visitor("charge"), _BODY) == 204
    counted = {kind: meters.counted("browser_errors_total", kind=kind) for kind in ("stream", "swap", "script")}
    assert counted == {"stream": 4, "swap": 0, "script": 2}


def test_times_to_the_screen_are_a_histogram_for_prometheus(house: House) -> None:
    _report(house.visitor("nurse"), _BODY)
    told = house.visitor().get("/internal/metrics").text
    for line in (
        'hospital_browser_paint_ms_bucket{le="10.0"} 1.0',
        'hospital_browser_paint_ms_bucket{le="20.0"} 2.0',
        'hospital_browser_paint_ms_bucket{le="100.0"} 3.0',
        'hospital_browser_paint_ms_bucket{le="10000.0"} 3.0',
        'hospital_browser_paint_ms_bucket{le="+Inf"} 4.0',
        "hospital_browser_paint_ms_count 4.0",
        "hospital_browser_paint_ms_sum 20115.5",
    ):
        assert line in told.splitlines()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"errors": {"\xff": 1}, "paint_ms": []}',
        {"errors": {"stream": 1}},
        {"errors": {"patient": 1}, "paint_ms": []},
        {"errors": {"stream": -1}, "paint_ms": []},
        {"errors": {"stream": "<b>"}, "paint_ms": []},
        {"errors": {"stream": 10**9}, "paint_ms": []},
        {"errors": {}, "paint_ms": ["Testmann"]},
        {"errors": {}, "paint_ms": [-1]},
        {"errors": {}, "paint_ms": [1] * 101},
        {"errors": {}, "paint_ms": [], "url": "/patients/7"},
        b'{"errors": {}, "paint_ms": []}' + b" " * 5_000,
    ],
)
def test_anything_else_is_refused_whole(house: House, body: Any) -> None:
    assert _report(house.visitor("nurse"), body) == (413 if len(body) > 4_096 else 400)
    assert meters.counted("browser_errors_total") == 0 and meters.histograms() == []


def test_one_person_hands_in_only_so_many_a_minute_and_others_are_not_held_up(
    house: House, set_to: Callable[..., None]
) -> None:
    set_to(reports_per_minute=2)
    nurse = house.visitor("nurse")
    assert [_report(nurse, _BODY) for _ in range(3)] == [204, 204, 429]
    assert _report(house.visitor("nurse2"), _BODY) == 204


def test_a_report_without_the_pages_token_is_refused(house: House) -> None:
    assert house.visitor("nurse").client.post("/live/reports", json=_BODY).status_code == 403


def _report(visitor: Visitor, body: Any) -> int:
    given = {"data": body, "content_type": "application/json"} if isinstance(body, bytes) else {"json": body}
    return visitor.client.post("/live/reports", headers={"X-CSRF-Token": visitor.csrf_token}, **given).status_code
