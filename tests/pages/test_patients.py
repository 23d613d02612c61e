"""The patients of one's units, and one patient's page with trends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from hospital import clock, records
from hospital.records import Monitoring, Observation
from tests.live.lines import visitor_of
from tests.pages.markup import Element, read
from tests.support.alarms import alarm
from tests.support.house import House
from tests.support.readings import WELL, reading


def patient(number: int, name: str = "") -> str:
    return f"{number}^^^Ward^PI||{name or f'Person{number}^Test'}^^^^^L||19610301|F"


def page(house: House, name: str, path: str = "/patients") -> Element:
    return read(visitor_of(house, name).get(path).get_data(as_text=True))


def places(house: House, name: str, order: str = "bed") -> list[str]:
    cards = page(house, name, f"/patients?order={order}").all(data_testid="patient-card")
    return [card.one("h2").text for card in cards]


@pytest.fixture
def ward(house: House) -> House:
    """Patient 1 in MED-07, 2 in ICU-02, 3 at a place nobody knows."""
    house.take(reading(patient=patient(1), hr=81))
    house.take(reading(patient=patient(2), bed="ICU^^ICU-02", hr=82))
    house.take(reading(patient=patient(3), bed="OR^^1", hr=83))
    return house


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("nurse", ["MED-07"]),
        ("nurse-icu", ["ICU-02"]),
        ("physician", ["ICU-02", "MED-07"]),
        ("charge", ["ICU-02", "MED-07", "OR / – / 1"]),
        ("nurse-b", []),
    ],
)
def test_everybody_sees_the_patients_of_their_own_units(ward: House, who: str, seen: list[str]) -> None:
    assert places(ward, who) == seen


def observed(house: House, who: str, number: int, **given: str) -> None:
    answer = visitor_of(house, who).act(f"/patients/{number}/observations", **WELL | given)
    assert answer.status_code in (200, 303), answer.text


@pytest.fixture
def round_(house: House) -> Iterator[House]:
    """At eight o'clock 1 scores 7 in MED-03, 2 scores 1 in MED-02, 3 is perfectly well in MED-01."""
    clock.stop(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    for number in (1, 2, 3):
        long_ago = clock.now() - timedelta(minutes=20)  # a monitor goes before what a person enters
        house.take(reading(patient=patient(number), bed=f"MED^^MED-0{4 - number}", at=long_ago))
    for number, given in ((1, {"respiration": "26", "spo2": "91", "pulse": "100"}), (2, {"pulse": "95"}), (3, {})):
        observed(house, "nurse", number, **given)
    yield house
    clock.reset()


@pytest.mark.parametrize(
    ("order", "beds"),
    [
        ("", ["MED-03", "MED-02", "MED-01"]),  # continuously, 4 h, 12 h
        ("due", ["MED-03", "MED-02", "MED-01"]),
        ("score", ["MED-03", "MED-02", "MED-01"]),
        ("bed", ["MED-01", "MED-02", "MED-03"]),
        ("nonsense", ["MED-03", "MED-02", "MED-01"]),
    ],
)
def test_who_is_due_first_stands_first_unless_another_order_is_asked(
    round_: House, order: str, beds: list[str]
) -> None:
    assert places(round_, "nurse", order) == beds


def test_the_numbers_above_say_how_many_need_somebody(round_: House) -> None:
    assert counts(round_) == {"score": "1", "overdue": "0", "no-data": "0", "quiet": "2"}
    clock.turn(timedelta(hours=4))
    observed(round_, "nurse", 1)
    assert counts(round_) == {"score": "0", "overdue": "1", "no-data": "0", "quiet": "1"}
    assert places(round_, "nurse", "due") == ["MED-02", "MED-01", "MED-03"]


def counts(house: House) -> dict[str, str]:
    return {
        item.attributes["data-counts"]: item.one("b").text
        for item in page(house, "nurse").one("ul", class_="ward-counts").all("li")
    }


def test_each_part_says_its_points_and_whether_it_rose(round_: House) -> None:
    clock.turn(timedelta(hours=4))
    observed(round_, "nurse", 1, respiration="22", spo2="91", pulse="135")
    card = page(round_, "nurse", "/patients/1").one(data_testid="patient-card")
    points = {
        part.attributes["data-place"]: (part.attributes["data-points"], part.text.partition("points")[2].strip(" ,"))
        for part in card.all("div", class_="vital")
    }
    assert points["rr"] == ("2", "less than before")
    assert points["hr"] == ("3", "more than before")
    assert points["spo2"] == ("3", "")
    assert points["o2"] == points["temp"] == ("0", "")
    assert card.one(class_="score").text == "8"
    assert "▲ 1" in card.one(class_="rise").text and "since 08:00" in card.one(class_="rise").text


def test_on_another_scale_a_score_is_compared_with_nothing(round_: House) -> None:
    clock.turn(timedelta(hours=4))
    observed(round_, "nurse", 1)
    assert page(round_, "nurse", "/patients/1").all(class_="rise")
    assert visitor_of(round_, "physician").act("/patients/1/spo2-scale", scale="2").status_code == 200
    assert not page(round_, "nurse", "/patients/1").all(class_="rise")


@pytest.mark.parametrize("who", ["engineer", "admin"])
def test_who_is_not_at_the_bed_sees_no_patients(ward: House, who: str) -> None:
    answer = visitor_of(ward, who).get("/patients")
    assert answer.status_code == 403
    assert "Person1" not in answer.get_data(as_text=True)


def test_a_card_says_who_and_how_old(ward: House) -> None:
    card = page(ward, "nurse").one(data_testid="patient-card")
    assert card.one("span", class_="name").text == "Person1, Test"
    assert " y F" in card.one("span", class_="about").text


def test_a_patient_of_whom_nothing_has_come_for_a_day_is_off_the_list(ward: House) -> None:
    clock.turn(timedelta(hours=24, seconds=1))
    assert places(ward, "nurse") == []


@pytest.mark.parametrize("path", ["/patients", "/patients/1"])
def test_a_name_is_never_markup(house: House, path: str) -> None:
    house.take(reading(patient=patient(1, "<script>alert(1)</script>^\"'><img src=x onerror=alert(1)>")))
    html = visitor_of(house, "nurse").get(path).get_data(as_text=True)
    assert "<script>alert" not in html and "<img" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_more_patients_are_not_more_queries(house: House) -> None:
    visitor = visitor_of(house, "nurse")

    def count() -> int:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        assert visitor.get("/patients").status_code == 200
        event.remove(Engine, "before_cursor_execute", note)
        return len(seen)

    house.take(reading(patient=patient(1), bed="MED^^MED-01"))
    visitor.get("/patients")  # the first look of a person leaves a trace
    one = count()
    for number in range(2, 11):
        house.take(reading(patient=patient(number), bed=f"MED^^MED-{number:02d}"))
    assert count() == one


@pytest.mark.parametrize("path", ["", "/trend"])
@pytest.mark.parametrize(("who", "number"), [("nurse", 2), ("nurse", 3), ("nurse", 99), ("nurse-b", 1)])
def test_a_foreign_patient_looks_like_none(ward: House, path: str, who: str, number: int) -> None:
    answer = visitor_of(ward, who).get(f"/patients/{number}{path}")
    assert answer.status_code == 404
    assert "Person" not in answer.get_data(as_text=True)


def test_the_table_has_the_newest_readings_first(house: House) -> None:
    clock.stop()
    for number in range(125):
        clock.turn(timedelta(seconds=1))
        house.take(reading(hr=60 + number % 50, sbp=120, dbp=70))
    rows = page(house, "nurse", "/patients/1").one(data_testid="readings").one("tbody").all("tr")
    assert len(rows) == 120
    assert [[cell.text for cell in row.all("td")] for row in (rows[0], rows[-1])] == [
        ["84", "", "", "120/70", "", "", ""],
        ["65", "", "", "120/70", "", "", ""],
    ]


def test_a_patients_open_alerts_stand_on_the_page(house: House) -> None:
    house.take(reading())
    mine = house.raise_alarm()
    house.take(alarm(alert_id="B", bed="MED^^MED-01", patient=patient(9)))
    cards = page(house, "nurse", "/patients/1").all(data_testid="alert-card")
    assert [card.attributes["id"] for card in cards] == [f"alert-{mine}"]


def test_the_most_urgent_of_a_patients_alerts_stands_first(house: House) -> None:
    house.take(reading())
    low, high = (house.raise_alarm(alert_id=priority, priority=priority) for priority in ("low", "high"))
    cards = page(house, "nurse", "/patients/1").all(data_testid="alert-card")
    assert [card.attributes["id"] for card in cards] == [f"alert-{high}", f"alert-{low}"]


def test_a_trend_has_a_column_for_each_vital_sign(house: House) -> None:
    clock.stop()
    house.take(reading(hr=80, spo2=97))
    clock.turn(timedelta(seconds=1))
    house.take(reading(sbp=120, dbp=70, temp=36.6))
    told = visitor_of(house, "nurse").get("/patients/1/trend").json
    assert [round(at - clock.now().timestamp(), 2) for at in told["at"]] == [-1, 0]
    assert (told["hr"], told["spo2"], told["rr"]) == ([80, None], [97, None], [None, None])
    assert (told["sbp"], told["dbp"], told["temp"]) == ([None, 120], [None, 70], [None, 36.6])
    assert told["zone"] == "UTC"


def test_a_trend_has_the_innermost_limits_and_the_marks_of_alerts(house: House) -> None:
    house.take(reading())
    alert = house.alert(house.raise_alarm())
    told = visitor_of(house, "nurse").get("/patients/1/trend").json
    assert told["limits"]["spo2"] == {"low": 90, "high": None}
    assert told["limits"]["hr"] == {"low": 45, "high": 130}
    assert told["alerts"] == [{"at": alert.raised_at.timestamp(), "text": "SpO2 low", "priority": "medium"}]


def test_a_trend_marks_no_alert_of_another_unit(house: House) -> None:
    """The patient was in the other unit when it was raised there."""
    house.raise_alarm(bed="ICU^^ICU-02", patient=patient(1), text="Told in the ICU")
    house.take(reading(patient=patient(1)))
    told = {who: visitor_of(house, who).get("/patients/1/trend").json["alerts"] for who in ("nurse", "physician")}
    assert [mark["text"] for mark in told["physician"]] == ["Told in the ICU"]
    assert told["nurse"] == []


@pytest.mark.parametrize(("hours", "points"), [("1", 1), ("8", 2), ("24", 3), ("72", 4)])
def test_a_trend_goes_back_as_far_as_asked(house: House, hours: str, points: int) -> None:
    for ago in (0.5, 7, 23, 71, 73):
        house.take(reading(hr=80, at=clock.now() - timedelta(hours=ago)))
    assert len(visitor_of(house, "nurse").get(f"/patients/1/trend?hours={hours}").json["at"]) == points


@pytest.mark.parametrize("hours", ["", "0", "2", "-1", "x", "8.0", "1e9"])
def test_another_number_of_hours_is_refused(house: House, hours: str) -> None:
    house.take(reading())
    assert visitor_of(house, "nurse").get(f"/patients/1/trend?hours={hours}").status_code == 400


def test_a_long_trend_is_thinned_and_keeps_its_last_and_its_rare_values(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hospital.pages.patients._MANY_POINTS", 10)
    for number in range(25):
        values = {"hr": 60.0 + number} | ({"sbp": 120.0} if number == 5 else {})
        house.take(reading(**values, at=clock.now() - timedelta(minutes=25 - number)))
    told = visitor_of(house, "nurse").get("/patients/1/trend").json
    assert told["hr"][-1] == 84
    assert told["sbp"].count(120) == 1
    assert len(told["at"]) <= 12


def test_a_patient_who_has_moved_is_the_other_units(ward: House) -> None:
    with records.read() as session:
        unit_id = session.get_one(Monitoring, 2).unit_id
    records.write(None, lambda session: session.execute(update(Monitoring).values(unit_id=unit_id)))
    assert visitor_of(ward, "nurse").get("/patients/1").status_code == 404
    assert visitor_of(ward, "nurse-icu").get("/patients/1").status_code == 200


def test_a_patient_without_any_reading_has_a_page_that_says_so(house: House) -> None:
    house.take(reading())
    empty: Callable[[Any], Any] = lambda session: session.query(Observation).delete()  # noqa: E731
    records.write(None, empty)
    assert "No readings yet." in page(house, "nurse", "/patients/1").text
