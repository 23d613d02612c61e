"""The list of alerts, and one alert with its history: what they say, to whom, and in which order."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update

from hospital import background, clock, records
from hospital.pages import alerts as pages
from hospital.records import Alert, Hospital, Person, Sender
from hospital.roles import Role
from tests.access.strangers import hire
from tests.pages.markup import Element, read
from tests.support.alarms import alarm
from tests.support.house import House, Visitor
from tests.support.readings import reading
from tests.support.standing import standing

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOSTILE = {  # as it is sent: as it is meant
    words: words.replace("\\T\\", "&")
    for words in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</article></template><style>*{display:none}</style>",
        "<!--x",
        "{{ 7 * 7 }}{% raw %}",
        "\\T\\lt;b\\T\\gt; \\T\\amp;",  # an ampersand as HL7 writes it
    )
}
HARMLESS = "Testmann"
HTMX = {"Accept": "text/html", "HX-Request": "true"}


# ---- What is on the list, and in which order -------------------------------------------------------------------------


def test_the_most_urgent_is_on_top_then_who_nobody_has_then_who_climbed_then_the_newest(house: House) -> None:
    clock.stop(NOON)
    nurse = house.visitor("nurse")
    made = {}
    for name, priority in (("low", "low"), ("older", "medium"), ("taken", "medium"), ("high", "high")):
        made[name] = house.raise_alarm(alert_id=name, priority=priority)
        clock.turn(timedelta(seconds=1))
    made["climbed"] = house.raise_alarm(alert_id="climbed", priority="medium")
    nurse.act(f"/alerts/{made['climbed']}/escalation")
    clock.turn(timedelta(seconds=1))
    made["newer"] = house.raise_alarm(alert_id="newer", priority="medium")
    made["gone"] = house.raise_alarm(alert_id="gone", priority="medium")
    house.take(_end("gone"))
    nurse.acknowledge(made["taken"])

    names = {alert_id: name for name, alert_id in made.items()}
    shown = [names[alert_id] for alert_id in _listed(nurse)]
    assert shown == ["high", "climbed", "newer", "older", "gone", "taken", "low"]


def test_the_order_on_the_page_is_the_one_by_which_the_browser_puts_cards_in_place(house: House) -> None:
    for n in range(12):
        house.raise_alarm(alert_id=f"A{n}", priority=("low", "high", "medium")[n % 3])
    sorts = [card.attributes["data-sort"] for card in _cards(house.visitor("nurse"))]
    assert sorts == sorted(sorts)
    assert len(set(sorts)) == 12


def test_each_sees_the_alerts_of_the_own_units_and_the_charge_nurse_those_of_none(house: House) -> None:
    med = house.raise_alarm(bed="MED^^MED-07", alert_id="A1")
    icu = house.raise_alarm(bed="ICU^^ICU-02", alert_id="A2")
    nowhere = house.raise_alarm(bed="ATTIC^^7", alert_id="A3")
    expected = {
        "nurse": {med},
        "nurse2": {med},
        "nurse-icu": {icu},
        "physician": {med, icu},
        "charge": {med, icu, nowhere},
        "nurse-b": set(),
    }
    assert {name: set(_listed(house.visitor(name))) for name in expected} == expected


def test_a_resolved_alert_is_off_the_list_and_its_page_says_so(house: House) -> None:
    nurse, alert_id = house.visitor("nurse"), house.raise_alarm()
    nurse.act(f"/alerts/{alert_id}/resolution")
    assert _listed(nurse) == []
    page = read(nurse.get(f"/alerts/{alert_id}").text)
    assert "it is resolved and off every list" in page.one(id="alert-detail").text
    assert page.all(data_act="acknowledge") == page.all(data_act="resolve") == page.all(data_act="escalate") == []
    assert page.all(data_act="note")


def test_a_list_without_alerts_says_so_and_when_it_looked(house: House) -> None:
    clock.stop(NOON)
    page = _page(house.visitor("charge"))
    assert page.one(id="alert-list").inside == []
    empty = page.one(data_testid="empty")
    assert "No open alerts in ICU, MED." in empty.text
    assert empty.one("time").attributes["datetime"] == "2026-03-01T12:00:00.000Z"
    assert page.one(id="summary").one("b").text == "0"


def test_the_bar_counts_what_nobody_has_and_since_when_the_oldest_waits(house: House) -> None:
    clock.stop(NOON)
    first = house.raise_alarm(alert_id="A1")
    clock.turn(timedelta(minutes=7))
    house.raise_alarm(alert_id="A2")
    house.raise_alarm(alert_id="A3", bed="ICU^^ICU-02")
    nurse = house.visitor("nurse")
    summary = _page(nurse).one(id="summary")
    assert (summary.one("b").text, summary.one(class_="oldest").text) == ("2", "oldest since 12:00")
    nurse.acknowledge(first)
    summary = _page(nurse).one(id="summary")
    assert (summary.one("b").text, summary.one(class_="oldest").text) == ("1", "oldest since 12:07")


# ---- What a screen continues from ------------------------------------------------------------------------------------


def test_the_page_tells_the_stream_to_go_on_from_the_head_it_was_made_from(house: House) -> None:
    nurse, alert_id = house.visitor("nurse"), house.raise_alarm()
    nurse.acknowledge(alert_id)
    nurse.act(f"/alerts/{alert_id}/notes", text="Seen.")
    for path in ("/alerts", f"/alerts/{alert_id}"):
        body, head = read(nurse.get(path).text).one("body").attributes, house.hospital()
        assert head.head == 3
        assert body["data-cursor"] == f"{head.epoch}-3"
        assert body["data-stream"] == "/live/stream?view=alerts"


def test_the_cursor_is_that_of_ones_own_hospital(house: House) -> None:
    house.raise_alarm()
    body = _page(house.visitor("nurse-b")).one("body").attributes
    assert body["data-cursor"] == f"{house.hospital('demo-b').epoch}-0"


def test_what_happens_while_a_page_is_made_is_not_missed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor is read before the rows: an alert that comes in between is on the page, in the stream, or in both."""
    nurse = house.visitor("nurse")

    def listing(*scope: Any, **how: Any) -> Any:
        house.raise_alarm()
        return as_ever(*scope, **how)

    as_ever = pages.listing
    monkeypatch.setattr(pages, "listing", listing)
    page = _page(nurse)
    shown, cursor = len(page.all("article")), page.one("body").attributes["data-cursor"]
    assert (shown, cursor.rpartition("-")[2]) in {(0, "0"), (1, "0"), (1, "1")}


