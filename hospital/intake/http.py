"""Intake over HTTP, for senders with a token: HL7 v2, FHIR R4 and plain JSON."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge, TooManyRequests, Unauthorized, UnsupportedMediaType

from hospital import meters, settings
from hospital.access import limits
from hospital.access.guard import for_senders
from hospital.intake import pacing, senders
from hospital.intake.hl7 import Refused, parse
from hospital.intake.receiving import Received, receive
from hospital.intake.reports import NotTaken, take_alarm
from hospital.intake.resources import take_fhir
from hospital.intake.senders import KnownSender
from hospital.records import Kind, Verdict

blueprint = Blueprint("intake", __name__)

HL7_TYPE = "x-application/hl7-v2+er7"
FHIR_TYPES = ("application/fhir+json", "application/json")


@blueprint.post("/api/v1/hl7")
@for_senders
def take_hl7() -> tuple[Response, int]:
    """One message as its body. 202: committed. 422: refused, with the HL7 answer that says where and why."""
    sender, body = _sender(Kind.HL7), _body(HL7_TYPE)
    return _told(receive(body, sender))


@blueprint.post("/api/v1/fhir")
@for_senders
def take_resources() -> tuple[Response, int]:
    """A Patient, Encounter, Observation or a Bundle of them. Refused: an OperationOutcome that names the element."""
    sender, body = _sender(Kind.FHIR), _body(*FHIR_TYPES)
    taken = take_fhir(body, sender)
    answer = jsonify(taken.body)
    answer.mimetype = FHIR_TYPES[0]
    return answer, taken.status


@blueprint.post("/api/v1/alerts")
@for_senders
def take_report() -> tuple[Response, int]:
    """One alarm as JSON (intake/reports.py). 202: committed, with the alert's id."""
    sender, body = _sender(Kind.ALERTS), _body("application/json")
    try:
        alert_id = take_alarm(body, sender)
    except NotTaken as refused:
        problem = jsonify(status=refused.status, title="That could not be taken", detail=str(refused))
        problem.mimetype = "application/problem+json"
        return problem, refused.status
    return jsonify(alerts=[alert_id] if alert_id is not None else []), 202


def _body(*types: str) -> bytes:
    if request.mimetype not in types:
        raise UnsupportedMediaType(f"Send it as {types[0]}.")
    if (request.content_length or 0) > settings.current.mllp_max_bytes:
        raise RequestEntityTooLarge(f"A message has {settings.current.mllp_max_bytes} bytes at most.")
    return request.get_data()


def _sender(kind: Kind) -> KnownSender:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    known = senders.by_token(given) if scheme.lower() == "bearer" and given else None
    if known is None:
        raise Unauthorized(
            "A sender's token is missing, not known or at its end: Authorization: Bearer …",
            www_authenticate=WWWAuthenticate("bearer"),
        )
    if kind not in known.kinds:
        meters.count("senders_refused_total", why="kind")
        raise Forbidden("This token is not for this address. An administrator can give one that is.")
    try:
        limits.count("intake", known.id, settings.current.intake_per_minute)
    except TooManyRequests:
        pacing.tell_over(known.id)
        raise
    return known


def _told(received: Received | None) -> tuple[Response, int]:
    if received is None:
        return jsonify(code=None, reason="An acknowledgement is not answered."), 202
    body = jsonify(
        code=received.code,
        reason=received.reason,
        message=received.message_id,
        alerts=list(received.alert_ids),
        answer=_as_text(received.answer) if received.answer else None,
    )
    if received.verdict is Verdict.ACCEPTED:
        return body, 202
    body.mimetype = "application/problem+json"
    return body, 422


def _as_text(answer: bytes) -> str:
    """It is written in the character set of the message, which it names itself."""
    try:
        return answer.decode(parse(answer).encoding.charset)
    except Refused:
        return answer.decode("utf-8", "replace")
