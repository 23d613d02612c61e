"""Pictures of every page, for docs/screenshots/ and for whoever judges how it looks. Run by `make screenshots`."""

import base64
import os
import signal
import sqlite3
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from hospital import clock
from tests.browser.desk import expect_live
from tests.browser.visitor import Visitor
from tests.support.alarms import alarm
from tests.support.readings import reading
from tests.support.server import Server
from tests.support.servers import CHROMIUM, CHROMIUM_ARGS

PLACE = Path(__file__).parents[1] / "docs" / "screenshots"
WIDE, PHONE = (1440, 900), (390, 844)
SIZES = {"wide": WIDE, "phone": PHONE}
WALLS = {"wall": (1920, 1080), "4k": (3840, 2160)}
THEMES = ("light", "dark", "night")

BEATS = {"unit": "264864^MDC_DIM_BEAT_PER_MIN^MDC"}
BREATHS = {"unit": "264928^MDC_DIM_RESP_PER_MIN^MDC"}
PRESSURE = {"unit": "266016^MDC_DIM_MMHG^MDC"}
TECHNICAL = {"kind": "ST", "value": None, "priority": "low"}


# Chromium decodes the picture, counts its colours and gives each pixel the nearest of the most frequent ones.
_TO_PALETTE = """
async (picture) => {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.fromBase64(picture)]));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const colours = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
  const kept = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => parts(colour));
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const [r, g, b] = parts(colour);
    const distances = kept.map((other) => (other[0] - r) ** 2 + (other[1] - g) ** 2 + (other[2] - b) ** 2);
    nearest.set(colour, distances.indexOf(Math.min(...distances)));
  }
  const pixels = Uint8Array.from(colours, (colour) => nearest.get(colour));
  return { width, height, palette: Uint8Array.from(kept.flat()).toBase64(), pixels: pixels.toBase64() };
}
"""


@dataclass(frozen=True)
class Shot:
    """A page, as it is seen by `who`."""

    name: str
    who: str
    path: str


@dataclass(frozen=True)
class Scene:
    """One alarm of the invented ward: how long ago it came, and the sender's later word on it, if any."""

    bed: str
    patient: str | None
    ago_s: int
    how: dict[str, Any]
    ends: bool = False


WARD = (
    Scene("MED-11", "Berg, Solveig", 545, {"text": "SpO2 sensor off", **TECHNICAL}),
    Scene("MED-03", "Lindqvist, Per", 1264, {"text": "Resp rate high", "value": "31", "limits": "8-28", **BREATHS}),
    Scene("MED-12", None, 402, {"text": "HR high", "value": "128", "limits": "50-120", "priority": None, **BEATS}),
    Scene("MED-02", "Adeyemi-Kowalczyk, Oluwaseun", 280, {"text": "HR high", "value": "134", "limits": "50-120",
                                                          **BEATS}),
    Scene("MED-04", "Rossi, Chiara", 190, {"text": "HR low", "value": "47", "limits": "50-120", **BEATS}, ends=True),
    Scene("ICU-05", "Haddad, Karim", 96, {"text": "ABP mean low", "value": "58", "limits": "65-110", "priority": "high",
                                         **PRESSURE}),
    Scene("MED-09", "Novak, Jana", 610, {"text": "SpO2 low", "value": "81", "priority": "high"}, ends=True),
    Scene("MED-07", "Hon, Albert", 72, {"text": "SpO2 low", "value": "84", "priority": "high"}),
)  # fmt: skip


def main() -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    for old in PLACE.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        with _server() as server:
            _take(browser, server, (Shot("sign-in", "", "/sign-in"), Shot("pair", "", "/pair")))
            _take(browser, server, (Shot("empty", "charge", "/alerts"),))
            _fill(server)
            _take(browser, server, _of_a_day(server))
            _stale(browser, server)
        with _server(HOSPITAL_SIMULATE="1") as server:
            _take(browser, server, _of_a_ward(browser, server))
            _boards(browser, server)
        browser.close()
    for picture in sorted(PLACE.glob("*.png")):
        print(f"{picture.stat().st_size / 1000:7.0f} kB  {picture.relative_to(PLACE.parents[1])}")


