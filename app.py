"""Wiring: the only place that knows every room. `python app.py` serves the embedded default."""

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import gc
import hashlib
import logging
import os
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gevent
import gevent.event
from flask import Flask
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from hospital import background, records, settings
from hospital.access import guard, limits, sessions, traces
from hospital.access.channel import BehindProxies
from hospital.fragments import Fragments, language
from hospital.intake import http, mllp, openapi, replaying
from hospital.live import pulse, reports, socket, stream
from hospital.live.admission import Admission
from hospital.live.outlet import HandsOver
from hospital.live.relay import Relay
from hospital.operations import (
    auditing,
    commands,
    demo,
    health,
    hospitals,
    keys,
    leaving,
    migrating,
    violations,
)
from hospital.operations import metrics as prometheus
from hospital.operations import senders as sender_commands
from hospital.operations.leaving import HangsUp
from hospital.operations.unreadable import KeepsQuiet
from hospital.pages import (
    account,
    acknowledgements,
    administration,
    alerts,
    audit,
    bed_codes,
    board,
    board_settings,
    boards,
    compressing,
    emergency,
    engineering,
    escalations,
    files,
    headers,
    metrics,
    metrics_export,
    notes,
    notices,
    observations,
    pairing,
    password,
    patients,
    people,
    preferences,
    problems,
    renewal,
    resolutions,
    reviews,
    search,
    second_factor,
    senders,
    sign_in,
    sign_ins,
    streams,
    units,
)
from hospital.records import anchoring, ring, sealed
from hospital.records.key_register import WrongRing, prepare_keys
from hospital.settings import Settings

_HERE = Path(__file__).parent
_ROOMS = (
    *(sign_in, alerts, acknowledgements, resolutions, escalations, notes),
    *(account, preferences, password, second_factor, renewal, administration, people, sign_ins, units, bed_codes),
    *(search, emergency, reviews, engineering, senders),
    *(
        patients,
        observations,
        metrics,
        metrics_export,
        board,
        audit,
        streams,
        boards,
        board_settings,
        notices,
        pairing,
        stream,
        socket,
        pulse,
        reports,
        http,
        openapi,
        health,
        prometheus,
        violations,
        files,
    ),
)
_REQUESTS_AT_ONCE = 2_000
_FINISH_S = 10.0  # what is in work when the process goes gets this long


class Manners(HandsOver, HangsUp, KeepsQuiet):
    """Mixed into a WSGI handler of gevent's: it gives the sockets of streams away, lets go of idle connections, and
    logs nothing of what a request said."""


class Handler(Manners, WSGIHandler):
    """For the embedded default."""


def create_app(given: Settings | None = None) -> Flask:
    """The application on a migrated database. Raises BadSetting."""
    chosen = given or Settings.from_environment()
    settings.use(chosen)
    key_file = _key_file(chosen)
    _open(chosen, key_file)
    app = Flask(__name__, static_folder=None)
    app.wsgi_app = Admission(BehindProxies(app.wsgi_app, chosen.trusted_proxies))  # type: ignore[method-assign]
    app.config["SECRET_KEY"], *app.config["SECRET_KEY_FALLBACKS"] = sealed.form_keys()
    app.config["BUILD"] = _build()
    app.config["MAX_CONTENT_LENGTH"] = chosen.mllp_max_bytes
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for room in (files, compressing, limits, sessions, guard, traces, language, headers, problems, leaving):
        room.prepare(app)
    for room in _ROOMS:
        app.register_blueprint(room.blueprint)
    of_senders = (sender_commands.senders, sender_commands.tokens)
    of_keepers = (commands.epoch, keys.keys, auditing.commands, hospitals.hospitals)
    for group in (*of_senders, *of_keepers, replaying.messages):
        app.cli.add_command(group)
    app.extensions["key_file"] = key_file
    app.extensions["fragments"] = Fragments(app)
    app.extensions["relay"] = Relay(app.extensions["fragments"], app.config["BUILD"])
    return app


def _open(chosen: Settings, key_file: Path | None) -> None:
    """Take the keys, bring the database to its newest form, see whether the keys open it, and fill it if wished."""
    try:
        sealed.use_ring(_key_source(chosen, key_file))
        url = chosen.database_url or f"sqlite:///{_instance(chosen) / 'hospital.db'}"
        with migrating.one_at_a_time(url):
            migrating.migrate(url)
            records.connect(url)
            prepare_keys()
            if chosen.demo:
                demo.prepare_demo(staff=chosen.simulate and chosen.simulate_staff)
        anchoring.use_file(Path(chosen.anchor_file) if chosen.anchor_file else _instance(chosen) / "anchors.log")
    except (ring.BadRing, WrongRing) as problem:
        raise settings.BadSetting(str(problem)) from None


