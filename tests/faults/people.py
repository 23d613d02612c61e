"""A person who presses buttons through a network that fails, as static/js/acts.js does for them."""

import http.client
import json
import random
import secrets
import time
from urllib.parse import urlencode

from tests.faults.history import Answered, History, Sent
from tests.support.screen import Seat

_ANSWER_WITHIN_S = 5.0
_AGAIN_AFTER_S = 1.0


class Presser:
    """`port`: the door that acts go through, a proxy's perhaps; `token`: what their page carries."""

    def __init__(self, seat: Seat, token: str, port: int, history: History, expires_after_s: float = 30.0) -> None:
        self.seat, self.port, self.history, self.expires_after_s = seat, port, history, expires_after_s
        self._token = token

    def press(self, alert: int, act: str = "acknowledgement", key: str = "", **fields: str) -> int:
        """Send it until it is answered, always with the same key; the status. 0: it expired, and says so."""
        key, pressed_at = key or secrets.token_hex(16), time.monotonic()
        while time.monotonic() - pressed_at < self.expires_after_s:
            now = {"at": time.monotonic(), "person": self.seat.name, "act": act, "alert": alert, "key": key}
            self.history.note(Sent(pressed_at=pressed_at, **now))  # type: ignore[arg-type]
            status, version = self._send(alert, act, key, fields)
            if 0 < status < 500 and status != 429:
                told = {"person": self.seat.name, "act": act, "alert": alert, "key": key}
                self.history.note(Answered(status=status, version=version, **told))  # type: ignore[arg-type]
                return status
            time.sleep(random.uniform(0.05, _AGAIN_AFTER_S))
        return 0

    def sign_out(self) -> None:
        status, _ = self._post("/sign-out", "", {})
        assert status == 303, status

    def _send(self, alert: int, act: str, key: str, fields: dict[str, str]) -> tuple[int, int]:
        return self._post(f"/alerts/{alert}/{act}", key, fields)

    def _post(self, path: str, key: str, fields: dict[str, str]) -> tuple[int, int]:
        """Status and version; 0, 0: no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_WITHIN_S)
        headers = {
            "Cookie": f"session={self.seat.cookie}",
            "X-CSRF-Token": self._token,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", path, urlencode(fields), headers)
            answer = connection.getresponse()
            body = answer.read()
            told = json.loads(body) if answer.status == 200 else {}
            return answer.status, int(told.get("version", 0))
        except (OSError, http.client.HTTPException, ValueError):
            return 0, 0
        finally:
            connection.close()
