"""The guard at every door: closed unless a route says who may come in.

Each view is marked with `open_to_all`, `for_people(right)` or `for_senders`; an unmarked route is refused. Acts
(unsafe methods) also need to come from our own pages: Sec-Fetch-Site or Origin first, the token as the second layer.
"""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_login import current_user
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import Forbidden, Unauthorized

from hospital.access.sessions import SignedIn
from hospital.roles import Right

View = TypeVar("View", bound=Callable[..., Any])

_SIGN_IN_FORM_S = 3_600  # how long a sign-in page may lie open before it must be loaded again
_SAFE = ("GET", "HEAD", "OPTIONS")


class NotOurPage(Forbidden):
    description = "This act did not come from a page of this server, or the page is too old. Reload it and try again."


def open_to_all(view: View) -> View:
    """No sign-in: health, the sign-in page, static files."""
    view.guard = "all"  # type: ignore[attr-defined]
    return view


def for_senders(view: View) -> View:
    """Intake over HTTP: the view itself finds the sender by its bearer token."""
    view.guard = "senders"  # type: ignore[attr-defined]
    return view


def for_people(right: Right | None = None) -> Callable[[View], View]:
    """A signed-in person whose role has `right` (None: any signed-in person)."""

    def mark(view: View) -> View:
        view.guard = right or "people"  # type: ignore[attr-defined]
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
    if request.endpoint is None or request.endpoint == "static":
        return
    view = current_app.view_functions[request.endpoint]
    guard = getattr(view, "guard", None)
    if guard == "senders" or (guard == "all" and request.method in _SAFE):
        return
    if guard == "all":
        _check_origin()
        _check_sign_in_token()
        return
    if guard is None:
        raise Forbidden(f"The route {request.endpoint} does not say who may use it.")
    _check_person(guard)


def _check_person(guard: Right | str) -> None:
    person = me()
    if request.method not in _SAFE:
        _check_origin()
        _check_csrf_token(person)
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
