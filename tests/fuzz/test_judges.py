"""The judges themselves: what is planted is found, kept as a file and told with its seed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import besieging, frames
from tests.fuzz.besieging import WATCHED, Input, Siege, kept, made
from tests.fuzz.chance import Chance
from tests.fuzz.doors import Door, no_acknowledgement, no_http, wrong_frame
from tests.fuzz.drilling import drill
from tests.support.alarms import alarm
from tests.support.server import Server
from tests.support.sse import sign_in


@pytest.fixture(autouse=True)
def _keep_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(besieging, "KEPT", tmp_path)


def numbers(*odd: bytes) -> Iterator[Input]:
    return made("x", 7, range(10), lambda chance: [b"good", odd[0] if chance.one_in(5) else b""])


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert list(numbers(b"odd")) == list(numbers(b"odd"))
    assert Chance(1, "x", 2).spoil(alarm(control_id="1")) != Chance(2, "x", 2).spoil(alarm(control_id="1"))


def test_what_is_raised_is_found_kept_and_said_again_first() -> None:
    def read(pieces: list[bytes]) -> str:
        return str(1 / (pieces[1] != b"odd"))[:0]

    found = drill("x", numbers(b"odd"), read)
    assert found and all("FUZZ_SEED=7 FUZZ_FIRST=" in one and "ZeroDivisionError" in one for one in found)
    assert [one.data for one in kept("x")] == [b"goododd"]


def test_what_takes_too_long_is_found() -> None:
    def read(pieces: list[bytes]) -> str:
        until = time.thread_time() + (0.15 if pieces[1] else 0)
        while time.thread_time() < until:
            pass
        return ""

    (found, *_) = drill("x", numbers(b"odd"), read)
    assert "s of the processor" in found


def test_answers_that_are_none_are_told() -> None:
    assert no_acknowledgement(b"\x0bMSH|^~\\&|x\rMSA|AA|1\r\x1c\r") == ""
    assert no_acknowledgement(b"\x0bMSH|^~\\&|x\rMSA|ZZ|1\r\x1c\r")
    assert no_acknowledgement(b"\x0bMSH|^~\\&|x\rMSA|AE|1\rERR|||207^x^HL70357\r\x1c\r")
    assert no_http(b"HTTP/1.1 404 NOT FOUND\r\n\r\n") == no_http(b"") == ""
    assert no_http(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 X\r\n") and no_http(b"hello")
    assert wrong_frame(frames.frame(1, b"x", mask=None) + frames.frame(8, b"\x03\xe8", mask=None)) == ""
    assert wrong_frame(frames.frame(1, b"x")) and wrong_frame(frames.frame(8, b"\0\1", mask=None))


@pytest.mark.slow
def test_the_input_that_did_it_is_found_and_a_server_that_died_is_started_anew(new_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = new_server(command=WATCHED)
    siege = Siege(server, Door("x", server.mllp_port, lambda answer: "planted" * (b"|odd" in answer)), "")
    good, odd = (Input(name, [b"\x0b" + alarm(control_id=name) + b"\x1c\r"]) for name in ("good", "odd"))
    (found,) = siege.feed(iter([good, odd, good]))
    assert found.startswith("odd, kept as x-") and found.endswith(": planted")
    server.kill()
    (found,) = siege.feed(iter([good]))
    assert found.startswith("the server died, but once")
    assert sign_in(server.port, "nurse").cookie, "it was started anew"
