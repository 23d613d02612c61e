"""What is high and nobody has: told on every page, whatever is looked at, until somebody has it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.desk import NewDesk, NewVisitor, acknowledge_button, alert_path, card, wait_ms
from tests.support.alarms import alarm
from tests.support.readings import reading
from tests.support.server import Server

ELSEWHERE = ["/patients", "/metrics", "/patients/1"]
SAID = "HIGH MED-02 SpO2 low"


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """One of its own: two minutes after its last reading a monitor is told to be silent, on other tests' screens."""
    return new_server(HOSPITAL_BEAT_S="1")


@pytest.fixture
def known(server: Server) -> None:
    """A patient in MED-07, whose page is patient 1's."""
    server.send(reading())


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_high_alert_is_told_and_shown_on_every_page_until_somebody_has_it(
    server: Server, new_desk: NewDesk, visitor: NewVisitor, path: str
) -> None:
    page = new_desk("nurse").open(path)
    server.send(_high())
    expect(_bar(page)).to_have_text(["HIGH MED-02 SpO2 low"], use_inner_text=True)
    expect(page.locator("#say-now")).to_have_text(SAID)
    _bar(page).get_by_role("link").click()
    expect(page.locator("#alert-detail")).to_contain_text("MED-02")
    page.go_back()
    expect(_bar(page)).to_have_count(1)
    for path in visitor("nurse2").alert_paths():
        visitor("nurse2").act(f"{path}/acknowledgement")
    expect(_bar(page)).to_have_count(0)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_page_that_is_opened_later_shows_it_too(server: Server, new_desk: NewDesk, path: str) -> None:
    server.send(_high())
    page = new_desk("nurse").open(path, live=False)
    expect(_bar(page)).to_have_text(["HIGH MED-02 SpO2 low"], use_inner_text=True)


def test_on_the_page_of_one_alert_the_others_are_told(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", alert_id="this one", priority="high"))
    page = new_desk("nurse").open()
    page.goto(f"{server.url}{alert_path(page, 'MED-07')}")
    expect(page.locator("#alert-detail")).to_be_visible()
    server.send(_high())
    expect(_bar(page)).to_have_text(["HIGH MED-02 SpO2 low"], use_inner_text=True)
    expect(page.locator("#say-now")).to_have_text(SAID)


@pytest.mark.parametrize("path", ["/alerts", "/board"])
def test_where_a_list_shows_it_the_bar_does_not_but_it_is_told(server: Server, new_desk: NewDesk, path: str) -> None:
    page = new_desk("nurse").open(path)
    server.send(_high())
    expect(page.locator("#say-now")).to_have_text(SAID)
    expect(card(page, "MED-02")).to_be_visible()
    expect(_bar(page)).to_have_count(0)


def test_what_is_not_high_interrupts_nobody(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open("/patients")
    server.send(alarm(bed="MED^^MED-02", priority="medium"))
    expect(page.locator("#say")).to_have_text("medium alert: MED-02 SpO2 low")
    expect(page.locator("#say-now")).to_be_empty()
    expect(_bar(page)).to_have_count(0)
    server.send(alarm(bed="MED^^MED-02", phase="escalate", priority="high"))
    expect(page.locator("#say-now")).to_have_text(SAID)


def test_what_was_told_once_is_not_told_again(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse").open("/patients")
    server.send(_high())
    expect(page.locator("#say-now")).to_have_text(SAID)
    page.evaluate("document.getElementById('say-now').textContent = ''")
    server.send(_high(phase="update", value="79"))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_ms(page, 1_500)
    expect(page.locator("#say-now")).to_be_empty()


def test_nothing_of_another_unit_is_told(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse-icu").open("/patients")
    server.send(_high())
    wait_ms(page, 1_500)
    expect(_bar(page)).to_have_count(0)
    assert "MED-02" not in page.content()


def test_acknowledging_in_the_list_takes_it_from_the_bar_of_the_other_tab(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    alerts, patients = desk.open(), desk.open("/patients")
    server.send(_high())
    expect(_bar(patients)).to_have_count(1)
    acknowledge_button(alerts, "MED-02").click()
    expect(_bar(patients)).to_have_count(0)


def _high(**how: str) -> bytes:
    return alarm(**{"bed": "MED^^MED-02", "alert_id": "high", "priority": "high", "patient": None, **how})  # type: ignore[arg-type]


def _bar(page: Page) -> Locator:
    return page.locator("#urgent-list > li:not([hidden])")
