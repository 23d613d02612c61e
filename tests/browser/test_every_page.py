"""Of every page: axe finds nothing wrong in any state, theme or language, and it fits its screen."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from hospital.settings import Settings
from tests.access.knocking import Row
from tests.browser.desk import expect_live
from tests.browser.judging import BROWSERS, Gallery, cut_on, found_on
from tests.conftest import opened
from tests.support.every_page import PAGES, furnish
from tests.support.server import Server

# Limits that no person meets, and who looks at every page within a minute does.
HURRY = {"HOSPITAL_GLASS_PER_MINUTE": "100", "HOSPITAL_SESSION_ROTATE_S": "86400", "HOSPITAL_BEAT_S": "1"}


@pytest.fixture(scope="module")
def gallery(furnished: Path, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "hospital.db").write_bytes(furnished.read_bytes())
    with contextmanager(opened)(Settings(demo=True, secret_key="for tests", instance=folder)) as house:
        shown = furnish(house)
    cookies = {who: one.client.get_cookie("session") for who, one in shown.visitors.items()}
    server = Server(folder, HURRY)
    server.start()
    gallery = Gallery(chromium, server, {who: cookie.value for who, cookie in cookies.items() if cookie}, shown.paths)
    yield gallery
    gallery.close()
    server.stop()


def _granted(path: str, who: str) -> str:
    """Where a page is loaded anew by a clock, because nobody is there to do it, or since nobody may look any longer."""
    return "meta-refresh" if path == "/board/offline" or who == "engineer in an emergency" else ""


@pytest.mark.parametrize("language", BROWSERS)
@pytest.mark.parametrize("row", PAGES, ids=" ".join)
def test_axe_finds_nothing_on_any_page(gallery: Gallery, row: Row, language: str) -> None:
    assert found_on(gallery.show(row, language), _granted(row[1], PAGES[row])) == []


@pytest.mark.parametrize("language", BROWSERS)
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("nurse-b", "/alerts"),  # nothing to show
        ("nurse-b", "/patients"),
        ("nurse-b", "/metrics"),
        ("nurse-b", "/board"),
        ("charge", "/alerts"),  # alerts of no known bed
        ("charge", "/alerts?priority=low"),  # a filter that hides a high one
        ("engineer in an emergency", "/alerts"),
        ("wall", "/board"),
        ("physician", "/admin"),  # 403
        ("physician", "/nowhere"),  # 404
        ("nobody", "/nowhere"),
    ],
)
def test_nor_where_there_is_nothing_or_more_or_where_one_may_not_go(
    gallery: Gallery, who: str, path: str, language: str
) -> None:
    assert found_on(gallery.visit(who, path, language), _granted(path, who)) == []


@pytest.mark.parametrize("row", PAGES, ids=" ".join)
def test_every_page_fits_a_small_phone_a_ward_pc_at_twice_the_size_and_a_wall(gallery: Gallery, row: Row) -> None:
    """In Spanish, whose words are longer."""
    page = gallery.show(row, "es")
    assert {width: found for width in (360, 640, 3840) if (found := cut_on(page, width))} == {}


def _dialog_of_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def _dialog_of_many(page: Page) -> None:
    page.locator("[data-bulk]:visible").first.click()
    expect(page.locator("#bulk")).to_be_visible()


def _panel(name: str) -> Callable[[Page], None]:
    def open_panel(page: Page) -> None:
        page.evaluate("name => document.getElementById(`${name}-panel`).showPopover()", name)

    return open_panel


def _call(page: Page, script: str, call: str) -> None:
    """Of the page's own module, which lies beside its first script."""
    page.evaluate(
        f"""async () => (await import(new URL("{script}", document.querySelector("script[type=module]").src))).{call}"""
    )


def _toasts(page: Page) -> None:
    _call(page, "toasts.js", 'toast("Jonas K. has MED-07 SpO2 low", true)')
    _call(page, "toasts.js", 'toast("HIGH alert: MED-01 SpO2 low", true, true)')
    expect(page.locator(".toast")).to_have_count(2)


def _missed(page: Page) -> None:
    _call(page, "missed.js", 'miss("Jonas K. has MED-07 SpO2 low")')
    page.get_by_test_id("missed").click()


def _about_to_end(page: Page) -> None:
    page.evaluate("document.body.dataset.idleAt = new Date(Date.now() + 50000).toISOString()")
    expect(page.locator("#leaving")).to_be_visible()


def _delayed(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect_live(page, "delayed")


def _signed_out(page: Page) -> None:
    _call(page, "freshness.js", "signedOut()")
    expect_live(page, "signed-out")


STATES = {
    "the keys": _dialog_of_keys,
    "many at once": _dialog_of_many,
    "the theme": _panel("theme"),
    "the sound": _panel("sound"),
    "the toasts": _toasts,
    "the missed": _missed,
    "a sign-in that ends": _about_to_end,
    "delayed": _delayed,
    "signed out": _signed_out,
}
PANELS = {"the theme", "the sound", "the missed"}


@pytest.mark.parametrize("language", BROWSERS)
@pytest.mark.parametrize("state", STATES)
def test_nor_in_any_state_of_a_page(gallery: Gallery, state: str, language: str) -> None:
    page = gallery.visit("physician", "/alerts", language)
    STATES[state](page)
    # A panel lies over the list until it is closed: of a button below it a strip may be left.
    assert found_on(page, but="target-size" if state in PANELS else "") == []


@pytest.mark.parametrize("language", BROWSERS)
def test_nor_where_a_form_leads(gallery: Gallery, language: str) -> None:
    page = gallery.visit("nobody", "/sign-in", language)
    page.get_by_test_id("name").fill("nobody")
    page.get_by_test_id("password").fill("wrong")
    page.get_by_test_id("sign-in").click()
    expect(page.locator(".wrong")).to_be_visible()
    assert found_on(page) == []
    page = gallery.visit("physician", "/patients", language)
    page.locator("#words").fill("MED-01")
    page.locator("#words").press("Enter")
    expect(page.get_by_test_id("found")).to_be_visible()
    assert found_on(page) == []


@pytest.mark.parametrize(("language", "who"), [("en", "nurse-b"), ("es", "engineer")])
def test_nor_with_the_codes_that_are_shown_once(gallery: Gallery, language: str, who: str) -> None:
    page = gallery.visit(who, "/account/second-factor", language)
    page.locator("#code").fill(pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", "")).now())
    page.locator("main .press").click()
    expect(page.locator(".codes")).to_be_visible()
    assert found_on(page) == []


@pytest.mark.parametrize("language", BROWSERS)
@pytest.mark.parametrize(("who", "path"), [("physician", "/alerts"), ("wall", "/board")])
def test_nor_where_a_page_is_not_current(gallery: Gallery, who: str, path: str, language: str) -> None:
    page = gallery.visit(who, path, language)
    page.clock.install()
    page.reload()
    expect_live(page)
    gallery.server.signal(signal.SIGSTOP)
    try:
        page.clock.run_for(75_000)
        expect_live(page, "stale")
        assert found_on(page) == []
    finally:
        gallery.server.signal(signal.SIGCONT)
        gallery.forget(who, language)  # its clock runs by hand


def test_what_is_planted_is_found(gallery: Gallery) -> None:
    page = gallery.visit("nobody", "/sign-in", "en")
    page.evaluate("""() => {
      document.querySelector("label[for=name]").remove();
      document.documentElement.style.setProperty("--soft", "#777777");
    }""")
    found = {tuple(line.split(": ")[:2]) for line in found_on(page)}
    assert {("light", "label"), ("light", "color-contrast"), ("dark", "color-contrast")} <= found
