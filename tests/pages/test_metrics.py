"""Alerts in numbers, of a small history that anyone can count; the same on both databases."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from hospital import clock, records, settings
from hospital.fragments.counting import count
from hospital.fragments.ranges import Range
from tests.live.lines import visitor_of
from tests.pages.markup import Element, read
from tests.support.house import House

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
OWN = "from=2026-03-04T12:00&to=2026-03-04T13:00"


@pytest.fixture
def ward(house: House) -> House:
    clock.stop(NOON)
    return house


@pytest.fixture
def either_ward(either_house: House) -> House:
    clock.stop(NOON)
    return either_house


def later(**by: float) -> None:
    clock.turn(timedelta(**by))


def page_of(house: House, who: str = "charge", query: str = "") -> Element:
    return read(visitor_of(house, who).get(f"/metrics?{query}").get_data(as_text=True))


def panel(house: House, who: str = "charge", query: str = "") -> Element:
    return page_of(house, who, query).one(data_testid="metrics-panel")


def figure(shown: Element, name: str) -> str:
    return shown.one(data_metric=name).text


def counted(shown: Element, of: str) -> dict[str, str]:
    rows = shown.one("table", data_of=of).one("tbody").all("tr")
    return {row.one("th").text: row.all("td", class_="number")[0].text for row in rows if row.all("th")}


def numbers(shown: Element, of: str, priority: str) -> list[str]:
    """What stands beside the bar of that priority."""
    row = shown.one("table", data_of=of).one("tr", data_word=priority)
    return [cell.text for cell in row.all("td", class_="number")]


def bars(shown: Element, priority: str) -> dict[str, str]:
    """The bars that are not empty, by when they begin."""
    table = shown.one("table", data_of="bars")
    heads = [head.one("span", class_="unseen").text for head in table.one("thead").all("th")][2:]
    cells = [cell for cell in table.one("tr", data_word=priority).all("td") if cell.all("svg")]
    assert len(heads) == len(cells)
    return {head: cell.text for head, cell in zip(heads, cells, strict=True) if cell.text != "0"}


def test_where_nothing_has_happened_there_are_no_times(ward: House) -> None:
    page = page_of(ward)
    assert [figure(page, name) for name in ("open", "unacknowledged", "raised")] == ["0", "0", "0"]
    assert [figure(page, name) for name in ("in_time", "told_charge", "told_physician", "unseen")] == ["–"] * 4
    assert numbers(page, "times", "high") == ["–", "–", "2:00", "–", "–"]
    assert counted(page, "bed") == counted(page, "limit") == counted(page, "unit") == bars(page, "high") == {}


def test_median_and_ninth_of_ten_are_those_of_the_history(either_ward: House) -> None:
    nurse = visitor_of(either_ward, "nurse")
    for number in range(1, 12):  # eleven alerts, acknowledged after 30, 60 … 330 s, resolved 10 s later
        alert_id = either_ward.raise_alarm(alert_id=f"A{number}")
        later(seconds=30 * number)
        assert nurse.acknowledge(alert_id).status_code == 200
        later(seconds=10)
        assert nurse.act(f"/alerts/{alert_id}/resolution").status_code == 200
    shown = panel(either_ward)
    assert numbers(shown, "times", "medium") == ["3:00", "5:00", "5:00", "91 %", "3:10"], "300 s is just in time"
    assert figure(shown, "in_time") == "91 %"
    assert counted(shown, "bed") == {"MED-07": "11"}
    assert counted(shown, "limit") == {"SpO₂ low": "11"}


def test_an_alert_that_nobody_took_in_time_counts_against_the_share(ward: House) -> None:
    nurse = visitor_of(ward, "nurse")
    nurse.acknowledge(ward.raise_alarm(alert_id="A", priority="high"))
    ward.raise_alarm(alert_id="B", priority="high", bed="MED^^MED-01", patient=None)
    assert numbers(panel(ward), "times", "high")[3] == "100 %", "the other has time yet"
    later(seconds=settings.current.escalate_high_s + 1)
    assert numbers(panel(ward), "times", "high")[3] == "50 %"


def test_how_far_alerts_climbed_is_counted_whoever_took_them(ward: House) -> None:
    nurse = visitor_of(ward, "nurse")
    first = ward.raise_alarm(alert_id="A", priority="high")
    ward.raise_alarm(alert_id="B", priority="high", bed="MED^^MED-01", patient=None)
    nurse.act(f"/alerts/{first}/escalation")
    nurse.act(f"/alerts/{first}/escalation")
    nurse.acknowledge(first)
    shown = panel(ward)
    assert numbers(shown, "climbed", "high") == ["1 50 %", "1 50 %"]
    assert (figure(shown, "told_charge"), figure(shown, "told_physician")) == ("50 %", "50 %")


def test_what_was_over_before_anybody_had_it_is_told_of_each_priority(either_ward: House) -> None:
    nurse = visitor_of(either_ward, "nurse")
    taken = either_ward.raise_alarm(alert_id="A")
    nurse.acknowledge(taken)
    for alert_id, priority in (("A", "medium"), ("B", "medium"), ("C", "high")):
        either_ward.raise_alarm(alert_id=alert_id, priority=priority)
        later(seconds=5)
        either_ward.raise_alarm(alert_id=alert_id, priority=priority, phase="end", state="inactive")
    latched = [alert for alert in (either_ward.alert(number) for number in (2, 3)) if alert.priority == "high"]
    later(seconds=5)
    nurse.acknowledge(latched[0].id)
    shown = panel(either_ward)
    assert (numbers(shown, "unseen", "medium"), numbers(shown, "unseen", "high")) == (["1 50 %"], ["1 100 %"])
    assert figure(shown, "unseen") == "67 %"


def test_what_alarmed_is_named_by_our_words_or_by_its_code_and_never_by_what_a_device_said(ward: House) -> None:
    ward.raise_alarm(alert_id="A", text="Testmann fell")
    ward.raise_alarm(alert_id="B", text="SpO2 low of Testmann", patient=None, bed="MED^^MED-01")
    ward.raise_alarm(alert_id="C", text="Testmann", event="196680^MDC_EVT_LEAD_OFF^MDC", value=None, kind="ST")
    ward.raise_alarm(alert_id="D", text="Testmann", event="199999^MDC_X^MDC", value=None, kind="SA")
    shown = panel(ward)
    assert counted(shown, "limit") == {"SpO₂ low": "2", "Lead off": "1", "Advisory: 199999": "1"}
    assert "Testmann" not in shown.text


def test_what_is_open_is_counted_by_priority_unit_and_step(either_ward: House) -> None:
    first = either_ward.raise_alarm(alert_id="A", priority="high")
    either_ward.raise_alarm(alert_id="B", bed="ICU^^ICU-01", patient=None)
    either_ward.raise_alarm(alert_id="C", bed="OR^^1", patient=None, priority="low")
    nurse = visitor_of(either_ward, "nurse")
    nurse.acknowledge(first)
    nurse.act(f"/alerts/{first}/escalation")
    page = page_of(either_ward)
    assert (figure(page, "open"), figure(page, "unacknowledged")) == ("3", "2")
    assert counted(page, "priority") == {"High": "1", "Medium": "1", "Low": "1"}
    assert counted(page, "unit") == {"MED": "1", "ICU": "1", "Unassigned": "1"}
    assert counted(page, "step") == {"Nurses": "2", "Charge nurse": "1", "Physician": "0"}
    assert counted(page, "bed") == {"MED-07": "1", "ICU-01": "1", "OR / – / 1": "1"}


def test_a_nurse_sees_the_numbers_of_her_own_unit_only(ward: House) -> None:
    ward.raise_alarm(alert_id="A")
    ward.raise_alarm(alert_id="B", bed="ICU^^ICU-01", patient=None)
    ward.raise_alarm(alert_id="C", bed="OR^^1", patient=None)
    page = page_of(ward, "nurse")
    assert [figure(page, "open"), counted(page, "unit"), counted(page, "bed")] == ["1", {"MED": "1"}, {"MED-07": "1"}]
    assert (figure(page, "raised"), bars(page, "medium")) == ("1", {"12:00": "1"})
    assert figure(page_of(ward, "nurse-b"), "raised") == "0"


def test_an_alert_counts_in_the_hour_of_the_clock_in_which_it_was_raised(either_ward: House) -> None:
    either_ward.raise_alarm(alert_id="A")
    later(minutes=40)
    either_ward.raise_alarm(alert_id="B", bed="MED^^MED-01", patient=None, priority="high")
    shown = panel(either_ward)
    assert (bars(shown, "medium"), bars(shown, "high")) == ({"12:00": "1"}, {"13:00": "1"})


@pytest.mark.parametrize(
    ("query", "raised"),
    [
        ("hours=1", "1"),
        ("", "2"),
        ("hours=168", "3"),
        ("hours=720", "4"),
        (OWN, "1"),
        ("from=2026-02-01T00:00&to=2026-03-04T12:29", "3"),
    ],
)
def test_each_range_counts_what_was_raised_in_it(ward: House, query: str, raised: str) -> None:
    for number, back_days in enumerate((20, 5, 0.5, 0)):
        later(days=-back_days)
        ward.raise_alarm(alert_id=f"A{number}")
        later(days=back_days)
    shown = panel(ward, query=query)
    assert figure(shown, "raised") == raised
    assert sum(map(int, bars(shown, "medium").values())) == int(raised)


def test_a_range_that_is_over_does_not_say_that_it_was_counted_at_its_end(ward: House) -> None:
    assert "Counted at 12:30:00" in panel(ward).text
    assert "Counted at" not in panel(ward, query="from=2026-03-04T11:00&to=2026-03-04T12:00").text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-03-04T12:00", "Say from when to when"),
        ("from=yesterday&to=today", "Say from when to when"),
        ("from=0001-01-01T00:00&to=0001-01-01T01:00", "Say from when to when"),
        ("from=2026-03-04T12:00&to=2026-03-04T11:00", "before it ends"),
        ("from=2026-03-05T12:00&to=2026-03-06T12:00", "begin in the past"),
        ("from=2025-03-04T12:00&to=2026-03-04T12:00", "92 days"),
    ],
)
def test_a_time_that_cannot_be_counted_in_is_told_beside_its_fields(ward: House, query: str, sentence: str) -> None:
    answer = visitor_of(ward, "nurse").get(f"/metrics?{query}")
    assert answer.status_code == 422
    assert sentence in read(answer.text).one(id="wrong-range").text


def test_a_range_that_is_not_offered_is_refused(ward: House) -> None:
    assert visitor_of(ward, "nurse").get("/metrics?hours=9000").status_code == 400


def test_what_is_older_than_the_range_is_in_no_numbers_of_it_but_still_open(ward: House) -> None:
    ward.raise_alarm()
    later(hours=24)
    page = page_of(ward)
    assert (figure(page, "open"), figure(page, "raised")) == ("1", "0")
    assert counted(page, "bed") == bars(page, "medium") == {}


def test_however_many_alerts_there_are_as_many_questions_are_asked(ward: House) -> None:
    charge, questions = ward.actor("charge"), list[str]()

    def asked() -> int:
        questions.clear()
        with records.read() as session:
            event.listen(session.get_bind(), "before_cursor_execute", lambda *given: questions.append(given[2]))
            count(session, charge.hospital_id, charge.scope, ZoneInfo("UTC"), Range.up_to_now(720))
        return len(set(questions))

    before = asked()
    for number in range(4):
        ward.raise_alarm(alert_id=f"A{number}", bed=f"MED^^MED-{number + 1:02d}", patient=None)
    assert asked() == before


@pytest.mark.parametrize("who", ["engineer", "admin"])
def test_who_sees_no_alerts_sees_no_numbers(house: House, who: str) -> None:
    assert visitor_of(house, who).get("/metrics").status_code == 403
