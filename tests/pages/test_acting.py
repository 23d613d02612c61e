"""How acts are carried out and answered: once for each key; as a card, JSON or a page; refusals with their reason."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from hospital import background, clock, meters, records
from hospital.records import Alert, Idempotency, Note, Person
from hospital.records.sealed import keyed_digest
from tests.pages.markup import read
from tests.support.house import House, Visitor

HTMX = {"Accept": "text/html", "HX-Request": "true"}
FORM = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def nurse(house: House) -> Visitor:
    return house.visitor("nurse")


@pytest.fixture
def alert_id(house: House) -> int:
    return house.raise_alarm()


# ---- Once for each key -----------------------------------------------------------------------------------------------


def test_the_same_key_acts_once_and_gets_the_same_answer(house: House, nurse: Visitor, alert_id: int) -> None:
    path = f"/alerts/{alert_id}/notes"
    first = nurse.act(path, key="k", text="Seen.")
    again = nurse.act(path, key="k", text="Seen.")
    assert first.status_code == again.status_code == 200
    assert first.json == again.json
    assert _happened(house) == ["raised", "noted"]
    with records.read() as session:
        assert len(session.scalars(select(Note)).all()) == 1


def test_other_words_under_the_same_key_are_refused_and_not_lost_in_silence(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    path = f"/alerts/{alert_id}/notes"
    nurse.act(path, key="k", text="Seen.")
    answer = nurse.act(path, key="k", text="Seen. The probe was off.")
    assert (answer.status_code, answer.json["reason"]) == (422, "KeyUsed")
    assert "send it again" in answer.json["sentence"]
    assert _happened(house) == ["raised", "noted"]
    assert all("Seen" not in key.act for key in _keys()), "the words themselves are not kept"
    assert nurse.act(path, key="k", text="Seen.").status_code == 200


def test_without_a_key_each_request_is_an_act_of_its_own(house: House, nurse: Visitor, alert_id: int) -> None:
    for _ in range(2):
        assert nurse.act(f"/alerts/{alert_id}/notes", text="Seen.").status_code == 200
    assert _happened(house) == ["raised", "noted", "noted"]
    assert _keys() == []


def test_a_repeat_of_an_acknowledgement_is_not_refused_as_taken(house: House, nurse: Visitor, alert_id: int) -> None:
    """The first answer was lost: whoever sends it again has not been overtaken by themselves."""
    nurse.acknowledge(alert_id, key="k")
    assert nurse.acknowledge(alert_id, key="k").status_code == 200
    assert nurse.acknowledge(alert_id, key="another").status_code == 409
    assert _happened(house) == ["raised", "acknowledged"]


def test_a_refusal_is_repeated_even_when_the_act_could_be_done_by_now(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    first = nurse.acknowledge(alert_id, key="k", seen_state="acknowledged")
    assert (first.status_code, first.json["reason"]) == (409, "HasChanged")
    again = nurse.acknowledge(alert_id, key="k", seen_state="open")
    assert (again.status_code, again.json) == (409, first.json)
    assert _happened(house) == ["raised"]


def test_a_repeat_tells_the_version_that_the_act_made_and_the_state_as_it_is(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    first = nurse.acknowledge(alert_id, key="k")
    nurse.act(f"/alerts/{alert_id}/resolution")
    again = nurse.acknowledge(alert_id, key="k")
    assert (first.json["version"], first.json["state"]) == (2, "acknowledged")
    assert (again.json["version"], again.json["state"]) == (2, "resolved")


@pytest.mark.parametrize("what", ["another act", "another alert"])
def test_a_key_belongs_to_one_act_on_one_alert(house: House, nurse: Visitor, alert_id: int, what: str) -> None:
    other = house.raise_alarm(alert_id="A2")
    nurse.acknowledge(alert_id, key="k")
    path = f"/alerts/{alert_id}/resolution" if what == "another act" else f"/alerts/{other}/acknowledgement"
    answer = nurse.act(path, key="k")
    assert (answer.status_code, answer.json["reason"]) == (422, "KeyUsed")
    assert _happened(house) == ["raised", "raised", "acknowledged"]
    assert nurse.acknowledge(alert_id, key="k").status_code == 200


def test_the_same_key_of_another_person_is_another_key(house: House, nurse: Visitor, alert_id: int) -> None:
    nurse.act(f"/alerts/{alert_id}/notes", key="k", text="One.")
    answer = house.visitor("nurse2").act(f"/alerts/{alert_id}/notes", key="k", text="Two.")
    assert answer.status_code == 200
    assert _happened(house) == ["raised", "noted", "noted"]


def test_the_key_may_be_a_field_or_a_header(house: House, nurse: Visitor, alert_id: int) -> None:
    path = f"/alerts/{alert_id}/notes"
    nurse.act(path, text="Seen.", idempotency_key="k")
    nurse.act(path, text="Seen.", key="k")
    nurse.act(f"{path}?idempotency_key=k", text="Seen.")
    assert _happened(house) == ["raised", "noted"]


def test_a_key_has_a_hundred_printable_characters_at_most(house: House, nurse: Visitor, alert_id: int) -> None:
    assert nurse.acknowledge(alert_id, key="k" * 101).status_code == 400
    assert nurse.acknowledge(alert_id, idempotency_key="k\0").status_code == 400
    assert nurse.acknowledge(alert_id, idempotency_key="k\n").status_code == 400
    assert _happened(house) == ["raised"]
    assert nurse.acknowledge(alert_id, key="k" * 100).status_code == 200


def test_a_key_is_kept_without_any_content(house: House, nurse: Visitor, alert_id: int) -> None:
    clock.stop()
    nurse.act(f"/alerts/{alert_id}/notes", key="k", text="Frau Testmann")
    with records.read() as session:
        (row,) = session.execute(text("SELECT * FROM idempotency")).mappings().all()
    assert {name: row[name] for name in row if name not in ("id", "at")} == {
        "person_id": house.actor("nurse").person_id, "key": "k", "about_id": alert_id,
        "act": f"note {keyed_digest('Frau Testmann')[:16]}",
        "version": 2, "status": 200, "reason": "",
    }  # fmt: skip


def test_what_was_pressed_long_ago_is_not_done(house: House, nurse: Visitor, alert_id: int) -> None:
    long_ago, just_now = (clock.iso(clock.now() - timedelta(seconds=s)) for s in (40, 10))
    late = nurse.acknowledge(alert_id, headers={"Pressed-At": long_ago})
    assert (late.status_code, late.json["reason"]) == (409, "PressedTooLongAgo")
    assert late.json["state"] == "open"
    assert nurse.acknowledge(alert_id, headers={"Pressed-At": just_now}).status_code == 200


def test_a_repeat_that_comes_late_still_gets_the_first_answer(house: House, nurse: Visitor, alert_id: int) -> None:
    pressed = {"Pressed-At": clock.iso(clock.now())}
    assert nurse.acknowledge(alert_id, key="k", headers=pressed).status_code == 200
    clock.turn(timedelta(minutes=5))
    assert nurse.acknowledge(alert_id, key="k", headers=pressed).status_code == 200


@pytest.mark.parametrize("told", ["yesterday", "2026-11-23T14:02:31", "1"])
def test_a_time_of_pressing_that_is_none_is_refused(nurse: Visitor, alert_id: int, told: str) -> None:
    assert nurse.acknowledge(alert_id, headers={"Pressed-At": told}).status_code == 400


def test_a_key_that_was_forgotten_is_new(house: House, nurse: Visitor, alert_id: int) -> None:
    clock.stop()
    nurse.act(f"/alerts/{alert_id}/notes", key="k", text="Seen.")
    clock.turn(timedelta(hours=23))
    background.forget()
    nurse = house.visitor("nurse")
    nurse.act(f"/alerts/{alert_id}/notes", key="k", text="Seen.")
    assert _happened(house) == ["raised", "noted"]
    clock.turn(timedelta(hours=1, seconds=1))
    background.forget()
    nurse.act(f"/alerts/{alert_id}/notes", key="k", text="Seen.")
    assert _happened(house) == ["raised", "noted", "noted"]


# ---- Answers ---------------------------------------------------------------------------------------------------------


def test_a_program_gets_id_state_version_and_cursor(house: House, nurse: Visitor, alert_id: int) -> None:
    answer = nurse.acknowledge(alert_id)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    epoch = house.hospital().epoch
    assert answer.json == {"id": alert_id, "state": "acknowledged", "version": 2, "cursor": f"{epoch}-2"}


def test_a_program_that_was_too_late_learns_who_was_first(house: House, nurse: Visitor, alert_id: int) -> None:
    nurse.acknowledge(alert_id)
    answer = house.visitor("nurse2").acknowledge(alert_id)
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert answer.json == {
        "id": alert_id,
        "state": "acknowledged",
        "version": 2,
        "cursor": f"{house.hospital().epoch}-2",
        "reason": "AlreadyAcknowledged",
        "sentence": f"Amara N. has it already, since {_taken_at(alert_id)}.",
    }


def test_a_program_learns_nothing_of_an_alert_that_is_not_its_business(house: House, alert_id: int) -> None:
    answer = house.visitor("nurse-icu").acknowledge(alert_id)
    assert answer.status_code == 404
    assert answer.json == {
        "id": alert_id,
        "reason": "NotFound",
        "sentence": "There is no such alert in your units.",
    }


def test_htmx_gets_the_card_as_it_is_now(house: House, nurse: Visitor, alert_id: int) -> None:
    answer = nurse.acknowledge(alert_id, headers=HTMX)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "HX-Trigger" not in answer.headers
    assert answer.text in nurse.get("/alerts").text
    card = read(answer.text).one("article").attributes
    assert (card["id"], card["data-version"], card["data-state"]) == (f"alert-{alert_id}", "2", "acknowledged")


def test_htmx_that_was_too_late_gets_the_fresh_card_and_who_was_first(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    _call("nurse", "Jürgen “Ä” 李\n")
    nurse.acknowledge(alert_id)
    answer = house.visitor("nurse2").acknowledge(alert_id, headers=HTMX)
    assert answer.status_code == 409
    assert read(answer.text).one("article").attributes["data-state"] == "acknowledged"
    told = answer.headers["HX-Trigger"]
    assert told.isascii() and "\n" not in told
    assert json.loads(told) == {
        "refused": {
            "sentence": f"Jürgen “Ä” 李\n has it already, since {_taken_at(alert_id)}.",
            "reason": "AlreadyAcknowledged",
        }
    }


def test_htmx_gets_a_tombstone_of_what_was_resolved_in_the_meantime(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    nurse.act(f"/alerts/{alert_id}/resolution")
    answer = house.visitor("nurse2").acknowledge(alert_id, headers=HTMX)
    assert answer.status_code == 409
    assert "hidden" in read(answer.text).one("article").attributes
    assert json.loads(answer.headers["HX-Trigger"])["refused"]["sentence"].startswith("Amara N. was the last")


def test_htmx_gets_nothing_of_a_foreign_alert(house: House, alert_id: int) -> None:
    answer = house.visitor("nurse-icu").acknowledge(alert_id, headers=HTMX)
    assert (answer.status_code, answer.text) == (404, "")
    assert json.loads(answer.headers["HX-Trigger"])["refused"]["reason"] == "NotFound"


def test_a_card_that_is_answered_to_a_nurse_has_the_name_in_it(nurse: Visitor, alert_id: int) -> None:
    assert "Testmann" in nurse.acknowledge(alert_id, headers=HTMX).text


@pytest.mark.parametrize("where", ["/alerts", "/alerts/1"])
def test_a_plain_form_leads_back_to_where_it_was(nurse: Visitor, alert_id: int, where: str) -> None:
    answer = nurse.acknowledge(alert_id, headers={**FORM, "Referer": f"http://localhost{where}?x=1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)


def test_a_plain_form_leads_nowhere_else(house: House, nurse: Visitor, alert_id: int) -> None:
    foreign = ("", "http://evil.example/alerts", "http://localhost/sign-out", "http://[", "//evil.example/alerts", "x")
    for referrer in foreign:
        answer = nurse.act(f"/alerts/{alert_id}/notes", text="Seen.", headers={**FORM, "Referer": referrer})
        assert (referrer, answer.status_code, answer.headers["Location"]) == (referrer, 303, "/alerts")


def test_a_plain_form_that_was_too_late_gets_a_page_with_the_reason(
    house: House, nurse: Visitor, alert_id: int
) -> None:
    nurse.acknowledge(alert_id)
    answer = house.visitor("nurse2").acknowledge(alert_id, headers=FORM)
    page = read(answer.text)
    assert answer.status_code == 409
    assert f"Amara N. has it already, since {_taken_at(alert_id)}." in page.one("main").text
    assert page.one("main").one("a").attributes["href"] == f"/alerts/{alert_id}"


def test_a_plain_form_about_a_foreign_alert_leads_to_the_list(house: House, alert_id: int) -> None:
    page = read(house.visitor("nurse-icu").acknowledge(alert_id, headers=FORM).text)
    assert page.one("main").one("a").attributes["href"] == "/alerts"


def test_acts_are_counted_by_what_became_of_them(nurse: Visitor, alert_id: int) -> None:
    for _ in range(2):
        nurse.acknowledge(alert_id)
    assert meters.counted("acts_total", act="acknowledge", status="200") == 1
    assert meters.counted("acts_total", act="acknowledge", status="409") == 1


# ---- What the person saw ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["header", "header-with-dashes", "query", "form"])
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("seen_state", "acknowledged", "HasChanged"), ("seen_priority", "low", "PriorityRaised")],
)
def test_an_act_on_what_has_changed_is_refused(
    house: House, nurse: Visitor, alert_id: int, how: str, name: str, value: str, reason: str
) -> None:
    path = f"/alerts/{alert_id}/acknowledgement"
    if how == "query":
        answer = nurse.act(f"{path}?{name}={value}")
    elif how == "form":
        answer = nurse.act(path, **{name: value})
    else:
        answer = nurse.act(path, headers={name.replace("_", "-") if "dashes" in how else name: value})
    assert (answer.status_code, answer.json["reason"]) == (409, reason)
    assert _happened(house) == ["raised"]


def test_an_act_on_what_is_still_as_it_was_seen_is_done(nurse: Visitor, alert_id: int) -> None:
    answer = nurse.acknowledge(alert_id, seen_state="open", seen_priority="medium")
    assert answer.status_code == 200


def test_a_priority_that_has_sunk_since_refuses_nothing(nurse: Visitor, alert_id: int) -> None:
    assert nurse.acknowledge(alert_id, seen_priority="high").status_code == 200


def test_every_act_but_a_note_looks_at_what_was_seen(house: House, nurse: Visitor, alert_id: int) -> None:
    for act in ("acknowledgement", "resolution", "escalation"):
        assert nurse.act(f"/alerts/{alert_id}/{act}", seen_priority="low").status_code == 409
    assert nurse.act(f"/alerts/{alert_id}/notes", text="Seen.", seen_priority="low").status_code == 200


@pytest.mark.parametrize("name", ["seen_state", "seen_priority"])
def test_a_word_that_nobody_knows_is_refused(house: House, nurse: Visitor, alert_id: int, name: str) -> None:
    for word in ("OPEN", "gone", "0", "open,acknowledged", "\0", "ü"):
        assert nurse.acknowledge(alert_id, **{name: word}).status_code == 400
    assert _happened(house) == ["raised"]


# ---- When nothing can be stored --------------------------------------------------------------------------------------


def test_what_cannot_be_stored_is_not_done_and_not_confirmed(house: House, nurse: Visitor, alert_id: int) -> None:
    before = house.journal()
    _let_writing(False)
    for headers in ({}, HTMX, FORM):
        answer = nurse.acknowledge(alert_id, key="k", headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "Try again" in answer.text

    _let_writing(True)
    assert house.alert(alert_id).state == "open"
    assert [line.hash for line in house.journal()] == [line.hash for line in before]
    assert _keys() == []
    assert nurse.acknowledge(alert_id, key="k").status_code == 200
    assert _happened(house) == ["raised", "acknowledged"]


def test_what_failed_by_our_own_fault_is_not_half_done(
    house: House, nurse: Visitor, alert_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as broken:
        broken.setattr("hospital.alerts.acknowledging.journal.append", fail)
        assert nurse.acknowledge(alert_id, key="k").status_code == 500
    assert house.alert(alert_id).state == "open"
    assert _keys() == []
    assert nurse.acknowledge(alert_id, key="k").status_code == 200


def _happened(house: House) -> list[str]:
    return [line.happening.value for line in house.journal()]


def _keys() -> list[Idempotency]:
    with records.read() as session:
        return list(session.scalars(select(Idempotency)))


def _call(name: str, display_name: str) -> None:
    called = update(Person).where(Person.name == name).values(display_name=display_name)
    records.write(None, lambda session: session.execute(called))


def _let_writing(work: bool) -> None:
    """False: SQLite refuses each write, as on a disk that went read-only."""
    assert records.database._database is not None
    connection = records.database._database.writing.raw_connection()
    connection.cursor().execute(f"PRAGMA query_only = {'OFF' if work else 'ON'}")
    connection.close()


def _taken_at(alert_id: int) -> str:
    with records.read() as session:
        owned_at = session.get_one(Alert, alert_id).owned_at
    assert owned_at is not None
    return f"{owned_at:%H:%M:%S}"
