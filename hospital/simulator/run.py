"""Plays the demo hospital in time: python -m hospital.simulator.run --host 127.0.0.1 --port 2575."""

import argparse
import logging
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from types import FrameType

from hospital import clock
from hospital.simulator.pcd04 import alarm_message
from hospital.simulator.sending import Sender
from hospital.simulator.ward import AlarmEvent, Phase, events

LOOK_UP_S = 0.25  # how often a wait looks whether it should stop
LATE_AT_MOST = timedelta(seconds=10)


@dataclass
class Account:
    """What a run did."""

    seed: int
    alarms: int = 0
    messages: int = 0
    repeats: int = 0
    answers: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        words = " ".join(f"{code} {self.answers.get(code, 0)}" for code in ("AA", "CA", "AE", "AR"))
        return (
            f"simulator: seed {self.seed}, {self.alarms} alarms in {self.messages} messages; "
            f"answers {words}; {self.repeats} repeats"
        )


def run(host: str, port: int, seed: int, speed: float, stop: Callable[[], bool] | None = None) -> Account:
    """Send alarms until `stop()` is true; None: for ever. Looks at `stop` several times a second.

    `speed` 2 plays two seconds in one. An alarm open at the stop is left open, as by a monitor whose plug is pulled.
    """
    stop = stop or (lambda: False)
    run_id = f"{seed}-{clock.now():%Y%m%d%H%M%S%f}"
    account, sender = Account(seed), Sender(host, port, stop=stop)

    def tell(event: AlarmEvent) -> None:
        account.messages += 1
        account.alarms += event.phase is Phase.START
        control_id, alert_id = f"{run_id}-{account.messages}", f"{seed}-A{event.alarm}"
        sender.send(alarm_message(event, at=clock.now(), control_id=control_id, alert_id=alert_id))

    try:
        play(events(seed), tell, speed=speed, stop=stop)
    finally:
        sender.close()
    account.repeats, account.answers = sender.repeats, dict(sender.answers)
    return account


def play(
    ward: Iterable[AlarmEvent],
    tell: Callable[[AlarmEvent], None],
    *,
    speed: float,
    stop: Callable[[], bool],
    sleep: Callable[[float], None] | None = None,
) -> None:
    """Call `tell` when each event is due.

    When telling took long (the server was away, the laptop slept), the ward's time waits too: what was missed comes
    at its usual pace, not as a flood.
    """
    sleep = sleep or time.sleep
    started = clock.now()
    for event in ward:
        due = started + timedelta(seconds=event.after_s / speed)
        while not stop() and (left := due - clock.now()) > timedelta(0):
            sleep(min(left.total_seconds(), LOOK_UP_S))
        if stop():
            return
        if (late := clock.now() - due) > LATE_AT_MOST:
            started += late
        tell(event)


def main() -> None:
    asked = _arguments().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    stopped: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    print(run(asked.host, asked.port, asked.seed, asked.speed, stop=lambda: bool(stopped)))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hospital.simulator.run", description="An invented hospital.")
    parser.add_argument("--host", default="127.0.0.1", help="where the MLLP intake listens")
    parser.add_argument("--port", type=int, default=2575)
    parser.add_argument("--seed", type=int, default=1, help="the same seed: the same patients and alarms")
    parser.add_argument("--speed", type=_speed, default=1.0, help="2 plays two seconds in one")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError("speed must be more than 0")
    return speed


if __name__ == "__main__":
    main()
