"""The vital signs around an alert: drawn, marked, growing while that time lasts, and there as numbers, too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hospital import clock
from tests.browser.desk import NewDesk, acknowledge_button, expect_live
from tests.support.alarms import alarm
from tests.support.readings import reading
from tests.support.server import Server

DRAWN = """() => {
  const canvas = document.querySelector('[data-trend="spo2"] canvas');
  return !!canvas && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte);
}"""


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """One of its own: after a while the readings raise alerts by themselves, in the middle of another test."""
    return new_server(HOSPITAL_BEAT_S="1")


def test_the_readings_around_an_alert_are_drawn_with_its_marks_and_stand_in_a_table(
    server: Server, new_desk: NewDesk
) -> None:
    page = _page(server, new_desk, "C1")
    page.wait_for_function(DRAWN)
    chart = page.get_by_role("img", name="SpO₂")
    expect(chart).to_have_attribute("aria-label", "SpO₂ %, half an hour before and after: from 84 to 97")
    expect(page.locator("[data-trend-marks] svg")).to_have_count(1)
    acknowledge_button(page, "MED-11").click()
    expect(page.locator("[data-trend-marks] svg")).to_have_count(2)
    assert page.evaluate(DRAWN)
    page.get_by_text("Readings as a table").click()
    expect(page.get_by_test_id("readings").locator("tbody tr")).to_have_count(4)


def test_from_the_alert_to_its_patient(server: Server, new_desk: NewDesk) -> None:
    page = _page(server, new_desk, "C2")
    page.get_by_test_id("patient").click()
    expect(page.locator("#patient-list article")).to_contain_text("MED-11")


def _page(server: Server, new_desk: NewDesk, number: str) -> Page:
    """A patient of this number, whom no other test knows."""
    who: dict[str, Any] = {"bed": "MED^^MED-11", "patient": f"{number}^^^Ward^PI||Chart^Carl^^^^^L||19610301|F"}
    for minutes, value in ((3, 97), (2, 96), (1, 90), (0, 84)):
        server.send(reading(**who, spo2=value, at=clock.now() - timedelta(minutes=minutes)))
    server.send(alarm(**who, priority="high"))
    page: Page = new_desk("nurse", at=server).open()
    path = page.locator('article[data-priority="high"] .place a').get_attribute("href")
    page.goto(f"{server.url}{path}")
    expect_live(page)
    return page
