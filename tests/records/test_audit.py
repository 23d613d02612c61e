"""The audit's chain: numbers without a gap, hashes that another program can check, nothing personal in clear."""

import hashlib
import json

import gevent
import pytest
from sqlalchemy import select, text

from hospital import clock, records
from hospital.records import AuditHead, AuditLine, audit
from hospital.records.audit import NOBODYS, Trace
from tests.alerts.ward import NOON
from tests.support.house import House


def lines(hospital_id: int = 1) -> list[AuditLine]:
    with records.read() as session:
        query = select(AuditLine).where(AuditLine.hospital_id == hospital_id).order_by(AuditLine.number)
        return list(session.scalars(query))


def test_lines_of_a_hospital_are_numbered_from_one_without_a_gap(either_house: House) -> None:
    for hospital_id in (1, 2, 1, NOBODYS, 1):
        audit.leave(Trace(hospital_id, "look", "alert:7", 200))

    assert [line.number for line in lines(1)] == [1, 2, 3]
    assert [line.number for line in lines(2)] == [line.number for line in lines(NOBODYS)] == [1]


def test_many_at_once_get_each_a_number(either_house: House) -> None:
    traces = [Trace(hospital_id, "look", f"alert:{n}", 200) for n in range(50) for hospital_id in (1, 2)]
    gevent.joinall([gevent.spawn(audit.leave, trace) for trace in traces], raise_error=True)

    assert [line.number for line in lines(1)] == [line.number for line in lines(2)] == list(range(1, 51))


def test_those_who_look_at_once_are_written_down_together(either_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    acts: list[object] = []
    monkeypatch.setattr(audit, "write", lambda of, act: (acts.append(act), records.write(of, act)))
    traces = [Trace(1, "look", f"alert:{n}", 200) for n in range(50)]
    gevent.joinall([gevent.spawn(audit.leave, trace) for trace in traces], raise_error=True)
    assert len(acts) == 1
    with records.read() as session:
        told = session.scalars(select(AuditLine.object).where(AuditLine.hospital_id == 1).order_by(AuditLine.number))
        assert told.all() == [trace.object for trace in traces]


def test_what_could_not_be_written_down_is_told_to_each_who_waits(
    either_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_of: int | None, _act: object) -> None:
        raise records.NotStored

    monkeypatch.setattr(audit, "write", fail)
    waiting = [gevent.spawn(audit.leave, Trace(1, "look", f"alert:{n}", 200)) for n in range(3)]
    gevent.joinall(waiting, timeout=5)
    assert [type(one.exception) for one in waiting] == [records.NotStored] * 3
    monkeypatch.undo()
    audit.leave(Trace(1, "look", "alert:7", 200))


def test_the_head_is_the_last_line(either_house: House) -> None:
    for n in range(3):
        audit.leave(Trace(1, "look", f"alert:{n}", 200))

    with records.read() as session:
        head = session.get_one(AuditHead, 1)
    assert (head.number, head.hash) == (3, lines()[-1].hash)


def test_another_program_can_check_the_hashes_with_sha_256_and_json_alone(either_house: House) -> None:
    clock.stop(NOON)
    audit.leave(
        Trace(1, "look", "alert:7", 200, person_id=3, session_id=9, scope="1,none", detail='{"address": "::1"}')
    )
    audit.leave(Trace(1, "tokens create", "sender:1", sender_id=1))

    first, second = lines()
    assert first.detail_digest is not None
    says = ["", 1, 1, "2026-11-22T12:00:00.000000Z", "look", "alert:7", 200, 3, None, 9, "1,none", first.detail_digest]
    assert first.hash == hashlib.sha256(json.dumps(says, separators=(",", ":")).encode()).hexdigest()
    says = [first.hash, 1, 2, "2026-11-22T12:00:00.000000Z", "tokens create", "sender:1", 0, None, 1, None, "", None]
    assert second.hash == hashlib.sha256(json.dumps(says, separators=(",", ":")).encode()).hexdigest()


def test_an_address_and_a_reason_are_sealed(either_house: House) -> None:
    detail = json.dumps({"address": "192.0.2.77", "reason": "Mother of the nurse"})
    audit.leave(Trace(1, "break the glass", "patient:3", 200, detail=detail))

    with records.read() as session:
        (row,) = session.execute(text("SELECT * FROM audit_line"))
        assert lines()[0].detail == detail
    clear = " ".join(str(bytes(cell) if isinstance(cell, memoryview) else cell) for cell in row)
    assert "192.0.2.77" not in clear and "Mother" not in clear


def test_what_an_act_takes_back_uses_no_number(house: House) -> None:
    def act(session: records.database.Session) -> None:
        audit.append(session, Trace(1, "look", "alert:7", 200))
        raise KeyError

    with pytest.raises(KeyError):
        records.write(1, act)
    audit.leave(Trace(1, "look", "alert:8", 200))

    assert [(line.number, line.object) for line in lines()] == [(1, "alert:8")]
