from collections.abc import Callable
from typing import Any

from hospital.simulator.sending import FIRST_PAUSE_S, LOOK_UP_S, NOT_ASKED, Sender

MESSAGE = b"MSH|^~\\&|WARD_SIMULATOR|DEMO|||20261122||ORU^R40^ORU_R40|C1|P|2.6\rPV1||I|MED^^MED-01\r"
SECOND = MESSAGE.replace(b"|C1|", b"|C2|")


def answer(code: str, to: str | None = None) -> Callable[[bytes], bytes]:
    def reply(message: bytes) -> bytes:
        control_id = to or message.split(b"|")[9].decode()
        return f"\x0bMSH|^~\\&|||||||ACK|1|P|2.6\rMSA|{code}|{control_id}\r\x1c\r".encode()

    return reply


def hang_up(message: bytes) -> None:
    return None


def keep_silent(message: bytes) -> bytes:
    return b""


def test_a_message_is_framed_and_its_answer_counted(intake: Callable[..., Any]) -> None:
    listening = intake(answer("CA"))
    sender = Sender("127.0.0.1", listening.port)
    assert sender.send(MESSAGE) == "CA"
    assert listening.heard == [b"\x0b" + MESSAGE]
    assert sender.answers == {"CA": 1}
    sender.close()


def test_all_messages_go_over_one_connection(intake: Callable[..., Any]) -> None:
    listening = intake(answer("AA"))
    sender = Sender("127.0.0.1", listening.port)
    assert [sender.send(MESSAGE), sender.send(SECOND)] == ["AA", "AA"]
    assert listening.connections == 1
    sender.close()


def test_the_same_bytes_are_repeated_until_they_are_answered(intake: Callable[..., Any]) -> None:
    listening = intake(hang_up, hang_up, answer("CA"))
    slept: list[float] = []
    sender = Sender("127.0.0.1", listening.port, sleep=slept.append)
    assert sender.send(MESSAGE) == "CA"
    assert listening.heard == [b"\x0b" + MESSAGE] * 3
    assert (sender.repeats, listening.connections) == (2, 3)
    assert sum(slept) == FIRST_PAUSE_S + 2 * FIRST_PAUSE_S
    assert max(slept) <= LOOK_UP_S
    sender.close()


def test_silence_is_no_answer(intake: Callable[..., Any]) -> None:
    listening = intake(keep_silent, answer("CA"))
    sender = Sender("127.0.0.1", listening.port, answer_timeout_s=0.05, sleep=lambda seconds: None)
    assert sender.send(MESSAGE) == "CA"
    assert sender.repeats == 1
    sender.close()


def test_an_answer_to_another_message_is_passed_over(intake: Callable[..., Any]) -> None:
    listening = intake(lambda message: answer("AA", to="C0")(message) + answer("AE")(message))
    sender = Sender("127.0.0.1", listening.port)
    assert sender.send(MESSAGE) == "AE"
    sender.close()


def test_a_refusal_is_an_answer_and_is_not_repeated(intake: Callable[..., Any]) -> None:
    listening = intake(answer("AR"))
    sender = Sender("127.0.0.1", listening.port)
    assert sender.send(MESSAGE) == "AR"
    assert len(listening.heard) == 1
    assert sender.answers == {"AR": 1}
    sender.close()


def test_a_sender_told_to_stop_gives_up_waiting(intake: Callable[..., Any]) -> None:
    listening = intake(hang_up)
    sender = Sender("127.0.0.1", listening.port, stop=lambda: sender.repeats >= 3, sleep=lambda seconds: None)
    assert sender.send(MESSAGE) is None
    assert sender.answers == {}


def test_after_its_tries_a_message_is_given_up(intake: Callable[..., Any]) -> None:
    listening = intake(hang_up)
    sender = Sender("127.0.0.1", listening.port, tries=3, sleep=lambda seconds: None)
    assert sender.send(MESSAGE) is None
    assert (len(listening.heard), sender.repeats) == (3, 2)


def test_a_message_that_wants_no_answer_is_not_waited_for(intake: Callable[..., Any]) -> None:
    listening = intake(lambda message: b"" if b"|NE|NE" in message else answer("AA")(message))
    sender = Sender("127.0.0.1", listening.port)
    assert sender.send(MESSAGE.replace(b"|2.6", b"|2.6|||NE|NE")) == NOT_ASKED
    assert sender.send(SECOND) == "AA"
    assert sender.answers == {NOT_ASKED: 1, "AA": 1}
    sender.close()


def test_a_message_without_a_control_id_is_answered_without_one(intake: Callable[..., Any]) -> None:
    listening = intake(lambda message: b"\x0bMSH|^~\\&\rMSA|AE|\r\x1c\r")
    sender = Sender("127.0.0.1", listening.port)
    assert sender.send(b"MSH|^~\\&|X\r") == "AE"
    sender.close()
