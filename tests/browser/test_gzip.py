"""Chromium unpacks the shared gzip stream as it comes: a frame is on the screen at once, and not with the next ones."""

from collections.abc import Callable

from playwright.sync_api import Response, expect

from tests.browser.desk import NewDesk, card
from tests.support.alarms import alarm
from tests.support.server import Server


def test_a_frame_of_the_gzip_stream_is_shown_at_once(new_server: Callable[..., Server], new_desk: NewDesk) -> None:
    """No beat comes for a long time, so that nothing pushes the frame out but itself."""
    server = new_server(HOSPITAL_BEAT_S="60")
    desk = new_desk("nurse", alone=True, at=server)
    streams: list[Response] = []
    desk.context.on("response", lambda response: streams.append(response) if "/live/stream" in response.url else None)
    page = desk.open()
    for bed in ("MED-01", "MED-02", "MED-03"):
        server.send(alarm(bed=f"MED^^{bed}", alert_id=bed))
        expect(card(page, bed)).to_be_visible()
    assert [response.headers.get("content-encoding") for response in streams] == ["gzip"]
