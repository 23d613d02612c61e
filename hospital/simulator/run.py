"""Plays the demo hospital in time: python -m hospital.simulator.run --host 127.0.0.1 --port 2575."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType

from hospital import clock
from hospital.simulator import scenario as scenarios
from hospital.simulator.codes import Metric
from hospital.simulator.monitor import Phase
from hospital.simulator.patients import DEMO_BEDS
from hospital.simulator.pcd01 import readings_message
from hospital.simulator.pcd04 import alarm_message
from hospital.simulator.scenario import BadScenario, Scenario
from hospital.simulator.sending import Sender
from hospital.simulator.sensors import Readings
from hospital.simulator.ward import LOOK_EVERY_S, AlarmEvent, Look, looks

LOOK_UP_S = 0.25  # how often a wait looks whether it should stop
LATE_AT_MOST = timedelta(seconds=10)
LEFT_OUT_AFTER = timedelta(seconds=1)


@dataclass
class Account:
    """What a run did. `messages`: of both kinds."""

    seed: int
    alarms: int = 0
    messages: int = 0
    sets: int = 0
    repeats: int = 0
    answers: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        words = " ".join(f"{code} {self.answers.get(code, 0)}" for code in ("AA", "CA", "AE", "AR"))
        return (
            f"simulator: seed {self.seed}, {self.sets} sets of readings and {self.alarms} alarms "
            f"in {self.messages} messages; answers {words}; {self.repeats} repeats"
        )


def run(
    host: str,
    port: int,
    seed: int,
    speed: float,
    stop: Callable[[], bool] | None = None,
    *,
    beds: int = len(DEMO_BEDS),
    period_s: float = 1.0,
    scenario: Scenario | None = None,
) -> Account:
    """Send readings and alarms until `stop()` is true; None: for ever. Looks at `stop` several times a second.

    `speed` 2 plays two seconds in one; `period_s` is between the sets of a bed, in the ward's time. An alarm open at
    the stop is left open, as by a monitor whose plug is pulled. `scenario` None: the shipped one. Raises BadScenario.
    """
    stop = stop or (lambda: False)
    ward = looks(seed, scenario or scenarios.load(scenarios.DEFAULT), beds, min(LOOK_EVERY_S, period_s))
    sender = Sender(host, port, stop=stop)
    gateway = Gateway(sender.send, seed, speed=speed, period_s=period_s)
    try:
        play(ward, gateway.tell, speed=speed, stop=stop)
    finally:
        sender.close()
    gateway.account.repeats, gateway.account.answers = sender.repeats, dict(sender.answers)
    return gateway.account


class Gateway:
    """Tells what the monitors see. Before an alarm it tells the readings that it follows from, due or not."""

    def __init__(self, send: Callable[[bytes], object], seed: int, *, speed: float, period_s: float) -> None:
        self.account = Account(seed)
        self._send, self._speed, self._period_s = send, speed, period_s
        self._run_id = f"{seed}-{clock.now():%Y%m%d%H%M%S%f}"
        self._next_set_s: dict[str, float] = {}
        self._told_at_s: dict[tuple[str, Metric], float] = {}

    def tell(self, look: Look, at: datetime) -> None:
        """`at`: when it was seen. A set that comes late is left out, as by a monitor that has a newer one already."""
        is_due = look.at_s >= self._next_set_s.get(look.bed.name, 0.0) and clock.now() - at <= LEFT_OUT_AFTER
        if look.alarms or is_due:
            self._tell_readings(look, at)
        for event in look.alarms:
            self._tell_alarm(event, at)

    def _tell_readings(self, look: Look, at: datetime) -> None:
        """What was taken before and told before is not told again."""
        bed, fresh = look.bed.name, self._fresh(look)
        self._next_set_s[bed] = look.at_s + self._period_s - LOOK_EVERY_S / 100
        self._told_at_s |= {(bed, metric): reading.at_s for metric, reading in fresh.items()}
        if fresh:
            self.account.sets += 1
            self._send(
                readings_message(look.bed, fresh, at=at, control_id=self._next_id(), when=self._when(look.at_s, at))
            )

    def _fresh(self, look: Look) -> Readings:
        told, bed = self._told_at_s, look.bed.name
        return {
            metric: reading
            for metric, reading in look.readings.items()
            if (bed, metric) not in told or reading.at_s > told[bed, metric]
        }

    def _when(self, now_s: float, at: datetime) -> Callable[[float], datetime]:
        return lambda at_s: at - timedelta(seconds=(now_s - at_s) / self._speed)

    def _tell_alarm(self, event: AlarmEvent, at: datetime) -> None:
        self.account.alarms += event.alarm.phase is Phase.START
        alert_id = f"{self.account.seed}-A{event.number}"
        self._send(alarm_message(event, at=at, control_id=self._next_id(), alert_id=alert_id))

    def _next_id(self) -> str:
        self.account.messages += 1
        return f"{self._run_id}-{self.account.messages}"


def play(
    ward: Iterable[Look],
    tell: Callable[[Look, datetime], None],
    *,
    speed: float,
    stop: Callable[[], bool],
    sleep: Callable[[float], None] | None = None,
) -> None:
    """Call `tell` when each look is due, with the time when it was.

    When telling took long (the server was away, the laptop slept), the ward's time waits too: what was missed comes
    at its usual pace, not as a flood.
    """
    sleep = sleep or time.sleep
    started = clock.now()
    for look in ward:
        due = started + timedelta(seconds=look.at_s / speed)
        while not stop() and (left := due - clock.now()) > timedelta(0):
            sleep(min(left.total_seconds(), LOOK_UP_S))
        if stop():
            return
        if (late := clock.now() - due) > LATE_AT_MOST:
            started, due = started + late, due + late
        tell(look, due)


def main() -> None:
    asked = _arguments().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        scenario = scenarios.load(asked.scenario)
    except BadScenario as error:
        sys.exit(str(error))
    stop, ward = stop_on_signals(), {"beds": asked.beds, "period_s": asked.period, "scenario": scenario}
    print(run(asked.host, asked.port, asked.seed, asked.speed, stop, **ward))


def stop_on_signals() -> Callable[[], bool]:
    """True once SIGINT or SIGTERM has come."""
    stopped: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return lambda: bool(stopped)


def above_zero(text: str) -> float:
    """For argparse: a number that is more than 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hospital.simulator.run", description="An invented hospital.")
    parser.add_argument("--host", default="127.0.0.1", help="where the MLLP intake listens")
    parser.add_argument("--port", type=int, default=2575)
    parser.add_argument("--seed", type=int, default=1, help="the same seed: the same patients, readings and alarms")
    parser.add_argument("--speed", type=above_zero, default=1.0, help="2 plays two seconds in one")
    parser.add_argument("--beds", type=_count, default=len(DEMO_BEDS), metavar="N", help="three fifths of them MED")
    parser.add_argument(
        "--period", type=above_zero, default=1.0, metavar="S", help="between a bed's sets; of the ward's time"
    )
    parser.add_argument(
        "--scenario", default=scenarios.DEFAULT, metavar="FILE", help="or the name of a shipped one: ward, calm, …"
    )
    return parser


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


if __name__ == "__main__":
    main()
