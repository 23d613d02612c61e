"""gunicorn --config deploy/gunicorn.conf.py, behind nginx. SIGTERM drains; SIGHUP lets a new worker take over."""

import os
import runpy
import socket
import sys
from pathlib import Path

import gevent
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler

_ROOT = Path(__file__).resolve().parents[1]
# Run, not imported: a worker forked after SIGHUP must find the new release's modules, and none that the parent keeps.
_Settings = runpy.run_path(str(_ROOT / "hospital/settings.py"))["Settings"]
_settings = _Settings.from_environment()


class Worker(GeventPyWSGIWorker):
    """gevent's pywsgi under gunicorn. Streams are no greenlets here either; who is told to go drains first."""

    def load_wsgi(self):
        from hospital.intake import mllp

        mllp.inherited = self.mllp
        super().load_wsgi()
        import app
        import wsgi

        self.running = wsgi.running
        self.wsgi_handler = type("Handler", (app.Manners, PyWSGIHandler), {})

    def run(self):
        super().run()  # until _leave, and until the requests in work are answered
        self.running.stop()

    def handle_exit(self, sig, frame):
        gevent.spawn(self._leave, _settings.drain_window_s)

    def handle_quit(self, sig, frame):
        gevent.spawn(self._leave, 0)

    def _leave(self, window_s):
        self.running.drain(window_s)
        self.alive = False


def on_starting(server):
    """Bind MLLP here, before any fork: the port stays open while one worker takes over from another."""
    if server.cfg.workers > 1 and not _settings.database_url:
        sys.exit("SQLite has one writer: give one worker, or a PostgreSQL in HOSPITAL_DATABASE_URL.")
    try:
        server.mllp = [socket.create_server((_settings.mllp_host, _settings.mllp_port))]
        if _settings.mllp_tls_port:
            server.mllp.append(socket.create_server((_settings.mllp_tls_host, _settings.mllp_tls_port)))
    except OSError as problem:
        sys.exit(f"Hospital alerts cannot start: {problem}")


def pre_fork(server, worker):
    worker.mllp = server.mllp


wsgi_app = "wsgi:app"
chdir = str(_ROOT)
bind = f"{_settings.host}:{_settings.port}"
worker_class = Worker
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_connections = 2_000  # requests at once; an open stream is none
max_requests = 0  # a worker that ends by itself would take every screen with it
graceful_timeout = int(_settings.drain_window_s) + 25  # the window, requests in work, messages in work
control_socket_disable = True
