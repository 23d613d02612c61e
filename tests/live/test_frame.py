"""What goes over the line, as the browser's own parser reads it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.live import frame
from tests.support.sse import Event, Reader, events_of

_NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
_FORGED = "event: auth\ndata: {}\n\n"

# str.splitlines ends a line at each of these; a browser only at the first three.
_BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


def test_a_frame_says_its_kind_its_number_and_its_html() -> None:
    assert frame.frame("<p>1</p>", "e-7") == b"event: frame\nid: e-7\ndata: <p>1</p>\n\n"


def test_hello_has_no_id_because_nothing_has_been_written_yet() -> None:
    (event,) = events_of(frame.hello("e-7", 7, 5.0, _NOON, replay=True, person=3, rights=_NOON, build="b1"))
    assert (event.name, event.id) == ("hello", None)
    assert json.loads(event.data) == {
        "cursor": "e-7",
        "head": 7,
        "beat_s": 5.0,
        "now": "2026-11-22T12:00:00.250000Z",
        "replay": True,
        "person": 3,
        "rights": "2026-11-22T12:00:00.250000Z",
        "build": "b1",
    }


def test_who_goes_says_within_what_time_and_moves_no_cursor() -> None:
    assert events_of(frame.drain(2.5)) == [Event("drain", '{"within_s": 2.5}', None)]


def test_the_latest_of_what_always_changes_moves_no_cursor() -> None:
    assert events_of(frame.vitals("<p>72</p>")) == [Event("frame", "<p>72</p>", None)]


def test_a_beat_says_up_to_where_everything_has_been_written() -> None:
    (event,) = events_of(frame.beat("e-7", 7, _NOON))
    assert (event.name, event.id) == ("beat", "e-7")
    assert json.loads(event.data) == {"head": 7, "now": "2026-11-22T12:00:00.250000Z"}


def test_a_resync_moves_the_cursor_and_says_why() -> None:
    assert events_of(frame.resync("e-9", "too old")) == [Event("resync", '{"why": "too old"}', "e-9")]


def test_the_last_word_moves_no_cursor() -> None:
    assert events_of(frame.auth("session ended")) == [Event("auth", '{"why": "session ended"}', None)]


@pytest.mark.parametrize("end", _BREAKS, ids=lambda end: end.encode("unicode_escape").decode())
def test_no_line_break_of_any_kind_forges_an_event(end: str) -> None:
    text = f"Tilda{end}{end}event: auth{end}id: e-99{end}data: x{end}{end}"
    assert [(event.name, event.id) for event in events_of(frame.frame(text, "e-7"))] == [("frame", "e-7")]


@pytest.mark.parametrize("end", _BREAKS, ids=lambda end: end.encode("unicode_escape").decode())
def test_the_browser_sees_the_same_text(end: str) -> None:
    text = f"SpO2{end}84{end}{end} low {end}"
    seen_as = "\n" if "\r" in end else end  # as in any HTML: a carriage return is read as a line's end
    assert events_of(frame.frame(text, "e-7"))[0].data == text.replace(end, seen_as)


@pytest.mark.parametrize("text", ["", " ", "  two before", ": no comment", "data: x", "id: e-99", "\n", "ä – 🫀"])
def test_text_that_looks_like_the_protocol_stays_text(text: str) -> None:
    assert events_of(frame.frame(text, "e-7")) == [Event("frame", text, "e-7")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_whatever_the_text_is_one_event_comes_out_and_holds_it(text: str) -> None:
    html = text.replace("\r\n", "\n").replace("\r", "\n")
    assert events_of(frame.frame(text, "e-7")) == [Event("frame", html, "e-7")]


def test_an_event_is_whole_however_the_network_cuts_it() -> None:
    data = frame.frame("one\r\ntwo", "e-1") + frame.beat("e-1", 1, _NOON)
    reader = Reader()
    for number in range(len(data)):
        reader.feed(data[number : number + 1])
    assert reader.events == events_of(data)
    assert reader.is_between_events


def test_the_reader_of_these_tests_does_fall_for_a_forgery() -> None:
    naive = f"event: frame\ndata: x\n\n{_FORGED}".encode()
    assert [event.name for event in events_of(naive)] == ["frame", "auth"]
    assert [event.name for event in events_of(naive.replace(b"\n", b"\r") + b"\n")] == ["frame", "auth"]
    assert not Reader(b"data: x\n\nevent: ").is_between_events
