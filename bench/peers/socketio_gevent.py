"""A peer: Flask-SocketIO under gevent, its screens on WebSockets, without compression and without pings."""

import resource
import sys

from flask import Flask, request
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent", ping_interval=86_400, http_compression=False)


@app.post("/publish")
def publish() -> str:
    socketio.emit("frame", request.get_data(as_text=True))
    return ""


_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
socketio.run(app, "127.0.0.1", int(sys.argv[1]), log_output=False, backlog=4096)
