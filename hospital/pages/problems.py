"""Every error becomes an answer that says what happened and what to do next: a page, JSON, or a redirect to sign in."""

import logging
from urllib.parse import quote

from flask import Flask, Response, jsonify, make_response, redirect, request
from werkzeug.exceptions import (
    BadHost,
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    default_exceptions,
)
from werkzeug.routing import IntegerConverter, Map

from hospital import meters
from hospital.alerts.refusals import Refusal
from hospital.fragments.words import gettext
from hospital.pages.layout import home_here, page
from hospital.records import NotStored
from hospital.vocabulary import N_

log = logging.getLogger(__name__)

_PROGRAMS = ("/api/", "/live/", "/health/", "/internal/")
_TITLES = {
    400: N_("That could not be read"),
    401: N_("Sign in first"),
    403: N_("Not for this role"),
    404: N_("Nothing here"),
    405: N_("That cannot be done here"),
    409: N_("Someone was first"),
    413: N_("Too large"),
    415: N_("Another kind of content is needed"),
    422: N_("That could not be taken"),
    429: N_("Too many at once"),
    503: N_("Not now"),
}


# Instead of what the framework says, which is for programmers.
_SENTENCES = {
    NotFound.description: N_("There is no such page. It may have been moved, or it is not for you."),
    MethodNotAllowed.description: N_("This address does not take that. Go back and try again."),
    RequestEntityTooLarge.description: N_("What was sent is too large."),
    Forbidden.description: N_("Your role does not include this."),
}

_PASSING = (429, 500, 502, 503, 504)
_AGAIN_S = 15

_NEXT_WORDS = {
    "/sign-in": N_("Sign in"),
    "/alerts": N_("To the alerts"),
    "/admin": N_("To the administration"),
}


class _Number(IntegerConverter):
    """The <int:…> of a path. There is nothing of a number that is too large for a database."""

    def __init__(self, paths: Map) -> None:
        super().__init__(paths, max=2**63 - 1)


def prepare(app: Flask) -> None:
    app.url_map.converters["int"] = _Number
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(NotStored, _not_stored)
    app.register_error_handler(Exception, _broken)


def _answer(problem: HTTPException) -> Response:
    status = problem.code or 500
    if status < 400:
        return problem.get_response()  # type: ignore[return-value]
    meters.count("problems_total", status=str(status))
    if isinstance(problem, Unauthorized) and _is_page():
        # A wall has no keyboard: it shows a code.
        door = getattr(problem, "door", "/sign-in")
        if request.path == "/board" and door == "/sign-in":
            return make_response(redirect("/pair"))
        return make_response(redirect(f"{door}?next={quote(request.full_path.rstrip('?'))}"))
    response = make_response(_page(problem, status) if _is_for_people() else _json(problem, status), status)
    for name, value in problem.get_headers():
        if name.lower() in ("retry-after", "allow", "www-authenticate"):
            response.headers[name] = value
    return response


def _refused(refusal: Refusal) -> Response:
    """Of something to look at; pages/acting.py answers those of acts."""
    return _answer(default_exceptions[refusal.status](refusal.sentence))


def _not_stored(_problem: NotStored) -> Response:
    return _answer(ServiceUnavailable("This could not be stored now. Try again.", retry_after=1))


def _broken(error: Exception) -> Response:
    """A fault of ours. Its text may quote a patient: the log gets its kind and the route, never the text."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    line = f"{where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else "unknown"
    log.error("%s at %s while answering %s", type(error).__name__, line, request.endpoint)
    return _answer(InternalServerError("This server made a mistake. It has been counted; try again, or call support."))


def _is_page() -> bool:
    return request.method in ("GET", "HEAD") and _is_for_people() and not request.headers.get("HX-Request")


def _is_for_people() -> bool:
    if isinstance(request.routing_exception, BadHost):  # a page has addresses, and there is nowhere for them to lead
        return False
    accepted = request.accept_mimetypes
    return not request.path.startswith(_PROGRAMS) and (not accepted or accepted.accept_html)


def _page(problem: HTTPException, status: int) -> str:
    next_url = "/sign-in" if status == 401 else home_here()
    return page(
        "pages/problem.html",
        status=status,
        title=_title(problem, status),
        sentence=_sentence(problem),
        next_url=next_url,
        next_word=gettext(_NEXT_WORDS[next_url]),
        again=request.method == "GET" and status in _PASSING,
        again_s=_AGAIN_S if request.path == "/board" else None,  # nobody is there to press anything
    )


def _sentence(problem: HTTPException) -> str:
    """What happened, and of what is too much at once also when to come back."""
    told = gettext(_SENTENCES.get(problem.description or "", problem.description or " "))
    wait = problem.retry_after if isinstance(problem, TooManyRequests) else None
    if not wait:
        return told
    again = gettext("Try again in %(seconds)s s.", seconds=wait)
    return f"{told} {again}"


def _title(problem: HTTPException, status: int) -> str:
    return gettext(getattr(problem, "title", "") or _TITLES.get(status, N_("This did not work")))


def _json(problem: HTTPException, status: int) -> Response:
    response = jsonify(status=status, title=_title(problem, status), detail=_sentence(problem))
    response.mimetype = "application/problem+json"
    return response
