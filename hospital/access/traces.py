"""Who looked at what: one place sees every answer before it leaves, so that no route can forget its trace.

The line is committed before the first byte of the answer goes out, together with whatever else is being written: a
process that dies afterwards has shown nothing that is not written down. If it cannot be stored (the disk is full), the
ward's pages are shown all the same, because an alarm that nobody sees kills; then the log holds the trace, and
`hospital_traces_lost_total` counts it. An export, a search and what `leave()` is called for are refused instead.

The same session that looks at the same thing again within a minute (a page that renews itself, a line that was cut) is
one look. What is looked at or done while the glass is broken says so: 'emergency look'. Refusals of those who did not
sign in are one line a minute for each route, or a stranger could fill the disk.
Who is sent away because there are too many (429, 503) is not even asked who it is. What senders hand in is no look:
messages are kept anyway.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hospital import meters, records
from hospital.access.sessions import SignedIn
from hospital.records import Person, audit
from hospital.records.audit import NOBODYS, Trace

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

_SAME_LOOK_S = 60.0
_VIEW = re.compile(r"[a-z]{1,20}(:[0-9]{1,18})?")
_left: dict[tuple[object, ...], float] = {}  # what this process has written down within the last minute


def by_itself(view: View) -> View:
    """A route that pages ask by themselves and that shows nothing: it leaves no trace."""
    view.leaves_no_trace = True  # type: ignore[attr-defined]
    return view


def prepare(app: Flask) -> None:
    _left.clear()
    app.after_request(_after)


def leave(act: str, what: str, reason: str = "") -> None:
    """For a view, before it shows something that must not be shown without a trace. Raises NotStored."""
    audit.leave(_of_person(current_user._get_current_object(), act, what, 200, reason))
    g.traced = True


def tell(session_id: int) -> None:
    """For the view of the sign-in: the session that has begun, whose number stands in all that follows."""
    g.traced_session = session_id


def opens() -> None:
    """For a view that shows something before it returns: the trace of a look, now."""
    _keep(_of_person(current_user._get_current_object(), "look", _object(), 200))
    g.traced = True


def did(what: str, change: str = "") -> None:
    """For the view of an act: what it was done to where the address does not say so, and what was changed (sealed)."""
    g.traced_object, g.traced_change = what, change


def of_act() -> Callable[[Session, int], object]:
    """For a view that does an act: what it is to call within the act's transaction, with the status it came to.

    What is done and who did it are then stored together, at one commit.
    """
    done = _of_person(current_user._get_current_object(), _act(), _object(), 200)
    g.traced = True
    return lambda session, status: audit.append(session, replace(done, act=_said(done.act, status), outcome=status))


def _after(response: Response) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    guard = getattr(view, "guard", None)
    shows_nothing = response.status_code == 429 or response.status_code >= 500
    if view is None or shows_nothing or hasattr(view, "leaves_no_trace") or g.get("traced"):
        return response
    try:
        trace = _trace(guard, response.status_code)
        if trace is not None:
            _keep(trace)
    except SQLAlchemyError:  # nobody can say who this was
        meters.count("traces_lost_total")
        log.error("audit: no trace of %s, %s: the database is away", request.endpoint, response.status_code)
    return response


def _trace(guard: object, status: int) -> Trace | None:
    """None: nothing was shown, done or refused that matters."""
    if request.method == "OPTIONS":
        return None
    if guard in ("all", "door") and request.method in ("GET", "HEAD"):
        return None
    if guard in ("all", "door"):
        return _at_the_door(status)
    if guard != "senders" and current_user.is_authenticated:
        return _by_a_person(current_user._get_current_object(), status)
    refused = status in (401, 403) or (guard != "senders" and status == 302)
    return Trace(NOBODYS, "refused", _rule(), 401 if status == 302 else status) if refused else None


def _at_the_door(status: int) -> Trace:
    """A name that nobody has is not kept: people type their passwords there."""
    hospital_id, person_id = _named(request.form.get("name", "")) or (NOBODYS, None)
    act = _act() if status < 400 else f"{_act()} refused"
    return Trace(hospital_id, act, "", status, person_id, session_id=g.get("traced_session"), detail=_detail())


def _by_a_person(person: SignedIn, status: int) -> Trace | None:
    looks = request.method in ("GET", "HEAD")
    if looks and 300 <= status < 400:
        return None
    act = _said("look" if looks else _act(), status)
    return _of_person(person, act, g.get("traced_object") or _object(), status)


def _said(act: str, status: int) -> str:
    return "refused" if status >= 400 else act


def _of_person(person: SignedIn, act: str, what: str, status: int, reason: str = "") -> Trace:
    actor = person.actor
    units = sorted(str(unit or "none") for unit in actor.scope)
    return Trace(
        actor.hospital_id,
        f"emergency {act}" if actor.emergency else act,
        what,
        status,
        person_id=actor.person_id,
        session_id=person.session_id,
        scope=",".join(units),
        detail=_detail(reason),
    )


def _keep(trace: Trace) -> None:
    same = (trace.hospital_id, trace.session_id, trace.act, trace.object, trace.outcome)
    may_repeat = trace.act.endswith("look") or trace.hospital_id == NOBODYS
    if may_repeat and time.monotonic() < _left.get(same, 0.0):
        return
    try:
        audit.leave(trace)
    except records.NotStored:
        meters.count("traces_lost_total")
        log.error("audit: not stored: %s", (*same, trace.person_id))
        return
    if may_repeat:
        _remember(same)


def _remember(same: tuple[object, ...]) -> None:
    """In the order of their times, so that the oldest stand in front."""
    now = time.monotonic()
    _left.pop(same, None)
    _left[same] = now + _SAME_LOOK_S
    while (oldest := next(iter(_left))) and _left[oldest] < now:
        del _left[oldest]


def _named(name: str) -> tuple[int, int] | None:
    query = select(Person.hospital_id, Person.id).where(Person.name == name.replace("\0", "").strip())
    with records.read() as session:
        row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def _act() -> str:
    """The last word of the address, as the code writes it: 'acknowledgement', 'sign-out'; of /people/<id>, 'people'."""
    return next(word for word in reversed(_rule().split("/")) if not word.startswith("<"))


def _object() -> str:
    """'alert:7' where the address has a number, else the address as the code writes it; of a stream, its views."""
    ids = [
        f"{name.removesuffix('_id')}:{value}"
        for name, value in (request.view_args or {}).items()
        if isinstance(value, int)
    ]
    views = [view for view in request.args.getlist("view") if _VIEW.fullmatch(view)]
    return " ".join(ids or [_rule(), *views])


def _rule() -> str:
    return request.url_rule.rule if request.url_rule is not None else ""


def _detail(reason: str = "") -> str:
    said = {"address": request.remote_addr or "", "reason": reason, "change": g.get("traced_change", "")}
    return json.dumps({name: words for name, words in said.items() if words or name == "address"}, sort_keys=True)
