"""The commands for senders and their tokens."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from hospital import clock, records
from hospital.access.tokens import token_hash
from hospital.records import AuditLine, Sender, SenderToken
from tests.access.strangers import new_token
from tests.operations.conftest import Flask
from tests.support.alarms import alarm
from tests.support.house import House

PROGRAM = ("--hospital", "demo", "--sender", "Test program")
GATEWAY = ("--hospital", "demo", "--sender", "Ward gateway")


def test_a_token_is_the_last_word_and_works_at_once(house: House, flask: Flask) -> None:
    done = flask("tokens", "create", "--hospital", "demo", "--sender", "Ward gateway")
    assert (done.returncode, done.stderr) == (0, "")
    token = done.stdout.split()[-1]
    assert len(token) >= 43

    answer = _send(house, token)
    assert answer.status_code == 202
    assert house.alert(answer.json["alerts"][0]).sender_id == _sender("Ward gateway").id


def test_for_a_hospital_that_nobody_knows_there_is_a_sentence_and_no_token(house: House, flask: Flask) -> None:
    done = flask("tokens", "create", "--hospital", "nowhere", "--sender", "X")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.strip() == "Error: There is no hospital 'nowhere'."
    with records.read() as session:
        assert session.scalars(select(Sender)).all() == []


def test_what_is_left_out_is_asked_for(house: House) -> None:
    for words in (["--hospital", "demo"], ["--sender", "X"]):
        done = house.app.test_cli_runner().invoke(args=["tokens", "create", *words])
        assert done.exit_code == 2
        assert "Missing option" in done.output


def test_only_the_hash_of_a_token_is_stored(house: House) -> None:
    token = new_token(house)
    with records.read() as session:
        assert session.scalars(select(SenderToken.token_hash)).one() == token_hash(token)
        for table in ("sender", "sender_token", "audit_line"):
            assert token not in str(session.execute(text(f"SELECT * FROM {table}")).all())


def test_a_sender_that_gets_a_new_token_loses_the_old_one_and_stays_who_it_is(house: House) -> None:
    old = new_token(house)
    sender_id = _sender("Test program").id
    new = new_token(house)
    assert _sender("Test program").id == sender_id
    assert _send(house, old).status_code == 401
    assert _send(house, new).status_code == 202


def test_a_sender_of_the_same_name_in_another_hospital_is_another(house: House) -> None:
    ours, theirs = new_token(house, "demo"), new_token(house, "demo-b")
    for token, hospital in ((ours, "demo"), (theirs, "demo-b")):
        answer = _send(house, token)
        assert house.alert(answer.json["alerts"][0]).hospital_id == house.hospital(hospital).id


def test_a_token_of_a_hospital_makes_no_sender_of_another(house: House) -> None:
    new_token(house, "demo-b")
    with records.read() as session:
        (sender,) = session.scalars(select(Sender)).all()
    assert sender.hospital_id == house.hospital("demo-b").id


def test_a_token_that_is_replaced_goes_on_for_a_while_beside_the_new_one(house: House) -> None:
    clock.stop()
    old = new_token(house)
    new = run(house, "tokens", "rotate", *PROGRAM).split()[-1]
    assert [_send(house, token).status_code for token in (old, new)] == [202, 202]
    clock.turn(timedelta(hours=house.settings.token_overlap_h))
    assert [_send(house, token).status_code for token in (old, new)] == [401, 202]


def test_a_token_that_was_revoked_is_not_revived_by_a_new_one(house: House) -> None:
    old = new_token(house)
    assert run(house, "tokens", "revoke", *PROGRAM) == "1 ended.\n"
    assert "has no token" in run(house, "tokens", "rotate", *PROGRAM, fails=True)
    new = new_token(house)
    assert [_send(house, token).status_code for token in (old, new)] == [401, 202]


def test_a_token_ends_after_a_year(house: House) -> None:
    clock.stop()
    token = new_token(house)
    clock.turn(timedelta(days=365, seconds=-1))
    assert _send(house, token).status_code == 202
    clock.turn(timedelta(seconds=1))
    assert _send(house, token).status_code == 401


def test_a_token_opens_the_doors_that_it_names_and_no_other(house: House) -> None:
    made = run(house, "tokens", "create", *GATEWAY, "--kind", "alerts", "--kind", "fhir")
    token = made.split()[-1]
    assert _send(house, token).status_code == 403
    fhir = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    patient = b'{"resourceType": "Patient", "identifier": [{"value": "1"}]}'
    assert house.visitor().client.post("/api/v1/fhir", data=patient, headers=fhir).status_code == 202


def test_the_list_says_when_a_token_was_last_used_to_the_minute(house: House) -> None:
    clock.stop()
    token = new_token(house)
    assert run(house, "tokens", "list", "--hospital", "demo").endswith("last used never\n")
    _send(house, token)
    used = _used_at()
    clock.turn(timedelta(seconds=59))
    _send(house, token)
    assert _used_at() == used == clock.now() - timedelta(seconds=59)
    clock.turn(timedelta(seconds=1))
    _send(house, token)
    assert _used_at() == clock.now()
    told = run(house, "tokens", "list", "--hospital", "demo")
    assert f"Test program: hl7 fhir alerts, until {clock.now() + timedelta(days=365):%Y-%m-%d}" in told
    assert f"last used {clock.now():%Y-%m-%d %H:%M}" in told and token not in told


# ---- Senders ---------------------------------------------------------------------------------------------------------


def test_a_sender_is_made_bound_ended_and_let_in_again(house: House, flask: Flask) -> None:
    header = ("--application", "MON", "--facility", "7W")
    done = flask("senders", "create", *GATEWAY, *header, "--address", "10.0.7.0/24", "--unit", "MED")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "MSH-3 'MON', MSH-4 '7W', from 10.0.7.0/24, for MED\n"
    assert run(house, "senders", "bind", *GATEWAY).endswith("from this machine, for all units\n")
    run(house, "senders", "revoke", *GATEWAY)
    assert "all units, revoked, last heard never" in run(house, "senders", "list", "--hospital", "demo")
    run(house, "senders", "restore", *GATEWAY)
    assert "revoked" not in run(house, "senders", "list", "--hospital", "demo")
    with records.read() as session:
        acts = session.scalars(
            select(AuditLine.act).where(AuditLine.act.startswith("senders")).order_by(AuditLine.number)
        )
        assert list(acts) == ["senders create", "senders bind", "senders revoke", "senders restore"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--application", " "), "Write what it sends as MSH-3 or MSH-4, 200 characters at most."),
        (("--application", "X", "--address", "10.0.0.0/33"), "Write addresses or networks, as 10.0.7.21"),
        (("--application", "X", "--unit", "ATTIC"), "There is no such unit in this hospital."),
        (("--application", "TEST_GATEWAY", "--facility", "BENCH"), "Another sender of this server calls itself so."),
    ],
)
def test_what_cannot_be_said_of_a_sender_is_refused_with_a_sentence(
    house: House, words: tuple[str, ...], sentence: str
) -> None:
    house.take(alarm())
    assert sentence in run(house, "senders", "create", *GATEWAY, *words, fails=True)
    with records.read() as session:
        assert session.scalars(select(Sender.name)).all() == ["TEST_GATEWAY / BENCH"]


def test_a_name_and_a_header_are_given_once(house: House) -> None:
    run(house, "senders", "create", *GATEWAY, "--application", "MON")
    assert "Another sender has this name." in run(
        house, "senders", "create", *GATEWAY, "--application", "X", fails=True
    )
    theirs = ("--hospital", "demo-b", "--sender", "Ward gateway")
    assert "calls itself so" in run(house, "senders", "create", *theirs, "--application", "MON", fails=True)


def run(house: House, *words: str, fails: bool = False) -> str:
    done = house.app.test_cli_runner().invoke(args=list(words), catch_exceptions=False)
    assert (done.exit_code != 0) == fails, done.output
    return str(done.output)


def _used_at():  # type: ignore[no-untyped-def]
    with records.read() as session:
        return session.scalars(select(SenderToken.used_at)).one()


def _send(house: House, token: str):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "x-application/hl7-v2+er7"}
    return house.visitor().client.post("/api/v1/hl7", data=alarm(), headers=headers)


def _sender(name: str) -> Sender:
    with records.read() as session:
        return session.scalars(select(Sender).where(Sender.name == name)).one()
