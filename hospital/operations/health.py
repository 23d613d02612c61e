"""Is it alive, is it ready? Nothing here tells anything of a patient."""

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from hospital import records
from hospital.access.guard import open_to_all
from hospital.records import Hospital

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
@open_to_all
def live() -> Response:
    """The process answers."""
    return jsonify(status="live")


@blueprint.get("/ready")
@open_to_all
def ready() -> tuple[Response, int]:
    """It can do its work: the database answers, and nobody has asked it to go."""
    if current_app.extensions["leaving"].has_begun:
        return jsonify(status="not ready", reason="This process is being stopped."), 503
    try:
        with records.read() as session:
            session.execute(select(Hospital.id).limit(1))
    except DBAPIError:
        return jsonify(status="not ready", reason="The database does not answer."), 503
    return jsonify(status="ready"), 200
