"""Bad bytes at every door: nothing breaks, nobody waits, nothing grows, and alarms get through all the while.

FUZZ_SEED=… FUZZ_FIRST=… are told with each input that did harm: with both, `make test ARGS="-k fuzz"` begins with it.
"""

import ctypes
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice

import psutil
import pytest

from tests.fuzz import asking, drilling, frames, messages
from tests.fuzz.asking import Passes
from tests.fuzz.besieging import WATCHED, Input, Siege, kept, made
from tests.fuzz.chance import Chance
from tests.fuzz.doors import Door, no_acknowledgement, no_frames, no_http
from tests.support.server import ROOT, Server
from tests.support.sse import sign_in, until
from tests.support.web import Web

SEED = int(os.environ.get("FUZZ_SEED", "1"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
SOAK_INPUTS = int(os.environ.get("SOAK_FUZZ_INPUTS", "1000000"))
MEGABYTES = 25  # more than at first, at a real server: the largest messages leave holes
MEGABYTES_HELD = 8
POOLS = 15  # what threads and connections to the database may come later than the first inputs: there are pools of them
NO_LIMITS = {
    f"HOSPITAL_{name}": "1000000000"
    for name in (
        "MLLP_PER_MINUTE",
        "STREAMS_PER_PERSON",
        "STREAMS_PER_S",
        "ACTS_PER_MINUTE",
        "INTAKE_PER_MINUTE",
        "REPORTS_PER_MINUTE",
    )
}
SETTINGS = NO_LIMITS | {"HOSPITAL_REPEAT_WINDOW_H": "0", "HOSPITAL_SESSION_ROTATE_S": "86400"}

Make = Callable[[Chance], list[bytes]]
NewServer = Callable[..., Server]


def besiege(new_server: NewServer, which: str, numbers: range) -> None:
    """A server of its own for so many inputs, and all that must be true of it."""
    server = new_server(command=WATCHED, **SETTINGS)
    cookie = sign_in(server.port, "nurse").cookie
    door, make = door_of(server, which, cookie)
    siege = Siege(server, door, cookie)
    siege.prove_that_alarms_get_through()
    warm = min(len(numbers) // 5, 1_000)
    found = siege.feed(chain(kept(door.name), made(door.name, SEED, numbers[:warm], make)))
    before = siege.size()
    found += siege.feed(made(door.name, SEED, numbers[warm:], make))
    siege.prove_that_alarms_get_through()
    after = siege.size()
    print(f"\n{which}, seed {SEED}, {len(numbers)} inputs from {numbers[0]}: {siege.longest}; {before} → {after}")
    assert found == []
    assert after.megabytes - before.megabytes <= MEGABYTES
    until(lambda: siege.size().descriptors <= before.descriptors + POOLS)
    until(lambda: siege.size().greenlets <= before.greenlets + POOLS)
    server.stop()


def door_of(server: Server, which: str, cookie: str) -> tuple[Door, Make]:
    if which == "mllp":
        return Door(which, server.mllp_port, no_acknowledgement), lambda chance: chance.pieces(messages.knock(chance))
    if which == "socket":
        greeting = frames.handshake(cookie)
        return Door(which, server.port, no_frames, greeting, frames.TAIL), lambda chance: frames.knock(chance, cookie)
    passes = passes_for(server)
    return Door(which, server.port, no_http), lambda chance: chance.pieces(asking.knock(chance, passes))


def passes_for(server: Server) -> Passes:
    """Of a nurse who sees no alert that the messages raise: how long her pages are must not be what makes them slow."""
    command = [sys.executable, "-m", "flask", "--app", "app", "tokens", "create", "--hospital", "demo", "--sender", "F"]
    told = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, check=True)
    nurse = Web(server, "nurse-icu")
    return Passes(nurse.cookie, nurse.csrf_token, told.stdout.split()[-1])


def drilled(which: str, numbers: range) -> None:
    make, read = DRILLS[which]
    gc.collect()
    gc.freeze()  # what other tests have left is no input's fault
    inputs: Iterator[Input] = chain(kept(which), made(which, SEED, numbers, make))
    first = drilling.drill(which, islice(inputs, len(numbers) // 4), read)  # what is imported and cached once
    before = held()
    found = first + drilling.drill(which, inputs, read)
    after = held()
    gc.unfreeze()
    print(f"\n{which}, seed {SEED}, {len(numbers)} inputs from {numbers[0]}: {before} → {after} (bytes, descriptors)")
    assert found == []
    assert after[0] - before[0] <= MEGABYTES_HELD * 1e6 and after[1] <= before[1] + 2


def held() -> tuple[int, int]:
    """The bytes and descriptors of this process, without what it may take again or give back at any time."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss, psutil.Process().num_fds()


DRILLS: dict[str, tuple[Make, drilling.Read]] = {
    "mllp-drill": (lambda chance: chance.pieces(messages.knock(chance)), drilling.messages),
    "http-drill": (lambda chance: [asking.body(chance)], drilling.bodies),
    "socket-drill": (lambda chance: chance.pieces(frames.conversation(chance)), drilling.Frames()),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", ["mllp", "socket", "http"])
def test_bad_bytes_at_a_real_server_break_nothing_and_hold_up_nobody(new_server: NewServer, which: str) -> None:
    besiege(new_server, which, range(FIRST, FIRST + 2_000))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", DRILLS)
def test_bad_bytes_are_read_or_refused_in_no_time(which: str) -> None:
    drilled(which, range(FIRST, FIRST + 8_000))


@pytest.mark.soak
@pytest.mark.timeout(SOAK_INPUTS)
@pytest.mark.parametrize("which", ["mllp", "socket", "http"])
def test_a_million_times_bad_bytes_break_nothing(new_server: NewServer, which: str) -> None:
    """The first of them at a real server; what a hospital keeps grows rightly there, and slows its pages down."""
    besiege(new_server, which, range(FIRST, FIRST + SOAK_INPUTS // 50))
    drilled(f"{which}-drill", range(FIRST + SOAK_INPUTS // 50, FIRST + SOAK_INPUTS))
