"""A proxy that holds the stream back: the screen must say so, and never look live."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.desk import NewDesk, expect_live
from tests.support.alarms import alarm
from tests.support.nginx import BUFFERS, Nginx
from tests.support.server import Server


@dataclass(frozen=True)
class Address:
    """Where a browser finds a server: by way of the proxy."""

    url: str


@pytest.fixture
def behind(server: Server, nginx_path: str, tmp_path: Path) -> Iterator[Address]:
    nginx = Nginx(nginx_path, tmp_path, server, BUFFERS)
    nginx.start()
    yield Address(f"http://127.0.0.1:{nginx.port}")
    nginx.close()


def test_behind_a_proxy_that_buffers_a_screen_says_that_it_is_not_current(
    server: Server, behind: Address, new_desk: NewDesk
) -> None:
    desk = new_desk("nurse", at=behind)
    page = desk.open(live=False)
    page.evaluate("""() => {
      window.wasLive = false;
      new MutationObserver(() => (window.wasLive ||= document.body.dataset.live === "live"))
        .observe(document.body, { attributes: true, attributeFilter: ["data-live"] });
    }""")
    server.send(alarm(bed="MED^^MED-07"))
    expect_live(page, "stale")
    assert page.evaluate("window.wasLive") is False
