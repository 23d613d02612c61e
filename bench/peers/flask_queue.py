"""A peer: Flask under gevent, with a generator and a queue for each screen, as tutorials do it."""

import resource
import sys
from collections.abc import Iterator

from flask import Flask, Response, request
from gevent.pywsgi import WSGIServer
from gevent.queue import Queue

app = Flask(__name__)
screens: set[Queue[bytes]] = set()


@app.get("/stream")
def stream() -> Response:
    waiting: Queue[bytes] = Queue()
    screens.add(waiting)

    def frames() -> Iterator[bytes]:
        try:
            yield b"event: hello\ndata: {}\n\n"
            while True:
                yield waiting.get()
        finally:
            screens.discard(waiting)

    return Response(frames(), content_type="text/event-stream")


@app.post("/publish")
def publish() -> str:
    data = b"event: frame\ndata: " + request.get_data() + b"\n\n"
    for waiting in screens:
        waiting.put(data)
    return ""


_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None, backlog=4096).serve_forever()
