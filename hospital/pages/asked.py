"""Which time somebody asks the numbers of: `hours` up to now, or `from` one moment `to` another."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import request
from werkzeug.exceptions import BadRequest

from hospital import clock
from hospital.fragments.ranges import HOURS, LONGEST, Range
from hospital.fragments.words import gettext

_YEARS = range(2000, 3000)  # before and after there is nothing to count


class NotARange(Exception):
    """What was asked for is no time to count in; its text is a sentence for who asked."""


def asked(zone: ZoneInfo) -> Range:
    """From the request's address, on the hospital's clocks ('2026-03-04T08:00'). Raises NotARange, BadRequest."""
    if "from" in request.args or "to" in request.args:
        return _own(_moment(request.args.get("from", ""), zone), _moment(request.args.get("to", ""), zone))
    hours = request.args.get("hours", "24")
    if hours not in map(str, HOURS):
        raise BadRequest(f"hours must be one of: {', '.join(map(str, HOURS))}.")
    return Range.up_to_now(int(hours))


def _own(since: datetime, until: datetime) -> Range:
    if not since < until:
        raise NotARange(gettext("It must begin in the past and before it ends."))
    if until - since > LONGEST:
        raise NotARange(gettext("It may be %(days)s days long at most.", days=LONGEST.days))
    return Range(since, until)


def _moment(written: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = datetime.min
    if moment.year not in _YEARS:
        raise NotARange(gettext("Say from when to when: a day and a time each."))
    return min(moment.replace(tzinfo=zone).astimezone(UTC), clock.now())
