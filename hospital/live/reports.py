"""POST /live/reports: how screens fare, from the browsers themselves. Numbers only: no content, and nobody's name."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, TooManyRequests

from hospital import meters, settings
from hospital.access.guard import for_people, me
from hospital.access.pace import PerMinute, next_minute_s
from hospital.access.traces import by_itself

blueprint = Blueprint("reports", __name__)

PAINT_BUCKETS_MS = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0)
_MOST_BYTES = 4_096

_Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
_Ms = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]


class Errors(msgspec.Struct, forbid_unknown_fields=True):
    """How often what went wrong since the last report."""

    stream: _Count = 0
    swap: _Count = 0
    script: _Count = 0
    worker: _Count = 0
    act: _Count = 0


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """`paint_ms`: a sample of the times from commit to screen."""

    errors: Errors
    paint_ms: Annotated[list[_Ms], msgspec.Meta(max_length=100)]


_pace = PerMinute()


@blueprint.post("/live/reports")
@for_people()
@by_itself
def take() -> Response:
    """204: counted."""
    if not _pace.takes(me().actor.person_id, settings.current.reports_per_minute):
        raise TooManyRequests("Too many reports from you. Send fewer.", retry_after=next_minute_s())
    request.max_content_length = _MOST_BYTES  # also of what comes in pieces, without a length
    try:
        report = msgspec.json.decode(request.get_data(), type=Report)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadRequest('A report is JSON: {"errors": {kind: number}, "paint_ms": [number]}.') from None
    for kind, times in msgspec.structs.asdict(report.errors).items():
        if times:
            meters.count("browser_errors_total", times, kind=kind)
    for took in report.paint_ms:
        meters.observe("browser_paint_ms", took, PAINT_BUCKETS_MS)
    return Response(status=204)
