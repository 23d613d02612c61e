"""A screen at the wall: paired by a code, live, missed when it is gone, dark when it is revoked."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.desk import NewDesk, card, expect_live
from tests.support.alarms import alarm
from tests.support.server import Server


def test_a_screen_is_paired_shows_alerts_is_missed_when_it_is_gone_and_dark_when_it_is_revoked(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1", HOSPITAL_BOARD_SILENT_S="12")
    wall_desk, charge = (
        new_desk(None, at=server, viewport={"width": 1920, "height": 1080}),
        new_desk("charge", at=server),
    )
    wall = wall_desk.open("/board", live=False)
    expect(wall.get_by_test_id("code")).to_be_visible()

    boards = charge.open("/boards", live=False)
    boards.get_by_test_id("code").fill(wall.get_by_test_id("code").inner_text())
    boards.get_by_test_id("board-name").fill("North corridor")
    boards.get_by_label("MED").check()
    boards.get_by_test_id("pair").click()

    expect_live(wall)
    assert wall.url.endswith("/board")
    settings = charge.open("/boards/1", live=False)
    settings.get_by_role("radio", name="Large").check()
    settings.get_by_label("Volume").select_option("30")
    settings.get_by_role("button", name="Save").click()
    boards.get_by_test_id("board-name").fill("half a name")
    expect(boards.get_by_test_id("board")).to_contain_text("everything")
    expect(boards.get_by_test_id("board-name")).to_have_value("half a name")
    server.send(alarm(bed="MED^^MED-07"))
    expect(wall.get_by_test_id("board-row").filter(has_text="MED-07")).to_be_visible()
    expect(wall.locator("html")).to_have_attribute("data-letters", "large")  # untouched
    expect(wall.locator("body")).to_have_attribute("data-volume", "30")
    wall.close()
    alerts = charge.open("/alerts")
    expect(card(alerts, "North corridor")).to_contain_text("Wall board is silent")
    wall = wall_desk.open("/board")
    expect(card(alerts, "North corridor")).to_have_attribute("data-condition", "cleared")

    wall_desk.expect_problem("401")
    boards.get_by_test_id("revoke").click()
    expect(wall.locator("body")).to_have_attribute("data-live", "signed-out")
    expect(wall.locator("#main")).to_be_empty()
    expect(boards.get_by_test_id("board")).to_have_count(0)


def test_the_list_of_boards_says_so_when_it_cannot_be_renewed(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("charge", at=server)
    desk.expect_problem("ERR_FAILED")
    page = desk.open("/boards", live=False)
    warning = page.locator("[data-not-current]")
    expect(warning).to_be_hidden()
    page.route("**/boards", lambda route: route.abort())
    expect(warning).to_be_visible()
    page.unroute("**/boards")
    expect(warning).to_be_hidden()


def test_a_screen_counts_down_how_long_its_code_is_good(server: Server, new_desk: NewDesk) -> None:
    page = new_desk(None, at=server).open("/board", live=False)
    expect(page.locator("[data-code-left]")).to_have_text(re.compile(r"Another code stands here after 9:5\d\."))
