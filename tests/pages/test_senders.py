"""/admin/senders: who may send, from where, for which units; and tokens, shown once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hospital import clock, records, settings
from hospital.intake import senders
from hospital.intake.receiving import receive
from hospital.records import AuditLine, Sender, SenderToken
from tests.access.strangers import new_token
from tests.pages.markup import Element, read
from tests.support.alarms import alarm
from tests.support.house import House, Visitor

MONITORS = {"name": "Monitors", "application": "MON", "facility": "7W", "addresses": "10.0.7.9/24", "unit": "MED"}


def page(visitor: Visitor, path: str) -> Element:
    answer = visitor.get(path)
    assert answer.status_code == 200
    return read(answer.text)


def sent(visitor: Visitor, path: str, **fields: object) -> Element:
    """What a form that was refused shows."""
    answer = visitor.client.post(path, data={"csrf_token": visitor.csrf_token, **fields})
    assert answer.status_code == 422
    return read(answer.text)


def made(visitor: Visitor, **fields: str) -> str:
    """The address of a sender made with these fields."""
    answer = visitor.client.post("/admin/senders", data={"csrf_token": visitor.csrf_token, **MONITORS, **fields})
    assert answer.status_code == 303
    return answer.headers["Location"]


def the_sender() -> Sender:
    with records.read() as session:
        return session.scalars(select(Sender)).one()


@pytest.mark.parametrize("who", ["engineer", "admin"])
def test_a_sender_that_was_made_may_send_at_once(house: House, who: str) -> None:
    settings.use(house.settings.but(demo=False))
    person = house.visitor(who)
    shown = page(person, made(person))
    assert shown.one("input", name="addresses").attributes["value"] == "10.0.7.0/24"
    assert ["checked" in box.attributes for box in shown.all("input", name="unit")] == [False, True]
    received = receive(alarm(sender="MON|7W"), address="10.0.7.21")
    assert received is not None and received.alert_ids
    assert "Monitors" in page(person, "/admin/senders").one("li", data_testid="sender").text


@pytest.mark.parametrize(
    ("field", "given", "problem"),
    [
        ("name", " ", "A sender needs a name"),
        ("name", "x\0y", "A sender needs a name"),
        ("application", "x" * 201, "Write what it sends as MSH-3"),
        ("application", "x\0", "Write what it sends as MSH-3"),
        ("addresses", "ward 7", "Write addresses or networks"),
        ("addresses", " ".join(f"10.0.{n}.0/24" for n in range(100)), "too many addresses"),
        ("unit", "ATTIC", "There is no such unit"),
        ("unit", "MED\0", "There is no such unit"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_what_was_typed_stays(
    either_house: House, field: str, given: str, problem: str
) -> None:
    shown = sent(either_house.visitor("admin"), "/admin/senders", **MONITORS | {field: given})
    assert problem in shown.one("p", id=f"wrong-{field}").text
    if field != "unit":
        assert f"wrong-{field}" in shown.one("input", name=field).attributes["aria-describedby"]
        assert shown.one("input", name=field).attributes["value"].replace("\ufffd", "\0") == given
    assert shown.one("input", name="facility").attributes["value"] == "7W"
    with records.read() as session:
        assert session.scalars(select(Sender)).all() == []


def test_it_can_be_bound_anew_and_a_mistake_changes_nothing(house: House) -> None:
    admin = house.visitor("admin")
    path = made(admin)
    assert admin.act(f"{path}/binding", addresses="", unit="ICU").status_code == 303
    shown = sent(admin, f"{path}/binding", addresses="10.0.0.0/99", unit="MED")
    assert shown.one("input", name="addresses").attributes["value"] == "10.0.0.0/99"
    assert (the_sender().addresses, "Write addresses" in shown.text) == ("", True)
    assert "ICU" in page(admin, "/admin/senders").one("li", data_testid="sender").text


def test_a_token_is_shown_once_and_works(house: House) -> None:
    admin = house.visitor("admin")
    path = made(admin)
    answer = admin.act(f"{path}/tokens", kind="hl7", headers={"Accept": "text/html"})
    token = read(answer.text).one("code", data_testid="token").text
    assert answer.headers["Cache-Control"] == "no-store"
    known = senders.by_token(token)
    assert known is not None and (known.id, known.kinds) == (the_sender().id, ("hl7",))
    assert token not in admin.get(path).text
    assert "HL7 messages" in page(admin, path).one("li", data_testid="token-row").text


def test_a_new_token_lets_those_before_it_go_on_for_a_while(house: House) -> None:
    clock.stop()
    old, admin = new_token(house), house.visitor("admin")
    path = f"/admin/senders/{the_sender().id}"
    admin.act(f"{path}/tokens", kind="fhir")
    assert senders.by_token(old) is not None
    clock.turn(timedelta(hours=24))
    assert senders.by_token(old) is None


def test_a_token_that_is_revoked_opens_nothing_and_the_others_go_on(house: House) -> None:
    admin, first = house.visitor("admin"), new_token(house)
    path = f"/admin/senders/{the_sender().id}"
    admin.act(f"{path}/tokens", kind="fhir")
    with records.read() as session:
        first_id, second_id = session.scalars(select(SenderToken.id).order_by(SenderToken.id))
    assert admin.act(f"{path}/tokens/{first_id}/revocation").status_code == 303
    assert senders.by_token(first) is None
    rows = page(admin, path).all("li", data_testid="token-row")
    assert ["revoked" in row.text for row in rows] == [False, True]
    assert len(page(admin, path).all("button", data_testid="revoke-token")) == 1


def test_no_token_is_given_for_nothing_nor_to_an_ended_sender(house: House) -> None:
    admin = house.visitor("admin")
    path = made(admin)
    assert "Choose what it may hand in" in sent(admin, f"{path}/tokens").one("p", id="wrong-kind").text
    admin.act(f"{path}/revocation")
    assert "Let it send again first" in sent(admin, f"{path}/tokens", kind="hl7").one("p", id="wrong-kind").text


def test_an_engineer_binds_senders_but_gives_no_tokens(house: House) -> None:
    engineer = house.visitor("engineer")
    path = made(engineer)
    assert page(engineer, path).all("button", data_testid="give-token") == []
    assert "An administrator gives tokens." in page(engineer, path).text


def test_an_ended_sender_ends_with_its_tokens_and_can_be_let_in_again(house: House) -> None:
    token, admin = new_token(house), house.visitor("admin")
    path = f"/admin/senders/{the_sender().id}"
    admin.act(f"{path}/revocation")
    assert "Ended" in page(admin, "/admin/senders").one("li", data_testid="sender").text
    admin.act(f"{path}/restoration")
    assert the_sender().revoked_at is None
    assert senders.by_token(token) is None, "whoever has it may be why it was ended"


def test_it_says_when_it_was_heard_and_how_its_clock_goes(house: House) -> None:
    clock.stop()
    admin = house.visitor("admin")
    house.take(alarm(at=clock.now().replace(microsecond=0) + timedelta(seconds=90)))
    shown = page(admin, f"/admin/senders/{the_sender().id}")
    assert f"{clock.now():%H:%M}" in shown.text
    assert "90 s fast" in shown.text or "89 s fast" in shown.text


def test_every_act_is_in_the_audit_with_what_was_changed(house: House) -> None:
    admin = house.visitor("admin")
    path = made(admin)
    admin.act(f"{path}/binding", addresses="10.9.0.0/16")
    admin.act(f"{path}/tokens", kind="hl7")
    admin.act(f"{path}/tokens/1/revocation")
    admin.act(f"{path}/revocation")
    number = the_sender().id
    with records.read() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.object.startswith(f"sender:{number}")))
        told = [(line.act, line.object, line.detail or "") for line in lines]
    assert [(act, what) for act, what, _ in told] == [
        ("senders", f"sender:{number}"),
        ("binding", f"sender:{number}"),
        ("tokens", f"sender:{number}"),
        ("revocation", f"sender:{number} token:1"),
        ("revocation", f"sender:{number}"),
    ]
    assert "10.0.7.0/24; units: MED" in told[0][2] and "10.9.0.0/16" in told[1][2]
