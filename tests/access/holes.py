"""Holes that somebody could leave in the doors, each with the test that must notice it.

As a plugin (`pytest -p tests.access.holes`) it digs the hole of each test before that test is set up, fills it again,
and writes down how the test ended. Nothing of this is in the product.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask import current_app, request
from jinja2 import FileSystemLoader
from sqlalchemy import select
from werkzeug.exceptions import InternalServerError

from hospital import meters
from hospital.access import guard, sessions
from hospital.alerts import acknowledging
from hospital.fragments import listing
from hospital.live import opening, socket
from hospital.live.relay import Relay
from hospital.live.resume import Tail, Touch
from hospital.pages import acting, audit, patients, problems
from hospital.records import Alert, Idempotency, Monitoring, spreadsheet
from hospital.roles import Right
from hospital.vocabulary import State

TOLD = "HOLES_TOLD"  # the environment variable with the path of the file for what was found
Dig = Callable[[pytest.MonkeyPatch], None]
HOLES: dict[str, tuple[str, Dig]] = {}  # name → the test that must notice, how to dig it


def noticed_by(test: str) -> Callable[[Dig], Dig]:
    def keep(dig: Dig) -> Dig:
        HOLES[dig.__name__] = (f"tests/{test}", dig)
        return dig

    return keep


def around(patch: pytest.MonkeyPatch, owner: Any, name: str, make: Callable[..., Any]) -> None:
    """Put `make(original, *args)` where `owner.name` was."""
    original = getattr(owner, name)
    patch.setattr(owner, name, wraps(original)(lambda *args, **how: make(original, *args, **how)))


# ---- Who may come in


@noticed_by("access/test_every_route.py::test_a_view_that_does_not_say_who_may_come_in_lets_nobody_in[nobody]")
def a_route_without_a_guard_is_open(patch: pytest.MonkeyPatch) -> None:
    def check(original: Any) -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        return original() if hasattr(view, "guard") else None

    around(patch, guard, "_check", check)


@noticed_by("access/test_every_route.py::test_everybody_gets_what_the_table_says[nurse]")
def a_page_is_open_to_another_role(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(audit.audit, "guard", Right.SEE_ALERTS)


@noticed_by("access/test_guard.py::test_an_act_without_the_right_token_is_refused")
def an_act_needs_no_token(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "_check_csrf_token", lambda _person: None)


@noticed_by("access/test_guard.py::test_an_act_from_elsewhere_is_refused_even_with_the_right_token")
def an_act_may_come_from_anywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "_check_origin", lambda: None)


@noticed_by("live/test_socket.py::test_a_page_of_another_server_opens_no_socket_here[https://elsewhere.example-403]")
def a_socket_is_opened_from_anywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(socket, "_is_from_our_page", lambda _origin: True)


# ---- Whose it is


@noticed_by("access/test_hospitals_apart.py::test_what_has_no_unit_is_on_no_page_of_another_hospital[charge]")
def a_query_has_no_hospital(patch: pytest.MonkeyPatch) -> None:
    def every(_hospital_id: int, scope: frozenset[int | None]) -> Any:
        mine = Alert.unit_id.in_([unit for unit in scope if unit is not None])
        where = mine | Alert.unit_id.is_(None) if None in scope else mine
        return where & (Alert.state != State.RESOLVED)

    patch.setattr(listing, "unresolved_in", every)


@noticed_by("journey/test_foreign_data.py::test_no_sequence_of_requests_reaches_foreign_data")
def a_patient_is_anybodys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(patients, "patient_for", lambda session, _actor, id, _right: session.get_one(Monitoring, id))


@noticed_by("alerts/test_rights.py::test_each_role_does_what_the_table_allows_and_nothing_else[nurse-abroad-....]")
def an_alert_is_anybodys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(acknowledging, "alert_for", lambda session, _actor, id, _right: session.get_one(Alert, id))


@noticed_by("pages/test_acting.py::test_the_same_key_of_another_person_is_another_key")
def a_key_is_everybodys(patch: pytest.MonkeyPatch) -> None:
    def earlier(self: acting.Key, session: Any, _about_id: int) -> Any:
        return session.scalar(select(Idempotency).where(Idempotency.key == self.key))

    patch.setattr(acting.Key, "earlier", earlier)


# ---- Streams


@noticed_by("live/test_relay.py::test_a_session_that_ended_takes_its_streams_along_and_no_others")
def a_stream_survives_the_sign_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Relay, "end_sessions", lambda _relay: None)


@noticed_by("live/test_stream.py::test_the_cursor_of_another_hospital_is_answered_with_a_resync[after]")
def a_cursor_of_another_hospital_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tail, "_number", lambda _tail, after: int(after.rpartition("-")[2]))


@noticed_by("live/test_stream.py::test_the_audience_comes_from_the_person_and_not_from_the_address")
def the_audience_comes_from_the_address(patch: pytest.MonkeyPatch) -> None:
    def audience(original: Any, person: Any, views: Any) -> Any:
        made = original(person, views)
        return replace(made, units=made.units | frozenset(map(int, request.args.getlist("units"))))

    around(patch, opening, "_audience", audience)


@noticed_by("live/test_relay.py::test_not_a_byte_of_it_in_a_replay_either")
def a_replay_is_for_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Touch, "seen_by", lambda _touch, _audience: True)


# ---- What is told


@noticed_by("pages/test_alerts.py::test_what_a_message_says_is_shown_as_text")
def a_field_is_not_escaped(patch: pytest.MonkeyPatch) -> None:
    def source(original: Any, loader: Any, environment: Any, name: str) -> Any:
        text, *rest = original(loader, environment, name)
        return text.replace("{{ card.text }}", "{{ card.text|safe }}"), *rest

    around(patch, FileSystemLoader, "get_source", source)


@noticed_by("access/test_no_secret_is_told.py::test_no_token_is_told")
def a_token_stands_in_the_log(patch: pytest.MonkeyPatch) -> None:
    def find(original: Any, token: str, **how: Any) -> Any:
        logging.getLogger("hospital").debug("session %s", token)
        return original(token, **how)

    around(patch, sessions, "find", find)


@noticed_by("access/test_no_secret_is_told.py::test_no_password_is_told")
def a_form_stands_in_the_log(patch: pytest.MonkeyPatch) -> None:
    def check(original: Any) -> None:
        logging.getLogger("hospital").debug("asked for %s", dict(request.form))
        original()

    around(patch, guard, "_check", check)


@noticed_by("pages/test_problems.py::test_a_fault_of_ours_tells_neither_the_reader_nor_the_log_what_it_was_about[page]")
def an_error_quotes_what_it_stumbled_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(problems, "_broken", lambda error: problems._answer(InternalServerError(str(error))))


@noticed_by("operations/test_auditing.py::test_no_cell_is_a_formula_for_a_spreadsheet[+1]")
def a_cell_is_a_formula(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(spreadsheet, "_FORMULA", ("\0",))


@noticed_by("operations/test_metrics.py::test_no_counter_ever_names_a_patient_a_person_or_a_sender")
def a_label_comes_from_a_message(patch: pytest.MonkeyPatch) -> None:
    def count(original: Any, name: str, *args: Any, **labels: Any) -> None:
        original(name, *args, **labels)
        if name == "messages_total":
            original("alarms_total", outcome="TEST_GATEWAY")

    around(patch, meters, "count", count)


# ---- The plugin


DUG = pytest.StashKey[pytest.MonkeyPatch]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Before its fixtures are set up."""
    (dig,) = [dig for test, dig in HOLES.values() if test == item.nodeid]
    item.stash[DUG] = pytest.MonkeyPatch()
    dig(item.stash[DUG])
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """After they are gone."""
    try:
        return (yield)
    finally:
        item.stash[DUG].undo()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What each test that failed in its own body failed of."""
    if call.when == "call":
        kind = call.excinfo.type.__name__ if call.excinfo else "passed"
        with Path(os.environ[TOLD]).open("a") as file:
            file.write(f"{json.dumps([item.nodeid, kind])}\n")
    return (yield)