def test_a_card_says_of_what_version_it_is(house: House) -> None:
    first, second = house.raise_alarm(alert_id="A1"), house.raise_alarm(alert_id="A2")
    nurse = house.visitor("nurse")
    nurse.acknowledge(first)
    versions = {int(card.attributes["id"].removeprefix("alert-")): card.attributes for card in _cards(nurse)}
    assert (versions[first]["data-version"], versions[second]["data-version"]) == ("3", "2")
    assert versions[first]["data-state"] == "acknowledged"


# ---- What a card says, and to whom -----------------------------------------------------------------------------------


def test_a_card_says_what_where_who_and_what_comes_next(house: House) -> None:
    clock.stop(NOON)
    house.raise_alarm()
    card = _cards(house.visitor("nurse"))[0]
    assert card.one("h2").text == "MED-07"
    assert card.one(class_="text").text == "SpO2 low"
    assert card.one(class_="value").text == "84"
    assert card.one(class_="limit").text == "< 90"
    assert card.one(class_="unit").text == "%"
    assert card.one(class_="word").text == "MEDIUM"
    assert card.one(class_="next").text == "Next: charge nurse at 12:05"
    assert card.one("button").attributes["aria-label"] == "Acknowledge MED-07 SpO2 low"
    assert card.all(class_="tags") == []


