"""A message that was made to be slow, as large as it may be, costs nobody else anything."""

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hospital.intake import fhir
from hospital.intake.answering import answer
from hospital.intake.fhir_entries import Invalid
from hospital.intake.hl7 import Refused, check, parse
from hospital.intake.pcd01 import read_observations
from hospital.intake.pcd04 import orders, read_alarm, read_place, read_subject
from hospital.settings import Settings
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import reading

LARGEST = Settings().mllp_max_bytes - 2_000
LONGEST_CPU_S = 0.1


def again(what: bytes, after: Callable[[], bytes] = alarm) -> bytes:
    """A good message, and then the same thing over and over."""
    return after() + what * (LARGEST // len(what))


def with_field(old: bytes, what: bytes, of: Callable[[], bytes] = alarm) -> bytes:
    """A good message with a field that fills the rest."""
    assert old in of()
    return of().replace(old, what * (LARGEST // len(what)), 1)


ONE_OBX = b"OBX|1|NM|147842^^MDC||72|264864^^MDC|||||F|||2026\r"
BOMBS = {
    "empty segments": again(b"A\r"),
    "empty results": again(b"OBX|\r"),
    "results": again(b"OBX|1|ST|196670^MDC_EVT_LO^MDC||x\r"),
    "readings": again(ONE_OBX, reading),
    "devices": again(b"OBX|1||69965^MDC_DEV^MDC|1.0.0.0|||\r", reading),
    "patients": again(b"PID|||1\r", reading),
    "orders": again(b"OBR|1||A\r"),
    "orders behind many segments": alarm().replace(b"PID|", b"NTE\r" * 4_800 + b"PID|") + b"OBR|1||A\r" * 49,
    "line ends": again(b"\r"),
    "blank lines": again(b" \n"),
    "fields": again(b"|"),
    "patient's numbers": with_field(b"4711^^^Ward^PI", b"~"),
    "components": with_field(b"4711^^^Ward^PI", b"^"),
    "words about the priority": with_field(b"SpO2 low||||||F", b"~").replace(b"~~~", b"x|||~", 1),
    "lone escapes": with_field(b"SpO2 low", b"\\"),
    "escapes": with_field(b"SpO2 low", b"\\F\\"),
    "escapes in hexadecimal": with_field(b"SpO2 low", b"\\X41\\"),
    "one long escape": with_field(b"SpO2 low", b"41").replace(b"4141", b"\\X", 1),
    "a place in a device": reading().replace(b"MDC||72|", b"MDC|1" + b".0" * (LARGEST // 2) + b"1|72|"),
    "digits": with_field(b"90-100", b"9"),
    "controls": with_field(b"SpO2 low", b"\x01"),
    "separators": with_field(b"^~\\&", b"^~\\&"),
    "wide letters": again(b"OBX|\r").decode()[: LARGEST // 2].encode("utf-16"),
}  # fmt: skip


def cpu_s(what: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """How long it took, at its best of three, without what other tests have left behind for the garbage collector."""
    took = []
    gc.collect()
    gc.freeze()
    for _ in range(3):
        began = time.thread_time()
        try:
            made = what(*given)
        except (Refused, Invalid) as refused:
            made = refused
        took.append(time.thread_time() - began)
    gc.unfreeze()
    return min(took), made


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_message_made_to_be_slow_is_read_or_refused_in_no_time(bomb: bytes) -> None:
    assert len(bomb) <= Settings().mllp_max_bytes
    took, message = cpu_s(parse, bomb)
    assert took <= LONGEST_CPU_S
    assert cpu_s(_understand, message)[0] <= LONGEST_CPU_S
    assert cpu_s(_answer, message)[0] <= LONGEST_CPU_S


def _understand(message: Any) -> None:
    if isinstance(message, Refused):
        return
    check(message)
    if message.event == "R01":
        read_observations(message, UTC)
    else:
        for order in orders(message):
            read_alarm(order, UTC)
    read_subject(message)
    read_place(message)


def _answer(message: Any) -> bytes:
    refused = message if isinstance(message, Refused) else None
    return answer(None if refused else message, "AE", at=datetime.now(UTC), refused=refused)


_OF_ANN = b'"status":"final","subject":{"reference":"Patient/1"},"code":{"coding":['
IN_JSON = {
    "entries": (b'{"resourceType":"Bundle","type":"batch","entry":[', b"{}", b"]}"),
    "codes": (b'{"resourceType":"Observation",' + _OF_ANN, b"{}", b"]}}"),
    "components": (b'{"resourceType":"Observation",' + _OF_ANN + b']},"component":[', b'{"code":{}}', b"]}"),
    "identifiers": (b'{"resourceType":"Patient","identifier":[', b"{}", b"]}"),
    "names": (b'{"resourceType":"Patient","id":"1","name":[{"given":[', b'""', b"]}]}"),
    "depth": (b'{"resourceType":"Bundle","type":', b'{"a":[1', b""),
}


@pytest.mark.parametrize("bomb", IN_JSON)
def test_json_made_to_be_slow_is_refused_in_no_time(bomb: str) -> None:
    before, what, after = IN_JSON[bomb]
    body = before + b",".join([what] * (LARGEST // (len(what) + 1))) + after
    took, refused = cpu_s(fhir.read, body)
    assert isinstance(refused, Invalid) and refused.status in (400, 422)
    assert took <= LONGEST_CPU_S


def test_what_is_refused_for_its_number_of_parts_says_how_many_are_taken(house: House) -> None:
    for bomb, most in ((again(b"A\r"), "2000 segments"), (again(b"OBR|1||A\r")[:5_000], "50 orders")):
        received = house.take(bomb)
        assert received.code == "AE" and most in received.reason
        assert received.answer is not None and b"\rMSA|AE|T" in received.answer, "it names the message"


def test_an_alarm_with_a_text_without_end_is_raised_and_shown_with_its_beginning(house: House) -> None:
    """A card goes to every screen of the unit: a megabyte in it would go to all of them."""
    name = "Longname" * 1_000
    alert = house.alert(house.raise_alarm(text="SpO2 low " * 10_000, patient=f"4711^^^Ward^PI||{name}^Tilda"))
    assert (len(alert.text), alert.text[:20], alert.text[-1]) == (200, "SpO2 low SpO2 low Sp", "…")
    page = house.visitor("nurse").get("/alerts").get_data(as_text=True)
    assert "Longname" in page and len(page) < 20_000


@pytest.mark.parametrize("message", [alarm, reading])
@pytest.mark.parametrize("patient", [f"{'4' * 201}^^^Ward^PI||A^B", f"4711^^^{'W' * 201}^PI||A^B"])
def test_a_patient_s_number_that_is_too_long_is_refused_and_never_cut(
    house: House, message: Callable[..., bytes], patient: str
) -> None:
    received = house.take(message(patient=patient))
    assert (received.code, received.reason) == ("AE", "The patient's identifier is longer than 200 characters.")
