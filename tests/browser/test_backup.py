"""A backup is put back under open screens: they show what it says, and never again what came after it."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

from playwright.sync_api import expect

from tests.browser.desk import NewDesk, acknowledge_button, card, expect_live, is_remembered, remember
from tests.support.alarms import alarm
from tests.support.server import ROOT, Server
from tests.support.sse import Stream, greeted, sign_in, until


def test_a_backup_put_back_under_open_screens_shows_what_it_says(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("nurse", at=server)
    desk.expect_problem("net::ERR_")  # the server is away for a while
    page = desk.open()
    server.send(alarm(alert_id="KEPT", bed="MED^^MED-07"))
    expect(card(page, "MED-07")).to_be_visible()
    with closing(sqlite3.connect(server.folder / "hospital.db")) as database:
        database.execute("VACUUM INTO ?", [str(server.folder / "copy.db")])
    acknowledge_button(page, "MED-07").click()
    expect(card(page, "MED-07")).to_have_attribute("data-state", "acknowledged")
    server.send(alarm(alert_id="LOST", bed="MED^^MED-08"))
    expect(card(page, "MED-08")).to_be_visible()
    remember(page)

    server.stop()
    expect_live(page, "delayed")
    cursor = _put_back(server)
    server.start()

    expect_live(page, timeout_s=40)
    expect(card(page, "MED-08")).to_have_count(0)
    expect(card(page, "MED-07")).to_have_attribute("data-state", "open")
    assert is_remembered(page), "nobody had to reload it"
    server.send(alarm(alert_id="NEXT", bed="MED^^MED-09"))
    expect(card(page, "MED-09")).to_be_visible()
    stream = Stream(server.port, sign_in(server.port, "nurse").cookie, after=cursor)
    greeted(stream)
    until(lambda: stream.named("resync"), stream)


def _put_back(server: Server) -> str:
    """As docs/operations.md says; the cursor at which the screens were."""
    database = server.folder / "hospital.db"
    with closing(sqlite3.connect(database)) as there:
        epoch, head = there.execute("SELECT epoch, head FROM hospital WHERE code = 'demo'").fetchone()
    (server.folder / "copy.db").replace(database)
    for beside in ("-wal", "-shm"):
        database.with_name(f"{database.name}{beside}").unlink(missing_ok=True)
    command = [sys.executable, "-m", "flask", "--app", "app", "epoch", "new", "--all"]
    subprocess.run(command, cwd=ROOT, env=server.environment, check=True, capture_output=True, timeout=60)
    return f"{epoch}-{head}"