def test_times_are_shown_in_the_zone_of_the_hospital(house: House) -> None:
    clock.stop(NOON)
    zone = update(Hospital).where(Hospital.code == "demo").values(timezone="Europe/Berlin")
    records.write(None, lambda session: session.execute(zone))
    house.raise_alarm()
    card = _cards(house.visitor("nurse"))[0]
    assert card.one(class_="age").text == "since 13:00"
    assert card.one(class_="age").attributes["datetime"] == "2026-03-01T12:00:00.000Z"


def test_whoever_cares_for_patients_reads_their_names_and_a_display_does_not(house: House) -> None:
    alert_id = house.raise_alarm()
    hire(house, "display", Role.DISPLAY, "MED")
    house.visitor("nurse").act(f"/alerts/{alert_id}/notes", text="Frau Testmann is in the X-ray.")
    for name in ("nurse", "charge", "physician"):
        visitor = house.visitor(name)
        assert _cards(visitor)[0].one(class_="patient").text == "Testmann, Tilda"
        detail = visitor.get(f"/alerts/{alert_id}").text
        assert all(word in detail for word in ("Testmann, Tilda", "4711", "1961-03-01", "Frau Testmann is in"))

    display = house.visitor("display")
    house.take(reading())
    for path in (
        "/alerts",
        f"/alerts/{alert_id}",
        "/patients",
        "/patients/1",
        "/patients/1/trend",
        "/board",
        "/metrics",
    ):
        page = display.get(path)
        assert (path, page.status_code) == (path, 200)
        assert not standing(page.text, ("Testmann", "Tilda", "4711", "1961", "1961-03-01", "X-ray")), path


def test_a_display_gets_no_card_with_a_name_that_was_made_for_a_nurse_before(house: House) -> None:
    """Cards are kept after they were rendered once: with and without identity they are not the same."""
    house.raise_alarm()
    hire(house, "display", Role.DISPLAY, "MED")
    nurse, display = house.visitor("nurse"), house.visitor("display")
    for _ in range(2):
        assert "Testmann" in nurse.get("/alerts").text
        assert "Testmann" not in display.get("/alerts").text


def test_an_alarm_about_nobody_says_that_nobody_is_identified(house: House) -> None:
    house.raise_alarm(patient=None)
    assert _cards(house.visitor("nurse"))[0].one(class_="patient").text == "Patient not identified"


def test_an_alarm_that_was_observed_long_ago_shows_its_date(house: House) -> None:
    clock.stop(NOON)
    house.raise_alarm(alert_id="late", at=NOON - timedelta(minutes=16))
    house.raise_alarm(alert_id="fresh", at=NOON - timedelta(minutes=15))
    tags = [[tag.text for tag in card.all(class_="tag")] for card in _cards(house.visitor("nurse"))]
    assert sorted(tags) == [[], ["of 2026-03-01 11:44"]]


def test_a_card_says_what_is_doubtful_about_it(house: House) -> None:
    house.raise_alarm(alert_id="A1", bed="ATTIC^^8")
    records.write(None, lambda session: session.execute(update(Sender).values(training=True)))
    house.raise_alarm(alert_id="A2", bed="ATTIC^^7", priority=None, processing_id="T")
    card = _cards(house.visitor("charge"))[0]
    assert [tag.text for tag in card.all(class_="tag")] == ["TRAINING", "no such bed here"]
    assert card.one(class_="aside").text == "priority not sent"


# ---- One alert -------------------------------------------------------------------------------------------------------


