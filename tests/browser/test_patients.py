"""The list of patients: in the order that was asked for, found by what is typed, and due by the clock alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from hospital import clock
from tests.browser.conftest import SignedIn
from tests.browser.desk import NewDesk, is_remembered, remember
from tests.browser.visitor import Visitor
from tests.support.readings import WELL, reading
from tests.support.server import Server

NAMES = {"MED-01": "Ångström^Zoë", "MED-02": "O'Neill^Ann", "MED-03": "Berg^Ole"}


@pytest.fixture
def server(new_server: Callable[..., Server], signed_in: SignedIn) -> Server:
    """One of its own, with three patients: 1 is well, 2 scores 1, 3 scores 7."""
    server = new_server(HOSPITAL_BEAT_S="1")
    nurse = signed_in(server, "nurse2")
    for number, given in enumerate(({}, {"pulse": "95"}, {"respiration": "26", "spo2": "91", "pulse": "100"}), 1):
        bed = f"MED-0{number}"
        long_ago = clock.now() - timedelta(minutes=20)  # a monitor goes before what a person enters
        server.send(reading(bed=f"MED^^{bed}", patient=_patient(number), at=long_ago))
        nurse.act(f"/patients/{number}/observations", **WELL | given)
    return server


def test_the_list_is_ordered_anew_without_a_load_and_the_address_keeps_it(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse", at=server).open("/patients")
    assert _seen(page) == ["MED-03", "MED-02", "MED-01"]
    remember(page)
    page.get_by_role("link", name="By bed").click()
    assert _seen(page) == ["MED-01", "MED-02", "MED-03"]
    assert page.url.endswith("/patients?order=bed") and is_remembered(page)
    page.reload()
    expect(page.get_by_role("link", name="By bed")).to_have_attribute("aria-current", "true")
    assert _seen(page) == ["MED-01", "MED-02", "MED-03"]


def test_what_is_typed_hides_the_others_at_once_and_is_in_no_address(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse", at=server).open("/patients")
    words, hidden = page.get_by_role("searchbox"), page.locator("#patients-hidden")
    for typed, seen in (
        ("angstrom, z", ["MED-01"]),
        ("o’n", ["MED-02"]),
        ("MED 03", ["MED-03"]),
        ("med", ["MED-03", "MED-02", "MED-01"]),
    ):
        words.fill(typed)
        assert _seen(page) == seen
    words.fill("4711")
    expect(hidden).to_contain_text("Nobody here matches.")
    words.fill("berg")
    expect(hidden).to_contain_text("2 hidden by what you typed")
    server.send(reading(bed="MED^^MED-01", patient=_patient(1), hr=75))
    expect(page.locator('#patient-1 [data-vital="hr"]')).to_have_attribute("data-value", "75")
    assert _seen(page) == ["MED-03"] and page.url.endswith("/patients")
    hidden.get_by_role("button", name="Show all").click()
    expect(hidden).to_be_hidden()
    assert len(_seen(page)) == 3


def test_a_round_becomes_overdue_by_the_clock_alone_and_ends_when_it_is_done(
    server: Server, new_desk: NewDesk, visitor: Callable[[str], Visitor]
) -> None:
    page = new_desk("nurse", at=server).open("/patients")
    overdue, card = page.locator('[data-counts="overdue"]'), page.locator("#patient-2")
    expect(overdue).to_have_text("0 overdue")
    expect(card).to_contain_text("Obs by")
    due = (clock.now() - timedelta(minutes=1)).isoformat()
    page.evaluate("(due) => (document.getElementById('patient-2').dataset.observeBy = due)", due)
    expect(overdue).to_have_text("1 overdue")
    expect(card.locator(".late")).to_be_visible()
    visitor("nurse2").act("/patients/2/observations", **WELL)
    expect(overdue).to_have_text("0 overdue")
    expect(card.locator(".late")).to_be_hidden()


def test_a_row_with_the_focus_stays_where_it_is_until_the_focus_goes(
    server: Server, new_desk: NewDesk, visitor: Callable[[str], Visitor]
) -> None:
    page = new_desk("nurse", at=server).open("/patients?order=score")
    page.locator("#patient-1 h2 a").focus()
    visitor("nurse2").act("/patients/1/observations", **WELL | {"respiration": "30", "pulse": "140"})
    expect(page.locator("#patient-1 .score")).to_have_text("6")
    assert _seen(page) == ["MED-03", "MED-02", "MED-01"]
    page.get_by_role("link", name="By score").focus()
    expect(page.locator("#patient-list > article").last).to_have_id("patient-2")
    assert _seen(page) == ["MED-03", "MED-01", "MED-02"]


def test_no_row_moves_while_a_pointer_is_at_work_in_the_list(
    server: Server, new_desk: NewDesk, visitor: Callable[[str], Visitor]
) -> None:
    page = new_desk("nurse", at=server).open("/patients?order=score")
    page.locator("#patient-2").hover()
    page.evaluate(
        "setInterval(() => document.dispatchEvent(new PointerEvent('pointermove')), 200)"
    )  # a hand is never still
    visitor("nurse2").act("/patients/1/observations", **WELL | {"respiration": "30", "pulse": "140"})
    expect(page.locator("#patient-1 .score")).to_have_text("6")
    assert _seen(page) == ["MED-03", "MED-02", "MED-01"]
    page.mouse.move(5, 5)
    expect(page.locator("#patient-list > article").last).to_have_id("patient-2")


def test_when_observations_are_due_stands_above_the_fields_too(server: Server, new_desk: NewDesk) -> None:
    page = new_desk("nurse", at=server).open("/patients/2")
    expect(page.locator(".due-again")).to_contain_text("Obs by")
    page.locator("#observe-respiration").fill("30")
    page.locator("#observe-spo2").fill("90")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#patient-2 .score")).to_have_text("7")
    expect(page.locator(".due-again")).to_have_text("Observe continuously")


def _patient(number: int) -> str:
    return f"{number}^^^Ward^PI||{NAMES[f'MED-0{number}']}^^^^^L||19610301|F"


def _seen(page: Page) -> list[str]:
    return [row.text_content() or "" for row in page.locator("#patient-list h2").all() if row.is_visible()]
