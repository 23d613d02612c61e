"""The guard at every door: closed unless a route says who may come in.

Each view is marked with `open_to_all`, `at_the_door`, `for_people(right)` or `for_senders`; an unmarked route is
refused. Acts (unsafe methods) also need to come from our own pages: Sec-Fetch-Site or Origin first, the token as the
second layer. Who has a step before them yet (a code, a new password) finds every door closed but the one to it.
"""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_login import current_user
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import Forbidden, Unauthorized

from hospital import settings
from hospital.access import limits
from hospital.access.channel import check_private
from hospital.access.sessions import SignedIn, Step
from hospital.roles import Right
from hospital.vocabulary import N_

View = TypeVar("View", bound=Callable[..., Any])

_SIGN_IN_FORM_S = 3_600  # how long a sign-in page may lie open before it must be loaded again
_SAFE = ("GET", "HEAD", "OPTIONS")


class NotOurPage(Forbidden):
    description = N_(
        "This act did not come from a page of this server, or the page is too old. Reload it and try again."
    )


class StepMissing(Unauthorized):
    """`door`: the page where the step is made."""

    def __init__(self, step: Step) -> None:
        sentence, self.door = _STEPS[step]
        super().__init__(sentence)


_STEPS = {
    Step.CODE: (N_("Your second factor is missing: sign in with its code."), "/sign-in/code"),
    Step.PASSWORD: (N_("Choose a password of your own first."), "/account/password"),
    Step.ENROLMENT: (N_("Your hospital demands a second factor: set it up first."), "/account/second-factor"),
}


def open_to_all(view: View) -> View:
    """No sign-in: health, metrics. Nothing that knows a person."""
    view.guard = "all"  # type: ignore[attr-defined]
    return view


def at_the_door(view: View) -> View:
    """The sign-in page: for everybody, over a line that nobody reads along."""
    view.guard = "door"  # type: ignore[attr-defined]
    return view


def for_senders(view: View) -> View:
    """Intake over HTTP: the view itself finds the sender by its bearer token."""
    view.guard = "senders"  # type: ignore[attr-defined]
    return view


def for_people(right: Right | None = None, *, also_during: tuple[Step, ...] = ()) -> Callable[[View], View]:
    """A signed-in person whose role has `right` (None: any). `also_during`: before these steps have been made, too."""

    def mark(view: View) -> View:
        view.guard, view.also_during = right or "people", also_during  # type: ignore[attr-defined]
        return view

    return mark


def prepare(app: Flask) -> None:
    app.before_request(_check)


def me() -> SignedIn:
    """The signed-in person. Raises Unauthorized if there is none."""
    if not current_user.is_authenticated:
        raise Unauthorized
    return cast(SignedIn, current_user._get_current_object())


def is_ours(url: str) -> bool:
    """Whether this address is on the very server that is being asked."""
    try:
        return urlsplit(url).netloc == request.host
    except ValueError:  # no address at all: http://[
        return False


def sign_in_token() -> str:
    """For the sign-in form, which has no session yet."""
    return _signer().sign("sign-in").decode()


def _check() -> None:
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    guard = getattr(view, "guard", None)
    if guard is None:
        raise Forbidden(f"The route {request.endpoint} does not say who may use it.")
    if guard == "all":
        return
    check_private()
    if guard == "door":
        _check_door()
    elif guard != "senders":
        _check_person(guard, getattr(view, "also_during", ()))


def _check_door() -> None:
    if request.method not in _SAFE:
        _check_origin()
        _check_sign_in_token()


def _check_person(guard: Right | str, also_during: tuple[Step, ...]) -> None:
    person = me()
    if person.missing is not None and person.missing not in also_during:
        raise StepMissing(person.missing)
    if request.method not in _SAFE:
        _check_origin()
        _check_csrf_token(person)
        if not hasattr(current_app.view_functions[request.endpoint or ""], "leaves_no_trace"):
            limits.count("acts", person.actor.person_id, settings.current.acts_per_minute)
    if isinstance(guard, Right) and not person.actor.may(guard):
        raise Forbidden("Your role does not include this.")


def _check_origin() -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise NotOurPage
        return
    origin = request.headers.get("Origin")
    if origin is not None and not is_ours(origin):
        raise NotOurPage


def _check_csrf_token(person: SignedIn) -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token") or ""
    if not hmac.compare_digest(given.encode(), person.csrf_token.encode()):
        raise NotOurPage


def _check_sign_in_token() -> None:
    try:
        _signer().unsign(request.form.get("csrf_token", ""), max_age=_SIGN_IN_FORM_S)
    except BadSignature:
        raise NotOurPage from None


def _signer() -> TimestampSigner:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]  # the last one signs
    return TimestampSigner(keys, salt="sign-in form")