def test_the_history_tells_who_did_what_newest_first(house: House) -> None:
    clock.stop(NOON)
    nurse, charge, alert_id = house.visitor("nurse"), house.visitor("charge"), house.raise_alarm()
    clock.turn(timedelta(minutes=6))
    background.escalate()
    nurse.acknowledge(alert_id)
    charge.act(f"/alerts/{alert_id}/escalation")
    nurse.act(f"/alerts/{alert_id}/notes", text="Probe was off.")
    nurse.act(f"/alerts/{alert_id}/resolution")

    lines = read(nurse.get(f"/alerts/{alert_id}").text).one(class_="history").all("li")
    assert [line.one("p").text for line in lines] == [
        "Resolved Amara N.",
        "Note Amara N.",
        "Escalated to the physician Carla M.",
        "Acknowledged Amara N.",
        "Escalated to the charge nurse System",
        "Raised medium, 84 % TEST_GATEWAY / BENCH",
    ]
    assert [line.one("time").text for line in lines] == ["12:06:00"] * 5 + ["12:00:00"]
    assert [line.one("blockquote").text for line in lines if line.all("blockquote")] == ["Probe was off."]


def test_the_history_keeps_each_value_as_it_was(house: House) -> None:
    alert_id = house.raise_alarm(value="84")
    house.raise_alarm(value="79", phase="continue")
    house.raise_alarm(value="79", phase="continue", priority="high")
    house.take(_end("A1"))
    lines = read(house.visitor("nurse").get(f"/alerts/{alert_id}").text).one(class_="history").all("li")
    assert [line.one("p").text.removesuffix(" TEST_GATEWAY / BENCH") for line in lines][1:] == [
        "Priority raised high, 79 %",
        "New value 79 %",
        "Raised medium, 84 %",
    ]


def test_the_page_offers_only_what_this_person_may_do(house: House) -> None:
    in_med, nowhere = house.raise_alarm(alert_id="A1"), house.raise_alarm(alert_id="A2", bed="ATTIC^^7")
    hire(house, "display", Role.DISPLAY, "MED")
    offered = {}
    for name, alert_id in (("nurse", in_med), ("charge", in_med), ("charge", nowhere), ("display", in_med)):
        page = read(house.visitor(name).get(f"/alerts/{alert_id}").text)
        offered[name, alert_id] = {
            e.attributes["data-act"] for e in page.one(id="alert-detail").all() if "data-act" in e.attributes
        }
    assert offered == {
        ("nurse", in_med): {"acknowledge", "escalate", "resolve", "note"},
        ("charge", in_med): {"acknowledge", "escalate", "note"},
        ("charge", nowhere): {"acknowledge", "escalate", "resolve", "note"},
        ("display", in_med): {"acknowledge"},  # in the card, which is the same for all; hidden by data-may
    }
    assert "acknowledge" not in _page(house.visitor("display")).one("body").attributes["data-may"].split()


def test_an_alert_at_the_last_step_offers_no_next_one(house: House) -> None:
    nurse, alert_id = house.visitor("nurse"), house.raise_alarm()
    for _ in range(2):
        nurse.act(f"/alerts/{alert_id}/escalation")
    page = read(nurse.get(f"/alerts/{alert_id}").text)
    assert page.all(data_act="escalate") == []
    assert "The physician has been told." in page.one(class_="happens").text


def test_the_page_leads_to_the_patient_and_says_what_the_rule_advises(house: House) -> None:
    clock.stop(NOON)
    for seconds in range(0, 200, 20):
        house.take(reading(hr=135, spo2=85, rr=27, at=NOON + timedelta(seconds=seconds)))
        clock.turn(timedelta(seconds=20))
    nurse = house.visitor("nurse")
    with records.read() as session:
        advised = session.scalars(select(Alert).where(Alert.advice != "")).first()
    assert advised is not None
    page = read(nurse.get(f"/alerts/{advised.id}").text)
    assert advised.advice in page.one(class_="advice").text
    assert nurse.get(page.one(data_testid="patient").attributes["href"]).status_code == 200


def test_a_patient_who_is_not_monitored_has_no_page_to_lead_to(house: House) -> None:
    page = read(house.visitor("nurse").get(f"/alerts/{house.raise_alarm()}").text)
    assert page.all(data_testid="patient") == []
    assert page.all(class_="trends") == []


