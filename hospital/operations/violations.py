"""POST /csp-reports: browsers tell that a page broke the policy of pages/headers.py. By its directive alone it is
counted; the address, the script and all else that a report says may name a patient, and is dropped unread.
"""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from hospital import meters, settings
from hospital.access import limits
from hospital.access.guard import open_to_all
from hospital.access.traces import by_itself

blueprint = Blueprint("violations", __name__)

_MOST_BYTES = 16_384
_DIRECTIVES = frozenset(
    f"{what}-src" for what in ("default", "script", "style", "img", "font", "connect", "manifest", "worker")
) | {"form-action", "base-uri", "frame-ancestors"}

_Word = Annotated[str, msgspec.Meta(max_length=100)]


class _Broken(msgspec.Struct):
    directive: _Word = msgspec.field(default="", name="effective-directive")
    words: str = msgspec.field(default="", name="violated-directive")  # all that older browsers tell


class Report(msgspec.Struct):
    """As browsers send it to a `report-uri` (application/csp-report); what is not named here is not read."""

    broken: _Broken = msgspec.field(name="csp-report")


@blueprint.post("/csp-reports")
@by_itself
@open_to_all
def take() -> Response:
    """204: counted."""
    limits.count("violations", 0, settings.current.csp_reports_per_minute)  # of everybody: a page may be anybody's
    request.max_content_length = _MOST_BYTES
    try:
        broken = msgspec.json.decode(request.get_data(), type=Report).broken
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest('A report is JSON: {"csp-report": {"effective-directive": "script-src"}}.') from None
    meters.count("csp_violations_total", directive=_known(broken.directive or broken.words))
    return Response(status=204)


def _known(told: str) -> str:
    """One of our own directives: 'script-src-elem' is 'script-src'. Never a word of the report itself."""
    return next((ours for ours in sorted(_DIRECTIVES) if told.startswith(ours)), "other")
