"""Wiring: the only place that knows every room. `python app.py` serves the embedded default."""

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import hashlib
import logging
import os
import resource
import secrets
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
from flask import Flask
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from hospital import background, records, settings
from hospital.access import guard, sessions
from hospital.fragments import Fragments
from hospital.intake import http, mllp
from hospital.live import stream
from hospital.live.outlet import HandsOver
from hospital.live.relay import Relay
from hospital.operations import commands, demo, health, migrating
from hospital.operations import metrics as prometheus
from hospital.pages import (
    acknowledgements,
    alerts,
    board,
    escalations,
    headers,
    metrics,
    notes,
    observations,
    patients,
    problems,
    resolutions,
    sign_in,
)
from hospital.records import sealed
from hospital.settings import Settings

_HERE = Path(__file__).parent
_ROOMS = (
    *(sign_in, alerts, acknowledgements, resolutions, escalations, notes),
    *(patients, observations, metrics, board, stream, http, health, prometheus),
)
_REQUESTS_AT_ONCE = 2_000


class Handler(HandsOver, WSGIHandler):
    """gevent's own, but it gives the sockets of streams away."""


def create_app(given: Settings | None = None) -> Flask:
    """The application on a migrated database. Raises BadSetting."""
    chosen = given or Settings.from_environment()
    settings.use(chosen)
    secret = _secret(chosen)
    sealed.use_secret(secret)
    url = chosen.database_url or f"sqlite:///{_instance(chosen) / 'hospital.db'}"
    migrating.migrate(url)
    records.connect(url)
    if chosen.demo:
        demo.prepare_demo()
    app = Flask(__name__)
    app.secret_key = sealed.derive(secret, "forms")
    app.config["BUILD"] = _build()
    app.config["MAX_CONTENT_LENGTH"] = chosen.mllp_max_bytes
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for room in (sessions, guard, headers, problems):
        room.prepare(app)
    for room in _ROOMS:
        app.register_blueprint(room.blueprint)
    app.cli.add_command(commands.tokens)
    app.extensions["fragments"] = Fragments(app.jinja_env)
    app.extensions["relay"] = Relay(app.extensions["fragments"])
    return app


def start(app: Flask) -> Any:
    """Let run what runs beside requests: relay, timers, MLLP. Returns the MLLP listener, which stop() ends."""
    listener = mllp.listen()
    listener.start()
    gevent.spawn(app.extensions["relay"].run)
    gevent.spawn(background.run)
    return listener


def serve() -> None:
    """The embedded default: web server, MLLP and, if wished, the simulator, in one process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each open screen is a descriptor
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    chosen = Settings.from_environment()
    app = create_app(chosen)
    server = WSGIServer((chosen.host, chosen.port), app, handler_class=Handler, log=None, spawn=Pool(_REQUESTS_AT_ONCE))
    server.init_socket()
    listener = start(app)
    simulator = _simulate(chosen)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.stop, 2)
    print(_welcome(chosen), flush=True)
    server.serve_forever()
    if simulator is not None:
        simulator.terminate()
    listener.stop(timeout=2)
    app.extensions["relay"].outlet.close()
    records.disconnect()


def _simulate(chosen: Settings) -> Any:
    """A process of its own, that knocks at the same door as a gateway does."""
    if not chosen.simulate:
        return None
    from gevent import subprocess

    how = ("--host", chosen.mllp_host, "--port", str(chosen.mllp_port))
    what = ("--seed", str(chosen.simulator_seed), "--speed", str(chosen.simulator_speed))
    return subprocess.Popen([sys.executable, "-m", "hospital.simulator.run", *how, *what], cwd=_HERE)


def _welcome(chosen: Settings) -> str:
    lines = ["", f"  Hospital alerts   http://{chosen.host}:{chosen.port}"]
    lines += [f"  HL7 over MLLP     {chosen.mllp_host}:{chosen.mllp_port}"]
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


def _secret(chosen: Settings) -> str:
    """The one secret of the installation; the embedded default makes its own and keeps it beside its database."""
    if chosen.secret_key:
        return chosen.secret_key
    if chosen.database_url:
        raise settings.BadSetting(
            "HOSPITAL_SECRET_KEY must be set: without it, what is sealed could not be opened again"
        )
    kept = _instance(chosen) / "secret.key"
    if not kept.exists():
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return kept.read_text()


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
