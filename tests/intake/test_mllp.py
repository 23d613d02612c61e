"""The MLLP listener, over a real socket."""

import socket
import struct
from collections.abc import Iterator
from contextlib import closing

import pytest

from hospital import settings
from hospital.intake.mllp import TooLarge, unframe
from hospital.settings import Settings
from tests.support.alarms import alarm
from tests.support.server import Gateway, Server


@pytest.fixture
def gateway(server: Server) -> Iterator[Gateway]:
    with closing(server.gateway()) as gateway:
        yield gateway


def framed(*messages: bytes) -> bytes:
    return b"".join(b"\x0b" + message + b"\x1c\x0d" for message in messages)


def code_of(answer: bytes) -> tuple[str, str]:
    msa = next(row for row in answer.decode().split("\r") if row.startswith("MSA")).split("|")
    return msa[1], msa[2]


def taken(buffer: bytes) -> tuple[list[bytes], bytes]:
    left = bytearray(buffer)
    return list(unframe(left)), bytes(left)


def test_whole_messages_are_taken_and_what_has_only_begun_stays() -> None:
    assert taken(framed(b"one", b"two") + b"\x0bthr") == ([b"one", b"two"], b"\x0bthr")


def test_what_stands_between_frames_is_dropped() -> None:
    assert taken(b"\r\n" + framed(b"one") + b"noise" + framed(b"two") + b"more") == ([b"one", b"two"], b"")


def test_an_end_that_is_split_between_two_reads_is_found() -> None:
    assert taken(b"\x0bone\x1c") == ([], b"\x0bone\x1c")
    assert taken(b"\x0bone\x1c\x0d") == ([b"one"], b"")


def test_a_lone_0x1c_inside_a_message_does_not_end_it() -> None:
    assert taken(framed(b"on\x1ce")) == ([b"on\x1ce"], b"")


@pytest.fixture
def at_most_ten_bytes() -> Iterator[None]:
    settings.use(Settings(mllp_max_bytes=10))
    yield
    settings.use(Settings())


@pytest.mark.usefixtures("at_most_ten_bytes")
def test_a_message_of_just_the_largest_size_is_taken() -> None:
    assert taken(framed(b"0123456789")) == ([b"0123456789"], b"")


@pytest.mark.usefixtures("at_most_ten_bytes")
@pytest.mark.parametrize("too_large", [framed(b"0123456789a"), b"\x0b0123456789a"])
def test_a_larger_one_ends_the_conversation_whether_whole_or_still_coming(too_large: bytes) -> None:
    with pytest.raises(TooLarge):
        taken(too_large)


def test_many_messages_on_one_connection_are_answered_in_order(gateway: Gateway) -> None:
    answers = [code_of(gateway.send(alarm(control_id=f"C{n}", alert_id=f"A{n}"))) for n in range(20)]
    assert answers == [("CA", f"C{n}") for n in range(20)]


def test_several_messages_in_one_packet_are_each_answered(gateway: Gateway) -> None:
    gateway.write(framed(*(alarm(control_id=f"C{n}", alert_id=f"A{n}") for n in range(5))))
    assert [code_of(gateway.answer())[1] for _ in range(5)] == [f"C{n}" for n in range(5)]


def test_one_message_in_many_packets_is_answered_once(gateway: Gateway) -> None:
    gateway.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in framed(alarm(control_id="C1")):
        gateway.write(bytes([byte]))
    assert code_of(gateway.answer()) == ("CA", "C1")


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\r\r", b"\r\n\r\n"])
def test_segments_may_end_in_cr_lf_crlf_or_with_blank_lines_between(gateway: Gateway, ending: bytes) -> None:
    assert code_of(gateway.send(alarm(control_id="C1").replace(b"\r", ending))) == ("CA", "C1")


def test_nonsense_is_refused_and_the_connection_lives_on(gateway: Gateway) -> None:
    assert code_of(gateway.send(b"GET / HTTP/1.1"))[0] == "AR"
    assert code_of(gateway.send(alarm(control_id="C1"))) == ("CA", "C1")


def test_an_acknowledgement_is_not_answered_and_the_next_message_is(gateway: Gateway) -> None:
    gateway.write(framed(b"MSH|^~\\&|||||2019||ACK^R40|||2.7\rMSA|CA|1\r"))
    assert code_of(gateway.send(alarm(control_id="C1"))) == ("CA", "C1")


def test_too_large_a_message_ends_the_connection_and_only_that(new_server) -> None:  # type: ignore[no-untyped-def]
    server = new_server(HOSPITAL_MLLP_MAX_BYTES="2000")
    with closing(server.gateway()) as large, closing(server.gateway()) as other:
        large.write(b"\x0bMSH|" + b"x" * 3000)
        with pytest.raises(ConnectionError):
            large.answer()
        assert code_of(other.send(alarm(control_id="C1"))) == ("CA", "C1")


def test_a_connection_that_says_nothing_is_closed_after_the_idle_limit(new_server) -> None:  # type: ignore[no-untyped-def]
    server = new_server(HOSPITAL_MLLP_IDLE_S="0.3")
    with closing(server.gateway()) as idle, pytest.raises(ConnectionError):
        idle.answer()


def test_a_sender_that_hangs_up_before_its_answer_harms_nobody(server: Server) -> None:
    rude = server.gateway()
    rude.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    rude.write(framed(alarm(control_id="C1")))
    rude.close()
    assert code_of(server.send(alarm(control_id="C2", alert_id="A2"))) == ("CA", "C2")
