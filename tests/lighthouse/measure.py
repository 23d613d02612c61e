"""What Lighthouse says of the pages that are looked at most: `make lighthouse`. It wants a quiet machine and Node."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.visitor import Visitor
from tests.support.alarms import alarm
from tests.support.server import Server, free_port
from tests.support.servers import CHROMIUM, CHROMIUM_ARGS

LIGHTHOUSE = Path(__file__).parent / "node_modules/lighthouse/cli/index.js"
AT_LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100}
TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
PAGES = (("/alerts", "desktop"), ("/board", "desktop"), ("/alerts", "mobile"))
RUNS = 3  # the one in the middle counts: the first finds everything cold


def main() -> int:
    missed = 0
    with _signed_in_chromium() as (server, port):
        for path, screen in PAGES:
            reports = [_report(f"{server.url}{path}", port, screen) for _ in range(RUNS)]
            report = sorted(reports, key=lambda one: one["categories"]["performance"]["score"])[RUNS // 2]
            scores = {name: round(100 * report["categories"][name]["score"]) for name in AT_LEAST}
            times = " · ".join(f"{name} {report['audits'][name]['displayValue']}" for name in TIMES)
            print(f"{path} {screen}: {scores}\n  {times}", flush=True)
            for name in [name for name, least in AT_LEAST.items() if scores[name] < least]:
                missed += 1
                print(f"  {name} under {AT_LEAST[name]}: {', '.join(_lost(report, name))}")
    return missed


@contextmanager
def _signed_in_chromium() -> Iterator[tuple[Server, int]]:
    """A server with a ward of twelve alerts, and a browser in which a nurse has signed in; the port that steers it."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, port = Server(Path(folder)), free_port()
        server.start()
        for bed in range(1, 13):
            priority = ("high", "medium", "low")[bed % 3]
            server.send(alarm(bed=f"MED^^MED-{bed:02}", alert_id=f"L{bed}", priority=priority, patient=None))
        context = playwright.chromium.launch_persistent_context(
            Path(folder) / "chromium",
            executable_path=CHROMIUM,
            args=[*CHROMIUM_ARGS, f"--remote-debugging-port={port}"],
        )
        session = Visitor(server).sign_in("nurse").cookie
        context.add_cookies([{"name": "session", "value": session, "url": server.url}])
        try:
            yield server, port
        finally:
            context.close()
            server.stop()


def _report(url: str, port: int, screen: str) -> dict[str, Any]:
    command = [
        *("node", str(LIGHTHOUSE), url, f"--port={port}", "--quiet", "--output=json"),
        *(["--preset=desktop"] if screen == "desktop" else []),
        "--disable-storage-reset",  # it would take the sign-in away
        f"--only-categories={','.join(AT_LEAST)}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"Lighthouse ended with {done.returncode}:\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _lost(report: dict[str, Any], category: str) -> list[str]:
    """The audits that cost something."""
    counted = [ref["id"] for ref in report["categories"][category]["auditRefs"] if ref["weight"]]
    return [name for name in counted if report["audits"][name]["score"] not in (1, None)]


if __name__ == "__main__":
    sys.exit(main())
