"""What the scripts say, said in Spanish: the words of the page are not all that people read."""

import os
import re
import signal
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.desk import NewDesk, alert_path, card, expect_live
from tests.browser.visitor import Visitor
from tests.support.alarms import alarm
from tests.support.server import Server


def test_an_acknowledgement_a_toast_and_a_screen_that_is_not_current_speak_spanish(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    page = new_desk("nurse", at=server, locale="es-ES", alone=True).open(live=False)
    page.clock.install()
    page.reload()
    expect_live(page)
    for bed in ("MED-02", "MED-07"):
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
        expect(card(page, bed)).to_be_visible()
    page.clock.run_for(1_000)  # the rows have come to rest

    expect(page.locator("#summary [data-oldest]")).to_have_text(re.compile(r"^\d+:\d\d$"))
    expect(card(page, "MED-02").locator("[data-until]").first).to_have_text(re.compile(r"^en \d+:\d\d$"))
    card(page, "MED-02").get_by_role("button", name="Reconocer").click()
    expect(card(page, "MED-02")).to_contain_text("Amara N.")
    Visitor(server).sign_in("nurse2").act(f"{alert_path(page, 'MED-07')}/acknowledgement")
    expect(page.locator(".toast")).to_have_text(re.compile(r"^\s*Jonas K\. se ocupa de MED-07 SpO2 low"))
    expect(page.get_by_test_id("sound")).to_contain_text("sonido")

    os.kill(server.pid, signal.SIGSTOP)
    try:
        page.clock.run_for(40_000)
        expect_live(page, "stale")
        expect(page.locator("#veil")).to_contain_text(re.compile(r"SIN ACTUALIZAR desde las \d\d:\d\d:\d\d"))
        expect(page.locator("[data-stale-age]")).to_have_text(re.compile(r"^de hace 0:\d\d$"))
        expect(page.locator("#say-now")).to_have_text("Esta pantalla no está al día. Mire los monitores.")
    finally:
        os.kill(server.pid, signal.SIGCONT)
