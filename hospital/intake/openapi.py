"""GET /api/v1/openapi.json: what programs may send and what they are answered, for other programs to read.

The schema of an alarm is made from what decodes it; the rest stands here, and tests hold it to what is answered.
"""

from typing import Any

import msgspec
from flask import Blueprint, Response, jsonify

from hospital.access.guard import open_to_all
from hospital.intake.reports import JsonAlarm
from hospital.vocabulary import Priority, State

blueprint = Blueprint("openapi", __name__)

Json = dict[str, Any]

_PROBLEMS = {
    "400": "That could not be read.",
    "401": "Sign in, or send the token of a sender.",
    "403": "Not for you, or the act did not come from a page of this server.",
    "404": "There is no such thing, or none that you may know of.",
    "409": "Someone was first, or what you have seen has changed.",
    "413": "Too large.",
    "415": "Another kind of content is needed.",
    "422": "That could not be taken: `detail` says why.",
    "429": "Too many in a minute: come back after Retry-After seconds.",
    "503": "This could not be stored now: send it again after Retry-After seconds.",
}
_ACTS = {
    "acknowledgement": "Take an alert.",
    "resolution": "Say that an alert needs nobody any more.",
    "escalation": "Let an alert climb to the next step at once.",
    "notes": "Write something down about an alert.",
}


@blueprint.get("/api/v1/openapi.json")
@open_to_all
def document() -> Response:
    return jsonify(_DOCUMENT)


def _whole_document() -> Json:
    _, schemas = msgspec.json.schema_components([JsonAlarm], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hospital alerts", "version": "1", "description": "Accepted means committed (202)."},
        "paths": _intake_paths() | {f"/alerts/{{id}}/{name}": _act(name, does) for name, does in _ACTS.items()},
        "components": {
            "securitySchemes": {
                "sender": {"type": "http", "scheme": "bearer"},
                "person": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
            "schemas": _readable(schemas) | _SCHEMAS,
        },
    }


def _intake_paths() -> Json:
    fhir = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
    return {
        "/api/v1/alerts": _intake("One alarm.", {"application/json": _of("JsonAlarm")}, "application/json", "Raised"),
        "/api/v1/hl7": _intake(
            "One HL7 v2 message, ORU^R40 or ORU^R01, without the frame of MLLP.",
            {"x-application/hl7-v2+er7": {"schema": {"type": "string"}}},
            "application/json",
            "Hl7Answer",
            refused="Hl7Answer",
        ),
        "/api/v1/fhir": _intake(
            "A Patient, Encounter or Observation (R4), or a Bundle of them: batch or transaction.",
            {kind: {"schema": fhir} for kind in ("application/fhir+json", "application/json")},
            "application/fhir+json",
            "FhirAnswer",
            refused="FhirAnswer",
        ),
    }


def _intake(does: str, takes: Json, kind: str, accepted: str, refused: str = "Problem") -> Json:
    problems = _problems("401", "403", "413", "415", "429", "503")
    kind_of_refusal = kind if refused == "FhirAnswer" else "application/problem+json"
    own = {status: _answer(_PROBLEMS[status], kind_of_refusal, refused) for status in ("400", "422")}
    return {
        "post": {
            "summary": does,
            "security": [{"sender": []}],
            "requestBody": {"required": True, "content": takes},
            "responses": {"202": _answer("Committed.", kind, accepted)} | own | problems,
        }
    }


def _act(name: str, does: str) -> Json:
    seen = {"seen_state": _one_of(State, none=True), "seen_priority": _one_of(Priority, none=True)}
    fields = {"text": {"type": "string", "maxLength": 2_000}} if name == "notes" else seen
    fields |= {"idempotency_key": {"type": "string"}}
    form = {"schema": {"type": "object", "properties": fields, "required": ["text"] if name == "notes" else []}}
    number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    return {
        "post": {
            "summary": does,
            "description": "Ask with `Accept: application/json`, and with X-CSRF-Token from the page's meta element.",
            "security": [{"person": []}],
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": number},
                {"name": "X-CSRF-Token", "in": "header", "required": True, "schema": {"type": "string"}},
            ],
            "requestBody": {"content": {"application/x-www-form-urlencoded": form}},
            "responses": {"200": _answer("Done, or done before with the same key.", "application/json", "Done")}
            | _problems("400", "401", "403", "404", "409", "413", "422", "429", "503", schema="NotDone"),
        }
    }


def _problems(*statuses: str, schema: str = "Problem") -> Json:
    return {status: _answer(_PROBLEMS[status], "application/problem+json", schema) for status in statuses}


def _answer(description: str, kind: str, schema: str) -> Json:
    return {"description": description, "content": {kind: _of(schema)}}


def _of(schema: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}}


def _one_of(words: type[State] | type[Priority], *, none: bool = False) -> Json:
    """`none`: an empty field says as much as a missing one."""
    return {"type": "string", "enum": [*(word.value for word in words), *([""] if none else [])]}


def _readable(schema: Any) -> Any:
    """Python's beginning and end of a text, as JavaScript writes them."""
    if isinstance(schema, dict):
        return {key: _readable(value) for key, value in schema.items()}
    if isinstance(schema, str):
        return schema.replace(r"\A", "^").replace(r"\Z", "$")
    return schema


def _object(required: str, **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": required.split()}


_TEXT, _NUMBER, _NUMBERS = {"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"type": "integer"}}
_MAYBE_TEXT, _MAYBE_NUMBER = {"type": ["string", "null"]}, {"type": ["integer", "null"]}
_SCHEMAS: Json = {
    "Raised": _object("alerts", alerts=_NUMBERS),
    "Hl7Answer": _object(
        "code reason", code=_MAYBE_TEXT, reason=_TEXT, message=_MAYBE_NUMBER, alerts=_NUMBERS, answer=_MAYBE_TEXT
    ),
    "FhirAnswer": _object("resourceType", resourceType={"enum": ["OperationOutcome", "Bundle"]}, id=_TEXT),
    "Problem": _object("status title", status=_NUMBER, title=_TEXT, detail=_MAYBE_TEXT),
    "Done": _object("id state version cursor", id=_NUMBER, state=_one_of(State), version=_NUMBER, cursor=_TEXT),
    "NotDone": {
        "anyOf": [
            {"$ref": "#/components/schemas/Problem"},
            _object("id reason sentence", id=_NUMBER, reason=_TEXT, sentence=_TEXT),
        ]
    },
}
_DOCUMENT = _whole_document()
