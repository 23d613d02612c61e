"""A real hospital begins: a command, its first administrator, a unit, a bed, a nurse; and an alarm reaches her."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NewDesk, card, expect_live
from tests.support.alarms import alarm
from tests.support.server import ROOT, Server

OPERATIONS = ROOT / "docs/operations.md"
GATEWAY = "GATEWAY|WARD"  # as the documented commands call it


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Server]:
    """A server as it is delivered: without the demo, on an empty database."""
    server = Server(tmp_path, {"HOSPITAL_DEMO": "0", "HOSPITAL_BEAT_S": "1"})
    server.start()
    yield server
    server.stop()


def test_from_the_first_command_to_the_first_alarm(bare: Server, new_desk: NewDesk) -> None:
    office, ward = new_desk(None, at=bare), new_desk(None, at=bare, viewport={"width": 360, "height": 740})
    given = run_as_documented(bare)["lena"]
    page = office.open("/admin", live=False)
    sign_in(page, "lena", given, "a horse in the lift")
    expect(page).to_have_url(re.compile("/admin$"))

    page.goto(f"{bare.url}/admin/units")
    page.get_by_label("Code", exact=True).fill("7W")
    page.get_by_label("Name", exact=True).fill("Seven West")
    page.get_by_role("button", name="Add the unit").click()
    page.get_by_label("Codes, one on each line").fill("7W-01\n7W-02")
    page.get_by_role("button", name="Add the beds").click()
    expect(page.get_by_test_id("beds")).to_contain_text("7W-02")

    bare.send(alarm(bed="WEST^02^B", alert_id="before", sender=GATEWAY))
    page.goto(f"{bare.url}/admin/bed-codes")
    page.get_by_label("Bed for WEST^02^B").select_option("7W-02")
    page.get_by_role("button", name="Bind WEST^02^B").click()
    expect(page.get_by_test_id("bound")).to_contain_text("WEST^02^B")

    page.goto(f"{bare.url}/admin/people")
    page.get_by_label("Name, as others see it on an alert").fill("Noor B.")
    page.get_by_label("Name to sign in with").fill("noor")
    page.get_by_label("Role").select_option("Nurse")
    page.get_by_label("7W Seven West").check()
    page.get_by_role("button", name="Add and show the password").click()
    given = page.locator(".secret code").inner_text()

    alerts = ward.open("/alerts", live=False)
    sign_in(alerts, "noor", given, "a fish in the tree")
    expect_live(alerts)
    expect(card(alerts, "7W-02")).to_have_count(1)
    bare.send(alarm(bed="WEST^02^B", alert_id="first", text="SpO2 very low", sender=GATEWAY))
    expect(card(alerts, "7W-02").filter(has_text="SpO2 very low")).to_be_visible()


def sign_in(page: Page, name: str, given: str, own: str) -> None:
    """With a password that works once, and choose one."""
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("password").fill(given)
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    for field, value in (("old", given), ("new", own), ("again", own)):
        page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name="Change it").click()


def run_as_documented(server: Server) -> dict[str, str]:
    """Every command under "Setting up a hospital"; the last word of each, by the name that it was given."""
    section = OPERATIONS.read_text().split("## Setting up a hospital")[1].split("\n## ")[0]
    commands = re.findall(r"(?m)^    flask (.+)$", section)
    assert commands
    said = {}
    for command in commands:
        words = re.findall(r'"[^"]*"|\S+', command)
        done = subprocess.run(
            [sys.executable, "-m", "flask", *(word.strip('"') for word in words)],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        said[words[-1]] = done.stdout.split()[-1]
    return said
