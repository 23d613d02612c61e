"""From an acknowledgement to the card in somebody else's Chromium, while 999 raw streams share the audience."""

import http.client
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import machine
from bench.crowd import OPENED_PER_S, quantile
from bench.load import Load
from bench.servers import PEOPLE, Ours
from tests.support.servers import CHROMIUM, CHROMIUM_ARGS

_OTHERS = 999
_CALIBRATIONS = 300
_PAUSE_S = 0.1  # longer than news are gathered for: each act is a frame of its own

# When each card first stood there in each state, in ms of the page's monotonic clock.
_RECORD = """
() => {
  window.shown = {};
  const note = ({ id, dataset: { state } }) => (shown[`${id} ${state}`] ??= performance.now());
  new MutationObserver((records) => records.forEach((record) => {
    if (record.type === "attributes") note(record.target);
    record.addedNodes.forEach((node) => node.matches?.("article") && note(node));
  })).observe(document.getElementById("alert-list"),
    { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
}
"""


@dataclass(frozen=True)
class Times:
    """Of many acts, in ms."""

    p50: float
    p99: float
    least: float


@dataclass(frozen=True)
class Acts:
    acknowledged: Times
    raised: Times
    load_average: float


def measure(program: Path, folder: Path, acts: int) -> Acts:
    """`acts`: how many alarms are raised and acknowledged."""
    ours = Ours(folder)
    same_audience = [request for request, who in zip(ours.requests, PEOPLE, strict=True) if who.startswith("nurse")]
    load = Load(program, ours.port, same_audience)
    try:
        load.give_way()  # in a hospital they are other machines: they take nothing from the browser's core
        load.open(_OTHERS // 2, OPENED_PER_S)  # and the others after the browser: it is neither served first nor last
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
            context = browser.new_context()
            context.add_cookies([{"name": "session", "value": ours.passes[1].cookie, "url": ours.server.url}])
            page = context.new_page()
            page.goto(f"{ours.server.url}/alerts")
            page.wait_for_selector('body[data-live="live"]')
            load.open(_OTHERS - _OTHERS // 2, OPENED_PER_S)
            page.evaluate(_RECORD)
            return _of_acts(ours, page, acts)
    finally:
        load.close()
        ours.stop()


def _of_acts(ours: Ours, page: Page, acts: int) -> Acts:
    nurse = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=30)
    headers = {"Cookie": f"session={ours.passes[0].cookie}", "Accept": "application/json"}
    headers["X-CSRF-Token"] = _csrf_token(nurse, headers)
    offset_ms = _page_clock_ms(page)
    acknowledged, raised = [], []
    for alert_id in range(1, acts + 1):  # a new database numbers its alerts from 1
        raised.append(_ms_to(page, f"alert-{alert_id} open", ours.raise_alarm, offset_ms))
        acknowledge = partial(_post, nurse, f"/alerts/{alert_id}/acknowledgement", headers)
        acknowledged.append(_ms_to(page, f"alert-{alert_id} acknowledged", acknowledge, offset_ms))
    return Acts(_times(acknowledged), _times(raised), machine.load_average())


def _times(ms: list[float]) -> Times:
    return Times(quantile(sorted(ms), 0.5), quantile(sorted(ms), 0.99), min(ms))


def _ms_to(page: Page, shown: str, act: Callable[[], object], offset_ms: float) -> float:
    """From the act's first byte until the page shows what it leads to."""
    began_ms = time.monotonic() * 1000
    act()
    at_ms: float = page.wait_for_function("what => window.shown[what]", arg=shown).json_value()
    time.sleep(_PAUSE_S)
    return at_ms + offset_ms - began_ms


def _page_clock_ms(page: Page) -> float:
    """What to add to the page's clock to get ours; the shortest of many asks is the most exact."""
    asked = []
    for _ in range(_CALIBRATIONS):
        before = time.monotonic() * 1000
        there: float = page.evaluate("performance.now()")
        after = time.monotonic() * 1000
        asked.append((after - before, (before + after) / 2 - there))
    return min(asked)[1]


def _csrf_token(nurse: http.client.HTTPConnection, headers: dict[str, str]) -> str:
    nurse.request("GET", "/alerts", headers=headers | {"Accept": "text/html"})
    page = nurse.getresponse().read().decode()
    found = re.search(r'<meta name="csrf-token" content="([^"]*)"', page)
    assert found, "the page has no token"
    return found[1]


def _post(nurse: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    nurse.request("POST", path, headers=headers | {"Idempotency-Key": str(uuid.uuid4())})
    answer = nurse.getresponse()
    assert answer.status == 200, (path, answer.status, answer.read())
    answer.read()