class Running:
    """What runs beside requests: relay, timers, MLLP. It goes in two steps, between which the web server ends."""

    def __init__(self, app: Flask) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each open screen is a descriptor
        gc.collect()
        gc.freeze()  # what a start has made stays for good: no later collection need look through it
        self._leaving: leaving.Leaving = app.extensions["leaving"]
        self._relay: Relay = app.extensions["relay"]
        self._timers_end = gevent.event.Event()
        self._listeners = mllp.listen()
        for listener in self._listeners:
            listener.start()
        self._tasks = [gevent.spawn(self._relay.run), gevent.spawn(background.run, self._timers_end)]

    def drain(self, window_s: float) -> None:
        """Say that we go and let the streams end within the window; meanwhile everything else is done as ever."""
        self._leaving.begin()
        self._relay.drain(window_s)
        self._leaving.hang_up()

    def stop(self) -> None:
        """After the last answer of the web server: answer the messages in work, then end what runs by itself."""
        gevent.joinall([gevent.spawn(listener.stop, _FINISH_S) for listener in self._listeners])
        self._relay.stop()
        self._timers_end.set()
        gevent.joinall(self._tasks, timeout=_FINISH_S)
        self._relay.outlet.close()
        records.disconnect()


def serve() -> None:
    """The embedded default: web server, MLLP and, if wished, the simulator, in one process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    chosen = Settings.from_environment()
    app = create_app(chosen)
    where, at_once = (chosen.host, chosen.port), Pool(_REQUESTS_AT_ONCE)
    server = WSGIServer(where, app, chosen.connections_waiting, handler_class=Handler, log=None, spawn=at_once)
    server.init_socket()
    running = Running(app)
    simulators = _simulate(chosen)

    def leave(window_s: float) -> None:
        for simulator in simulators:
            simulator.terminate()
        running.drain(window_s)
        server.close()

    gevent.signal_handler(signal.SIGTERM, leave, chosen.drain_window_s)
    gevent.signal_handler(signal.SIGINT, leave, 0)
    print(_welcome(chosen), flush=True)
    server.serve_forever(stop_timeout=_FINISH_S)
    running.stop()


def _simulate(chosen: Settings) -> list[Any]:
    """Processes of their own, that knock at the same doors as gateways and people do."""
    from gevent import subprocess

    gateway = ("--host", chosen.mllp_host, "--port", str(chosen.mllp_port))
    staff = ("--url", f"http://{chosen.host}:{chosen.port}")
    how = ("--seed", str(chosen.simulator_seed), "--speed", str(chosen.simulator_speed))
    asked = {
        "run": (chosen.simulate, gateway),
        "staff": (chosen.demo and chosen.simulate and chosen.simulate_staff, staff),
    }
    return [
        subprocess.Popen([sys.executable, "-m", f"hospital.simulator.{name}", *where, *how], cwd=_HERE)
        for name, (wanted, where) in asked.items()
        if wanted
    ]


def _welcome(chosen: Settings) -> str:
    lines = ["", f"  Hospital alerts   http://{chosen.host}:{chosen.port}"]
    lines += [f"  HL7 over MLLP     {chosen.mllp_host}:{chosen.mllp_port}"]
    if chosen.mllp_tls_port:
        lines += [f"  … within TLS      {chosen.mllp_tls_host}:{chosen.mllp_tls_port}"]
    if chosen.demo:
        lines += ["", "  An invented hospital. Sign in as (the password is demo- and the name):"]
        lines += [
            f"    {name:<10} {', '.join(units)} {display} ({role})" for _, name, display, role, units in demo.PEOPLE
        ]
    lines += ["", "  Secondary notification: never the only alarm.", ""]
    return "\n".join(lines)


def _instance(chosen: Settings) -> Path:
    folder = chosen.instance if chosen.instance.is_absolute() else _HERE / chosen.instance
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _key_file(chosen: Settings) -> Path | None:
    """The file of the key ring; None: it is elsewhere. The embedded default makes one key beside its database."""
    given = [name for name in ("secret_key", "key_file", "key_command") if getattr(chosen, name)]
    if len(given) > 1:
        raise settings.BadSetting(f"Give only one of: {', '.join(f'HOSPITAL_{name.upper()}' for name in given)}.")
    if chosen.key_file:
        return Path(chosen.key_file)
    if given:
        return None
    if chosen.database_url:
        raise settings.BadSetting(
            "HOSPITAL_SECRET_KEY must be set, or HOSPITAL_KEY_FILE or HOSPITAL_KEY_COMMAND: "
            "without a key, what is sealed could not be opened again"
        )
    kept = _instance(chosen) / "secret.key"
    if not kept.exists():
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return kept


def _key_source(chosen: Settings, file: Path | None) -> Callable[[], dict[int, str]]:
    if file is not None:
        return lambda: ring.from_file(file)
    if chosen.key_command:
        return lambda: ring.from_command(chosen.key_command)
    return lambda: ring.parse(chosen.secret_key)


@cache
def _build() -> str:
    """A word that changes with what the browser loads."""
    digest = hashlib.sha256()
    for path in sorted((_HERE / "static").rglob("*")) + sorted((_HERE / "templates").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    try:
        serve()
    except (settings.BadSetting, OSError) as problem:
        sys.exit(f"Hospital alerts cannot start: {problem}")