def _of_a_day(server: Server) -> tuple[Shot, ...]:
    """The pages of people who work with alerts, and of those who look after the system."""
    return (
        Shot("alerts", "charge", "/alerts"),
        Shot("alert", "nurse", _path_of(Visitor(server).sign_in("nurse"), "MED-05")),
        Shot("problem", "nurse", "/alerts/999999"),
        Shot("account", "nurse", "/account"),
        Shot("preferences", "nurse", "/preferences"),
        Shot("emergency", "nurse", "/emergency"),
        Shot("notices", "charge", "/notices"),
        Shot("boards", "charge", "/boards"),
        Shot("administration", "admin", "/admin"),
        Shot("people", "admin", "/admin/people"),
        Shot("person", "admin", "/admin/people/2"),
        Shot("units", "admin", "/admin/units"),
        Shot("unit", "admin", "/admin/units/2"),
        Shot("bed-codes", "admin", "/admin/bed-codes"),
        Shot("senders", "admin", "/admin/senders"),
        Shot("sender", "admin", "/admin/senders/1"),
        Shot("reviews", "admin", "/admin/reviews"),
        Shot("streams", "admin", "/admin/streams"),
        Shot("audit", "admin", "/admin/audit"),
        Shot("engineering", "engineer", "/engineering"),
    )


def _of_a_ward(browser: Browser, server: Server) -> tuple[Shot, ...]:
    """The pages that live on readings, with the simulator's ward a minute after it began."""
    with _page(browser, server, WIDE, "charge") as page:
        page.goto(f"{server.url}/board")
        page.wait_for_selector(".board-row", timeout=180_000)
        page.wait_for_function("() => document.querySelectorAll('[data-bed-state=quiet]').length > 10", timeout=180_000)
        page.goto(f"{server.url}/patients")
        patient = page.locator("#patient-list h2 a", has_text="MED-01").get_attribute("href") or ""
    return (
        Shot("patients", "charge", "/patients"),
        Shot("patient", "physician", patient),
        Shot("metrics", "charge", "/metrics"),
    )


def _take(browser: Browser, server: Server, shots: tuple[Shot, ...]) -> None:
    for shot, theme, (name, size) in product(shots, THEMES, SIZES.items()):
        with _page(browser, server, size, shot.who, theme) as page:
            page.goto(f"{server.url}{shot.path}")
            if page.evaluate("!!document.body.dataset.stream"):
                expect_live(page)
            page.wait_for_function("() => !document.querySelector('[data-trends]:not([data-ready])')")
            _shoot(page, f"{shot.name}-{name}-{theme}")


def _stale(browser: Browser, server: Server) -> None:
    for theme, (name, size) in product(THEMES, SIZES.items()):
        with _page(browser, server, size, "charge", theme) as page:
            page.clock.install()
            page.goto(f"{server.url}/alerts")
            expect_live(page)
            os.kill(server.pid, signal.SIGSTOP)
            page.clock.run_for(75_000)
            expect_live(page, "stale")
            _shoot(page, f"stale-{name}-{theme}")
            os.kill(server.pid, signal.SIGCONT)


def _boards(browser: Browser, server: Server) -> None:
    """Walls are dark, and darker at night."""
    for theme, (name, size) in product(THEMES[1:], WALLS.items()):
        with _page(browser, server, size, "charge", theme) as page:
            page.goto(f"{server.url}/board")
            expect_live(page)
            _shoot(page, f"board-{name}-{theme}")


@contextmanager
def _server(**environment: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), {"HOSPITAL_SESSION_ROTATE_S": "86400"} | environment)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _page(
    browser: Browser, server: Server, size: tuple[int, int], name: str = "", theme: str = "light"
) -> Iterator[Page]:
    scheme: Any = "light" if theme == "light" else "dark"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="reduce",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
    )
    if name:
        session = _cookie(server, name)
        context.add_cookies([{"name": "session", "value": session, "url": server.url}])
    if theme == "night":
        context.add_init_script("document.documentElement.dataset.theme = 'night'")
    page = context.new_page()
    yield page
    context.close()


@cache
def _cookie(server: Server, name: str) -> str:
    return Visitor(server).sign_in(name).cookie


def _shoot(page: Page, name: str) -> None:
    if name.endswith("night"):
        page.evaluate("document.documentElement.dataset.theme = 'night'")
    page.evaluate("() => document.fonts.ready")
    picture = page.screenshot()
    (PLACE / f"{name}.png").write_bytes(_with_a_palette(page, picture))


