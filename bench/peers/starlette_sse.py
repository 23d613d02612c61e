"""A peer: sse-starlette under uvicorn with uvloop and httptools; a queue for each screen, frames encoded once."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

screens: set[asyncio.Queue[bytes]] = set()


async def stream(_: Request) -> EventSourceResponse:
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    screens.add(waiting)

    async def frames() -> AsyncIterator[bytes]:
        try:
            yield b"event: hello\r\ndata: {}\r\n\r\n"
            while True:
                yield await waiting.get()
        finally:
            screens.discard(waiting)

    return EventSourceResponse(frames())


async def publish(request: Request) -> Response:
    event = ServerSentEvent((await request.body()).decode(), event="frame").encode()
    for waiting in screens:
        waiting.put_nowait(event)
    return Response()


app = Starlette(routes=[Route("/stream", stream), Route("/publish", publish, methods=["POST"])])
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
uvicorn.run(
    app,
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    log_level="warning",
    backlog=4096,
    timeout_keep_alive=3600,
)
