"""What comes to the web server's port and is no HTTP: answered with 400 and counted. Nothing of it reaches the log."""

from traceback import walk_tb
from types import TracebackType

from hospital import meters

_ANSWER = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class KeepsQuiet:
    """Mixed into gevent's WSGI handler, which would write the request's own words into the log, or a traceback."""

    def _handle_client_error(self, _error: Exception) -> tuple[str, bytes]:
        meters.count("requests_unreadable_total")
        return "400", _ANSWER

    def handle_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType) -> None:
        """What the application left of a body is read after its answer, and may be nonsense: no failure of ours."""
        if kind is ValueError and any(frame.f_code.co_name == "_discard" for frame, _ in walk_tb(trace)):
            meters.count("requests_unreadable_total")
            self.close_connection = True
            return
        super().handle_error(kind, error, trace)  # type: ignore[misc]
