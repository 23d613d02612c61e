"""Intake over HTTP, for senders with a token: POST /api/v1/hl7."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable, Unauthorized, UnsupportedMediaType

from hospital import settings
from hospital.access.guard import for_senders
from hospital.intake import senders
from hospital.intake.hl7 import Refused, parse
from hospital.intake.receiving import Received, receive
from hospital.intake.senders import KnownSender
from hospital.records import NotStored, Verdict

blueprint = Blueprint("intake", __name__)

HL7_TYPE = "x-application/hl7-v2+er7"


@blueprint.post("/api/v1/hl7")
@for_senders
def take_hl7() -> tuple[Response, int]:
    """One message as its body. 202: committed. 422: refused, with the HL7 answer that says where and why."""
    sender = _sender()
    if request.mimetype != HL7_TYPE:
        raise UnsupportedMediaType(f"Send one HL7 v2 message as {HL7_TYPE}.")
    if (request.content_length or 0) > settings.current.mllp_max_bytes:
        raise RequestEntityTooLarge(f"A message has {settings.current.mllp_max_bytes} bytes at most.")
    try:
        received = receive(request.get_data(), sender)
    except NotStored:
        raise ServiceUnavailable("The message could not be stored now. Send it again.", retry_after=1) from None
    return _told(received)


def _sender() -> KnownSender:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sender = senders.by_token(token) if scheme.lower() == "bearer" and token else None
    if sender is None:
        raise Unauthorized("A sender's token is missing or not known: Authorization: Bearer …")
    return sender


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
