"""Text from messages is text, wherever it comes out: pages, attributes, titles, frames, exports, logs and counters."""

import csv
import io
import logging
import re

import pytest

from tests.live.lines import joined, visitor_of
from tests.pages.markup import Element, read
from tests.support.house import House
from tests.support.nasty import NASTY, meant
from tests.support.readings import reading
from tests.support.sse import Event

PAGES = {
    "nurse": ["/alerts", "/alerts/1", "/alerts/3", "/patients", "/patients/1", "/patients/2", "/board"],
    "charge": ["/alerts", "/alerts/2", "/alerts/4"],
}

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def tell(house: House, text: str, number: int) -> list[Event]:
    """A patient, an alarm, and one from a place that nobody knows, all called so; the frames of a charge nurse."""
    line = joined(house, "charge", views=frozenset({"alerts", "patients", "board"}))
    patient = f"{number}^^^Ward^PI||{text}^{text}^^^^^L||19610301|F"
    house.take(reading(patient=patient, bed=f"MED^^MED-0{number}"))
    house.raise_alarm(alert_id=f"one {number}", text=text, patient=patient, bed=f"MED^^MED-0{number}")
    house.raise_alarm(
        alert_id=f"two {number}", text="", event=f"196670^{text}^MDC", bed=f"{text}^{text}^{text}", patient=None
    )
    house.relay.look()
    return line.events


def frames(events: list[Event]) -> list[Element]:
    return [read(event.data) for event in events]


def parts(roots: list[Element]) -> set[tuple[str, str]]:
    """Every element with each of its attributes: what is text adds none."""
    return {(one.tag, name) for root in roots for one in root.all() for name in ("", *one.attributes)}


def pages(house: House) -> dict[str, Element]:
    return {
        f"{name} {path}": read(visitor_of(house, name).get(path).get_data(as_text=True))
        for name, paths in PAGES.items()
        for path in paths
    }


@pytest.mark.parametrize("word", NASTY)
def test_nothing_of_a_message_is_markup_an_event_a_formula_or_a_line_of_a_log(
    house: House, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    caplog.set_level(logging.DEBUG)
    sent, shown = NASTY[word][0], " ".join(meant(word).split())
    calm = parts([*frames(tell(house, "calm", 1)), *pages(house).values()])
    events, found = tell(house, sent, 2), pages(house)
    admin = visitor_of(house, "admin")
    exported = admin.get("/admin/audit/export").get_data(as_text=True)
    counted = admin.get("/internal/metrics").get_data(as_text=True)

    assert any(one.text == shown for one in found["nurse /alerts"].all("p", class_="text")), "it is there, as a text"
    assert any(shown in one.text for one in frames(events))
    assert {event.name for event in events} == {"frame"}
    assert parts([*found.values(), *frames(events)]) <= calm
    assert all(cell[:1] not in "=+-@\t\r" or not cell for row in csv.reader(io.StringIO(exported)) for cell in row)
    for told in (exported, counted, caplog.text):
        assert "planted" not in told and "7*7" not in told and sent not in told
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]", "".join(e.data for e in events)
    )