def test_the_chart_has_half_an_hour_before_and_after_and_what_happened(house: House) -> None:
    clock.stop(NOON)
    for minutes, value in ((-40, 97), (-20, 96), (-1, 85)):
        house.take(reading(spo2=value, at=NOON + timedelta(minutes=minutes)))
    alert_id, nurse = house.raise_alarm(priority="high"), house.visitor("nurse")
    for minutes, value in ((29, 91), (31, 99)):
        clock.stop(NOON + timedelta(minutes=minutes))
        house.take(reading(spo2=value))
    nurse.acknowledge(alert_id)
    trend = nurse.get(f"/alerts/{alert_id}/trend").json
    assert trend["spo2"] == [96, 85, 91]
    assert trend["at"] == [(NOON + timedelta(minutes=minutes)).timestamp() for minutes in (-20, -1, 29)]
    assert trend["limits"]["spo2"]["low"] is not None
    assert [(mark["text"], mark["mark"], mark["priority"]) for mark in trend["alerts"]] == [
        ("Raised", "", "high"),
        ("Acknowledged", "icon-user", "high"),
    ]
    table = read(nurse.get(f"/alerts/{alert_id}").text).one(data_testid="readings").all("tr")
    assert [row.one("time").text for row in table[1:]] == ["11:40:00", "11:59:00", "12:29:00"]


def test_an_alert_that_does_not_exist_is_nothing_here(house: House) -> None:
    nurse = house.visitor("nurse")
    for number in (0, 999, 2**63 - 1, 2**63, 10**40):
        assert nurse.get(f"/alerts/{number}").status_code == 404
        assert nurse.acknowledge(number).status_code == 404


def test_a_foreign_alert_and_one_that_does_not_exist_look_the_same(house: House) -> None:
    foreign = house.raise_alarm(bed="ICU^^ICU-02")
    nurse = house.visitor("nurse")
    assert _without_time(nurse.get(f"/alerts/{foreign}").text) == _without_time(nurse.get("/alerts/999").text)
    assert nurse.acknowledge(foreign).json == {**nurse.acknowledge(999).json, "id": foreign}


# ---- What messages and people write is text, never markup ------------------------------------------------------------


def test_what_a_message_says_is_shown_as_text(house: House) -> None:
    """The same elements and attributes as of a harmless message; and what was said, letter by letter."""
    nurse, shapes, said = house.visitor("nurse"), [], {HARMLESS: HARMLESS, **HOSTILE}
    alert_ids = [
        house.raise_alarm(
            alert_id=f"A{n}", bed=f"MED^^MED-0{n + 1}", patient=_patient(sent, n), text=sent, sender=f"{sent}|X"
        )
        for n, sent in enumerate(said)
    ]
    for n, (alert_id, meant) in enumerate(zip(alert_ids, said.values(), strict=True)):
        page = read(nurse.get(f"/alerts/{alert_id}").text)
        card = page.one("article")
        assert card.one(class_="text").words == [meant]
        assert card.one(class_="patient").words == [f"{meant}, T"]
        assert card.one("button").attributes["aria-label"] == f"Acknowledge MED-0{n + 1} {meant}"
        assert page.one("title").text == f"MED-0{n + 1} {meant}"
        assert f"{meant} / X" in page.one(class_="facts").text
        assert f"{meant} / X" in page.one(class_="history").text
        shapes.append(page.shape())
    cards = [card.shape() for card in _cards(nurse)]
    assert shapes == shapes[:1] * (1 + len(HOSTILE))
    assert cards == cards[:1] * (1 + len(HOSTILE))


