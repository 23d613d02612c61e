"""The door of the WebSocket: /live/socket, with the query, the guard, the rights and the frames of /live/stream.

flask-sock is the door alone: it finds the server's socket and shakes hands. It would then keep two greenlets a socket,
of which one answers pings in the middle of what the other is writing, and either may write a part of a frame only
(simple-websocket sends once and does not look how much was taken: under gevent a slow reader's stream is corrupt). So
its reader never starts, and the socket goes to the outlet like that of an event stream: the same rule for the slow, no
greenlet, the same bytes for all. Compression is not negotiated: a few bytes from a client would become megabytes here.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, g, request
from flask.blueprints import BlueprintSetupState
from flask_sock import Sock
from simple_websocket import ConnectionError as NoHandshake
from werkzeug.exceptions import BadRequest, Forbidden, MethodNotAllowed
from werkzeug.exceptions import NotImplemented as NoSocketHere
from wsproto.utilities import RemoteProtocolError

from hospital import meters, settings
from hospital.access import traces
from hospital.access.guard import for_people, is_ours
from hospital.live.hub import RESTART
from hospital.live.opening import cursor_asked, open_watch, relay
from hospital.live.websocket import WebSocketLine
from hospital.roles import Right

blueprint = Blueprint("socket", __name__)
_sock = Sock()


class _NoReader:
    """In place of the thread that flask-sock's library would start for each socket."""

    name = ""

    def __init__(self, target: Callable[[], None]) -> None:
        pass

    def start(self) -> None:
        pass


@blueprint.record_once
def _start_no_reader(state: BlueprintSetupState) -> None:
    state.app.config["SOCK_SERVER_OPTIONS"] = {"thread_class": _NoReader}


@blueprint.before_request
def _refuse_before_the_upgrade() -> None:
    """Everything that can be refused, while an ordinary answer is still possible; the guard has been asked before."""
    if request.method != "GET":
        raise MethodNotAllowed(valid_methods=["GET"])
    if not _is_from_our_page(request.headers.get("Origin")):
        raise Forbidden("This page may not open a WebSocket here. Open it from a page of this server.")
    if not _has_plain_socket(request.environ):
        raise NoSocketHere("This server has no WebSocket to give. Use /live/stream.")
    g.watch = open_watch()
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)


@_sock.route("/live/socket", bp=blueprint)  # type: ignore[untyped-decorator]
@for_people(Right.SEE_ALERTS)
def socket(ws: Any) -> None:
    """`ws` has shaken hands; from here on flask-sock must neither read, nor say goodbye, nor let the server go on."""
    request.environ["hospital.upgraded"] = True
    ws.connected = False
    traces.opens()
    meters.count("streams_opened_total", transport="websocket")
    line = relay().outlet.adopt(ws.sock, g.watch, WebSocketLine)
    ws.sock.close()
    try:
        relay().join(line, cursor_asked())
    except BaseException:
        line.close(code=RESTART)
        raise


@blueprint.errorhandler(RemoteProtocolError)
@blueprint.errorhandler(NoHandshake)
def _no_handshake(_error: Exception) -> Any:
    return current_app.handle_http_exception(BadRequest("This is no handshake of a WebSocket (RFC 6455, version 13)."))


def _is_from_our_page(origin: str | None) -> bool:
    """Browsers always say where a page is from and let any page open a WebSocket; programs say nothing."""
    return origin is None or is_ours(origin) or origin in settings.current.socket_origins.split()


def _has_plain_socket(environ: dict[str, Any]) -> bool:
    """Our own handler's, or that of gunicorn's gevent worker. Never TLS: we write below it."""
    theirs = environ.get("gunicorn.socket")
    return bool(environ.get("hospital.hands_over")) or (theirs is not None and not hasattr(theirs, "_sslobj"))
