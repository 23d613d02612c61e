"""Recording observations: how long it takes a thumb and a keyboard, and that nothing is lost or stored twice."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.desk import Desk, NewDesk, expect_live
from tests.support.readings import reading
from tests.support.server import Server

# What a hand needs, slower than what the keystroke-level model gives a practised one.
KEY_S, TAP_S, SCROLL_S = 0.3, 0.7, 0.8
MOST_S = 12.0  # of 15: the rest is for the network
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NUMBERS = {
    "respiration": "16",
    "spo2": "97",
    "systolic": "120",
    "diastolic": "70",
    "pulse": "72",
    "temperature": "36.6",
}
STORED = (16, 97, 120, 70, 72, 36.6, "A", 0)

Take = Callable[[Desk, str], Page]


class Hand:
    """Does what a person would, and reckons how long it takes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.took_s = 0.0

    def tap(self, target: Locator) -> None:
        box, height = target.bounding_box(), self.page.evaluate("innerHeight")
        assert box is not None and box["height"] >= 44
        in_view = box["y"] >= 0 and box["y"] + box["height"] <= height
        self.took_s += TAP_S if in_view else TAP_S + SCROLL_S
        target.tap()
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # seen

    def type(self, text: str) -> None:
        self.took_s += KEY_S * len(text)
        self.page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.took_s += KEY_S
            self.page.keyboard.press(key)


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    """One of its own, where nobody lies in these beds yet."""
    return new_server(HOSPITAL_BEAT_S="1")


@pytest.fixture
def take(server: Server) -> Take:
    """Open the patient whose monitor stands at this bed."""

    def open_patient(desk: Desk, bed: str) -> Page:
        server.send(reading(bed=f"MED^^{bed}", patient=f"{bed}^^^Ward^PI||Doe^{bed}^^^^^L||19610301|F"))
        page = desk.open("/patients")
        page.get_by_role("link", name=bed).click()
        expect_live(page)
        return page

    return open_patient


def test_a_thumb_records_a_whole_set_in_time(server: Server, new_desk: NewDesk, take: Take) -> None:
    page = take(new_desk("nurse", **PHONE), "MED-01")
    hand = Hand(page)

    hand.tap(page.get_by_test_id("to-observe"))
    expect(field(page, "respiration")).to_be_focused()
    hand.type(NUMBERS["respiration"])
    for name, text in list(NUMBERS.items())[1:]:
        hand.tap(field(page, name))
        expect(field(page, name)).to_be_focused()
        hand.type(text)
        expect(field(page, name)).to_have_value(text)
    hand.tap(page.get_by_role("radio", name="Awake"))
    hand.tap(page.get_by_role("radio", name="Air"))
    hand.tap(record_button(page))

    expect(page.locator("#toasts")).to_contain_text("Recorded for MED-01.")
    assert by_hand(server, "MED-01") == [STORED]
    assert hand.took_s <= MOST_S


def test_a_keyboard_records_a_whole_set_in_time(server: Server, new_desk: NewDesk, take: Take) -> None:
    page = take(new_desk("nurse"), "MED-02")
    hand = Hand(page)

    hand.press("Tab", "Enter", "Tab", "Tab", "Enter")  # over the bar, to the way to the form
    expect(field(page, "respiration")).to_be_focused()
    hand.type(NUMBERS["respiration"])
    hand.press("Tab")
    hand.type(NUMBERS["spo2"])
    hand.press("Tab", "Space")
    for name in ("systolic", "diastolic", "pulse", "temperature"):
        hand.press("Tab")
        hand.type(NUMBERS[name])
    hand.press("Tab", "Space", "Enter")

    expect(page.locator("#toasts")).to_contain_text("Recorded for MED-02.")
    expect(field(page, "pulse")).to_have_value("")
    assert by_hand(server, "MED-02") == [STORED]
    assert hand.took_s <= MOST_S


def test_what_is_wrong_is_said_beside_its_field_and_the_rest_stays(
    server: Server, new_desk: NewDesk, take: Take
) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("422")
    page = take(desk, "MED-03")
    field(page, "respiration").fill("16")
    field(page, "pulse").fill("7200")
    field(page, "pulse").press("Enter")

    expect(field(page, "pulse")).to_be_focused()
    expect(field(page, "pulse")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#wrong-pulse")).to_have_text("Pulse must be a number from 0 to 350.")
    expect(field(page, "respiration")).to_have_value("16")
    assert by_hand(server, "MED-03") == []

    field(page, "pulse").fill("72")
    field(page, "pulse").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Recorded for MED-03.")
    expect(page.locator("#wrong-pulse")).to_have_count(0)
    assert [row[4] for row in by_hand(server, "MED-03")] == [72]


def test_an_answer_that_is_lost_makes_no_second_set(server: Server, new_desk: NewDesk, take: Take) -> None:
    desk = new_desk("nurse")
    desk.expect_problem("Failed to load")
    page = take(desk, "MED-04")
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort()

    page.route(re.compile("/observations$"), lose_the_first)
    field(page, "spo2").fill("97")
    field(page, "spo2").press("Enter")

    expect(page.locator("#toasts")).to_contain_text("Recorded for MED-04.")
    assert lost and len(by_hand(server, "MED-04")) == 1


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#observe-{name}")


def record_button(page: Page) -> Locator:
    return page.locator("#observe button[type=submit]")


def by_hand(server: Server, bed: str) -> list[tuple[object, ...]]:
    """What people have recorded of the patient in this bed."""
    columns = "rr, spo2, sbp, dbp, hr, temp, consciousness, on_oxygen"
    query = f"""SELECT {columns} FROM observation JOIN monitoring USING (patient_id) JOIN bed ON bed.id = bed_id
        WHERE person_id IS NOT NULL AND bed.code = ? ORDER BY observation.id"""
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database:
        return database.execute(query, (bed,)).fetchall()