def test_what_people_write_and_are_called_is_shown_as_text(house: House) -> None:
    nurse, shapes, gone = house.visitor("nurse"), [], []
    for n, words in enumerate((HARMLESS, *HOSTILE.values())):
        alert_id = house.raise_alarm(alert_id=f"A{n}", bed=f"MED^^MED-0{n + 1}", patient=None)
        _call("nurse", words)
        nurse.act(f"/alerts/{alert_id}/notes", text=words)
        nurse.acknowledge(alert_id)
        page = read(nurse.get(f"/alerts/{alert_id}").text)
        assert page.one("article").attributes["data-by"] == words
        assert page.one(class_="owner").one("b").words == [words]
        assert page.one("blockquote").words == [words]
        assert page.one("body").attributes["data-name"] == words
        shapes.append(page.shape())
        tombstone = read(nurse.act(f"/alerts/{alert_id}/resolution", headers=HTMX).text)
        assert tombstone.one("article").attributes["data-by"] == words
        gone.append(tombstone.shape())
    assert shapes == shapes[:1] * (1 + len(HOSTILE))
    assert gone == gone[:1] * (1 + len(HOSTILE))


def test_what_a_tombstone_tells_the_toasts_is_text(house: House) -> None:
    nurse = house.visitor("nurse")
    for n, (sent, meant) in enumerate(HOSTILE.items()):
        alert_id = house.raise_alarm(alert_id=f"A{n}", text=sent)
        tombstone = read(nurse.act(f"/alerts/{alert_id}/resolution", headers=HTMX).text)
        assert [element.tag for element in tombstone.all()] == ["", "article"]
        assert tombstone.one("article").attributes["data-text"] == meant


def test_a_hostile_place_is_text_too(house: House) -> None:
    house.raise_alarm(bed='ATTIC^^"><script>alert(1)</script>')
    card = _cards(house.visitor("charge"))[0]
    assert card.all("script") == []
    assert "<script>alert(1)</script>" in card.one("h2").text


# ---- Cost ------------------------------------------------------------------------------------------------------------


def test_the_list_asks_the_database_as_often_for_fifty_alerts_as_for_five(house: House) -> None:
    charge, counts = house.visitor("charge"), []
    for first, last in ((0, 5), (5, 50)):
        for n in range(first, last):
            bed = ("MED^^MED-01", "ICU^^ICU-02", "ATTIC^^7")[n % 3]
            house.raise_alarm(
                alert_id=f"A{n}", bed=bed, sender=f"GATEWAY{n % 7}|X", patient=_patient(f"P{n}", number=n)
            )
        charge.acknowledge(n + 1)
        house.app.extensions["fragments"]._kept.clear()
        with _statements() as asked:
            assert len(_listed(charge)) == last
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6


def test_the_page_of_an_alert_asks_as_often_for_a_long_history_as_for_a_short_one(house: House) -> None:
    nurse, alert_id, counts = house.visitor("nurse"), house.raise_alarm(), []
    nurse.get(f"/alerts/{alert_id}")  # the first look of a person leaves a trace
    for lines in (2, 20):
        for n in range(lines):
            nurse.act(f"/alerts/{alert_id}/notes", text=f"Note {n}")
        with _statements() as asked:
            nurse.get(f"/alerts/{alert_id}")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 9


@contextmanager
def _statements() -> Iterator[list[str]]:
    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def _page(visitor: Visitor) -> Element:
    answer = visitor.get("/alerts")
    assert answer.status_code == 200
    return read(answer.text)


def _cards(visitor: Visitor) -> list[Element]:
    return _page(visitor).one(id="alert-list").all("article")


def _listed(visitor: Visitor) -> list[int]:
    return [int(card.attributes["id"].removeprefix("alert-")) for card in _cards(visitor)]


def _call(name: str, display_name: str) -> None:
    called = update(Person).where(Person.name == name).values(display_name=display_name)
    records.write(None, lambda session: session.execute(called))


def _patient(family: str, number: int = 4711) -> str:
    return f"{number}^^^Ward^PI||{family}^T^^^^^L||19610301|F"


def _end(alert_id: str) -> bytes:
    return alarm(alert_id=alert_id, phase="end", value=None)


def _without_time(page: str) -> str:
    return re.sub(r'<time [^>]*>[^<]*</time>|data-now="[^"]*"', "", page)
