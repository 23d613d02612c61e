"""One compressor for a frame, none for a line: the same bytes are right in every gzip stream, wherever it stands."""

import random
import shutil
import subprocess
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from hospital.live import frame
from hospital.live.frame import Frame
from tests.live.lines import joined, seat
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.needs import need
from tests.support.server import Server
from tests.support.sse import Stream, events_of, sign_in, until

_CURL = "curl/8.0"
_CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
_SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Safari/604.1"
_LARGE = 3_000_000  # bytes: more than any buffer of these sockets holds


def gzipped(port: int, cookie: str) -> Stream:
    """A stream read as a browser does: unpacked as far as it has come."""
    stream = Stream(port, cookie, Accept_Encoding="gzip", User_Agent=_CURL)
    until(lambda: stream.named("hello"), stream)
    assert stream.headers["content-encoding"] == "gzip"
    return stream


def test_two_streams_that_began_at_different_times_take_the_same_bytes(
    house: House, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = seat(house, "nurse")[0]
    early = gzipped(port, cookie)
    house.raise_alarm(alert_id="first")
    house.relay.look()
    until(lambda: early.named("frame"), early)
    late = gzipped(port, cookie)

    made = _count_compressors(monkeypatch)
    house.raise_alarm(alert_id="second", bed="MED^^MED-02")
    house.relay.look()
    until(lambda: len(early.named("frame")) == 2 and late.named("frame"), early, late)
    assert len(made) == 1, "however many screens there are"
    assert early.events[-1] == late.events[-1]


def test_it_says_the_same_as_the_plain_stream(house: House, port: int) -> None:
    cookie = seat(house, "nurse")[0]
    zipped, plain = gzipped(port, cookie), Stream(port, cookie)
    until(lambda: plain.named("hello"), plain)
    for number in range(5):
        house.raise_alarm(alert_id=f"A{number}", bed=f"MED^^MED-0{number + 1}")
        house.relay.look()
    house.relay.beat()
    until(lambda: plain.named("beat") and zipped.named("beat"), plain, zipped)
    assert zipped.events[1:] == plain.events[1:]


def test_a_card_costs_at_most_four_tenths_of_its_bytes(house: House) -> None:
    nurse = joined(house, "nurse")
    house.raise_alarm()
    house.relay.look()
    (card,) = nurse.sent
    assert isinstance(card, Frame)
    print(f"{len(card.gzip)} of {len(card)} bytes: {len(card.gzip) / len(card):.3f}")
    assert len(card.gzip) <= 0.4 * len(card)


def test_a_slow_reader_of_gzip_gets_the_frame_begun_then_one_resync_then_what_is_new(house: House, port: int) -> None:
    slow = gzipped(port, seat(house, "nurse")[0])
    (line,) = house.relay.hub.everyone()
    begun = frame.frame(random.Random(1).randbytes(_LARGE).hex(), "e-1")
    assert len(begun.gzip) > _LARGE
    line.send(begun)
    assert line.waiting_bytes
    for number in range(50):
        line.send(frame.frame(f"dropped {number}", "e-2"))
    until(lambda: slow.named("resync"), slow)
    line.send(frame.frame("new", "e-3"))
    until(lambda: len(slow.events) == 4, slow)
    assert [event.name for event in slow.events] == ["hello", "frame", "resync", "frame"]
    assert [slow.events[1]] == events_of(begun)
    assert line.resyncs == 1


@pytest.mark.parametrize(
    ("agent", "accepts", "encoding"),
    [
        (_CURL, "gzip", "gzip"),
        (_CHROMIUM, "gzip, deflate, br, zstd", "gzip"),
        (_CHROMIUM, "identity", None),
        (_CHROMIUM, "gzip;q=0", None),
        (_FIREFOX, "gzip, deflate, br, zstd", "gzip"),
        (_SAFARI, "gzip, deflate, br", None),  # nobody has looked yet
        ("", "gzip", None),
    ],
)
def test_only_who_is_known_to_show_each_frame_at_once_gets_gzip(
    house: House, port: int, agent: str, accepts: str, encoding: str | None
) -> None:
    stream = Stream(port, seat(house, "nurse")[0], User_Agent=agent, Accept_Encoding=accepts)
    until(lambda: stream.status, stream)
    assert stream.headers.get("content-encoding") == encoding


def test_curl_shows_each_frame_as_it_comes(server: Server) -> None:
    curl = need(shutil.which("curl"), "curl: apt-get install curl")
    cookie = sign_in(server.port, "nurse").cookie
    url = f"{server.url}/live/stream?view=alerts"
    command = [curl, "--compressed", "--no-buffer", "--silent", "--include", "--cookie", f"session={cookie}", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as shown:
        assert shown.stdout is not None
        head = _lines_until(shown.stdout, b"event: hello\n")
        assert b"Content-Encoding: gzip\r\n" in head
        server.send(alarm())
        _lines_until(shown.stdout, b"event: frame\n")  # and the stream goes on: nothing closes it but us
        shown.kill()


def _lines_until(output: Any, wanted: bytes) -> list[bytes]:
    """What was shown up to this line; the test's own time limit ends a wait in vain."""
    lines: list[bytes] = []
    while not lines or lines[-1] != wanted:
        lines.append(output.readline())
        assert lines[-1], "curl has ended"
    return lines


def _count_compressors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []
    compressobj: Callable[..., Any] = zlib.compressobj

    def count(**how: Any) -> Any:
        made.append(1)
        return compressobj(**how)

    monkeypatch.setattr(zlib, "compressobj", count)
    return made
