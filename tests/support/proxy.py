"""A network that fails on command: TCP between a port of its own and a server's, as bad as the test says."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_READ_BYTES = 65_536
_LINGER_0 = struct.pack("ii", 1, 0)


class Proxy:
    """127.0.0.1:`port` leads to 127.0.0.1:`to`. Needs close(). Whatever is not set passes as it is."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.piece_bytes = 0  # at most so many bytes at a time; 0: as they come
        self.delay_s = 0.0
        self._refuses = False
        self._cut_after: int | None = None
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- What a test does to it --------------------------------------------------------------------------------------

    def refuse(self) -> None:
        """Cut everything, and reset whoever comes."""
        self._refuses = True
        self.reset()

    def accept(self) -> None:
        self._refuses = False

    def reset(self) -> None:
        """RST in both directions, on every connection."""
        self._do(self._each(_Link.reset))

    def hold(self) -> None:
        """Nothing gets through, and nobody is told: half-open lines, a buffering proxy, a pulled cable."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def release(self) -> None:
        """What was held back comes now."""
        self._loop.call_soon_threadsafe(self._open.set)

    def swallow(self) -> None:
        """Half-open for good: of the connections that are there not a byte gets through any more; new ones pass."""
        self._do(self._each(_Link.swallow))

    def cut_after(self, count_bytes: int) -> None:
        """Each connection that is there lets this many bytes more to the client, then closes in the middle."""
        self._do(self._each(lambda link: link.cut_after(count_bytes)))

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def connections(self) -> int:
        return len(self._links)

    # ---- In its own thread -------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1_024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _end(self) -> None:
        self._server.close()
        await self._each(_Link.reset)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _each(self, call: "Callable[[_Link], None]") -> None:
        for link in list(self._links):
            call(link)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, far_writer)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._pump(link, reader, far_writer, down=False), self._pump(link, far_reader, writer, down=True)
            )
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio's own callback would complain of it
        finally:
            self._links.discard(link)
            link.close()

    async def _pump(
        self, link: "_Link", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        """Reads at once and writes when it is due, so that a delay is a longer way and not a narrower one."""
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        passing = asyncio.create_task(self._pass(link, writer, way, down=down))
        try:
            data = b"?"
            while data:
                data = await reader.read(_READ_BYTES)
                way.put_nowait((self._loop.time() + self.delay_s, data))
            await passing
        except OSError:
            pass
        finally:
            passing.cancel()
            link.close()  # one direction gone is both gone

    async def _pass(
        self, link: "_Link", writer: asyncio.StreamWriter, way: "asyncio.Queue[tuple[float, bytes]]", *, down: bool
    ) -> None:
        while True:
            due, data = await way.get()
            if (wait_s := due - self._loop.time()) > 0:
                await asyncio.sleep(wait_s)
            if not data:
                return
            step = self.piece_bytes or len(data)
            for start in range(0, len(data), step):
                await self._open.wait()
                if link.swallows:
                    break
                if writer.is_closing():
                    return
                await self._write(link, writer, data[start : start + step], down=down)

    async def _write(self, link: "_Link", writer: asyncio.StreamWriter, data: bytes, *, down: bool) -> None:
        if down and link.left is not None:
            data, link.left = data[: link.left], link.left - len(data)
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            link.close()
        if link.left is not None and link.left <= 0:
            link.close()


class _Link:
    """One connection through the proxy. `left`: bytes that it still lets down before it is cut."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._near, self._far = near, far
        self.swallows = False
        self.left: int | None = None
        for writer in (near, far):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def swallow(self) -> None:
        self.swallows = True

    def cut_after(self, count_bytes: int) -> None:
        self.left = count_bytes

    def reset(self) -> None:
        for writer in (self._near, self._far):
            _reset(writer)

    def close(self) -> None:
        for writer in (self._near, self._far):
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    writer.transport.abort()