def _with_a_palette(page: Page, picture: bytes) -> bytes:
    """The same picture in its 256 most frequent colours: a third of the size, and no difference to see."""
    workshop = page.context.new_page()  # an empty page, which no content security policy rules
    found = workshop.evaluate(_TO_PALETTE, base64.b64encode(picture).decode())
    workshop.close()
    width, height, pixels = found["width"], found["height"], base64.b64decode(found["pixels"])
    rows = b"".join(b"\0" + pixels[at : at + width] for at in range(0, width * height, width))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", base64.b64decode(found["palette"])),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _fill(server: Server) -> None:
    """A ward at 14 minutes of its worst hour."""
    _breathe(server, "MED-07", "4707", "Hon^Albert", (97, 96, 96, 95, 93, 90, 86, 84))
    _breathe(server, "MED-05", "4800", "Fischer^Ute", (96, 95, 93, 91, 88, 86))
    for number, scene in enumerate(WARD):
        _alarm(server, scene, number)
    yesterday = clock.now() - timedelta(hours=19)
    server.send(alarm(bed="ER^^ER-03", alert_id="old", text="NIBP sys low", value="84", limits="90-160", at=yesterday,
                      patient=None, **PRESSURE))  # fmt: skip
    _train(server)
    _age(server)
    nurse, nurse2 = Visitor(server).sign_in("nurse"), Visitor(server).sign_in("nurse2")
    taken = Scene("MED-05", "Fischer, Ute", 0, {"text": "SpO2 low", "value": "86", "priority": "high"})
    _alarm(server, taken, 100)
    path = _path_of(nurse, taken.bed)
    nurse2.act(f"{path}/escalation")
    nurse2.act(f"{path}/notes", text="Probe moved to the other hand. Signal is good now, value stays at 86.")
    nurse.act(f"{path}/acknowledgement")
    server.send(_message(taken, 100, phase="update", value="87"))
    for bed, visitor in (("MED-11", nurse2), ("MED-03", nurse)):
        visitor.act(f"{_path_of(visitor, bed)}/acknowledgement")


def _breathe(server: Server, bed: str, number: str, name: str, spo2: tuple[int, ...]) -> None:
    """The readings before an alarm, two minutes apart."""
    for at, value in enumerate(spo2):
        minutes = 2 * (len(spo2) - 1 - at)
        patient = f"{number}^^^Ward^PI||{name}^^^^^L||19580412"
        server.send(
            reading(bed=f"MED^^{bed}", patient=patient, spo2=value, at=clock.now() - timedelta(minutes=minutes))
        )


def _alarm(server: Server, scene: Scene, number: int) -> None:
    server.send(_message(scene, number))
    if scene.ends:
        server.send(_message(scene, number, phase="end"))


def _message(scene: Scene, number: int, **how: Any) -> bytes:
    pid = f"{4700 + number}^^^Ward^PI||{scene.patient.replace(', ', '^')}^^^^^L||19580412" if scene.patient else None
    unit = scene.bed.partition("-")[0]
    return alarm(bed=f"{unit}^^{scene.bed}", alert_id=f"S{number}", patient=pid, **scene.how | how)


def _train(server: Server) -> None:
    """A monitor on the training bench: its first message makes it known, then it is marked."""
    how: dict[str, Any] = {
        "sender": "SIM_LAB|BENCH",
        "patient": None,
        "text": "Apnea",
        "value": None,
        "priority": "low",
    }
    server.send(alarm(bed="MED^^MED-01", alert_id="T0", phase="end", **how))
    with _database(server) as database:
        database.execute("UPDATE sender SET training = 1 WHERE name LIKE '%SIM_LAB%'")
    server.send(alarm(bed="MED^^MED-01", alert_id="T1", processing_id="T", **how))


def _age(server: Server) -> None:
    """Only here are rows changed behind the server's back: a picture cannot wait for twenty minutes."""
    with _database(server) as database:
        for scene in WARD:
            moved = f"-{scene.ago_s} seconds"
            for column in ("raised_at", "escalate_at", "expires_at", "cleared_at"):
                database.execute(
                    f"UPDATE alert SET {column} = strftime('%Y-%m-%d %H:%M:%f000', {column}, ?) "
                    "WHERE bed_id = (SELECT id FROM bed WHERE code = ? AND hospital_id = alert.hospital_id)",
                    (moved, scene.bed),
                )


@contextmanager
def _database(server: Server) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(server.folder / "hospital.db", timeout=10)) as database:
        yield database
        database.commit()


def _path_of(visitor: Visitor, bed: str) -> str:
    page = visitor.get("/alerts")
    return page[: page.index(f">{bed}</a>")].rpartition('href="')[2].rstrip('"')


if __name__ == "__main__":
    main()
