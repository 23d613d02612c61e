"""A notice arrives on open pages and walls, and goes by one press."""

from playwright.sync_api import expect

from tests.browser.desk import NewDesk, is_remembered, remember
from tests.support.server import Server


def test_a_notice_comes_to_open_pages_and_goes_by_one_press(server: Server, new_desk: NewDesk) -> None:
    nurse, patients = (page := new_desk("nurse")).open(), page.open("/patients")
    wall = new_desk("physician", viewport={"width": 1920, "height": 1080}).open("/board")
    remember(nurse)
    charge = new_desk("charge").open("/notices", live=False)
    charge.get_by_test_id("notice-text").fill("Fire drill at noon")
    charge.get_by_test_id("notice-unit").select_option(label="MED")
    charge.get_by_test_id("notice-on-boards").check()
    charge.get_by_test_id("notice-send").click()
    for page_ in (nurse, patients, wall):
        expect(page_.get_by_test_id("notice")).to_contain_text("Fire drill at noon")
    nurse.get_by_test_id("notice-read").click()
    expect(nurse.get_by_test_id("notice")).to_have_count(0)
    assert is_remembered(nurse)
    nurse.reload()
    expect(nurse.get_by_test_id("notice")).to_have_count(0)
    charge.get_by_role("button", name="Take back").click()
    expect(patients.get_by_test_id("notice")).to_have_count(0)
    expect(wall.get_by_test_id("notice")).to_have_count(0)
