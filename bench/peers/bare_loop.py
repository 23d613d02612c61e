"""No peer but the floor: a loop of os.write over sockets, and nothing else: the kernel's part of each row.

It can be measured and not be used: no sign-in, no database, no rendering, no slow reader, nobody who leaves.
"""

import os
import resource
import select
import socket
import sys

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
asking: dict[int, socket.socket] = {}
heard: dict[int, bytes] = {}
screens: list[int] = []


def answer(fd: int) -> None:
    """A screen's head makes it a screen; a POST's body goes to all of them."""
    data = heard[fd] = heard.get(fd, b"") + os.read(fd, 65_536)
    head, end, body = data.partition(b"\r\n\r\n")
    if not data:
        epoll.unregister(fd)
        asking.pop(fd).close()
    elif end and head.startswith(b"GET"):
        epoll.unregister(fd)
        os.write(fd, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: hello\ndata: {}\n\n")
        screens.append(fd)
    elif end and len(body) == content_length(head):
        frame = b"event: frame\ndata: " + body + b"\n\n"
        for screen in screens:
            os.write(screen, frame)
        heard[fd] = b""
        os.write(fd, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def content_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))


while True:
    for ready, _ in epoll.poll():
        if ready == listener.fileno():
            taken, _ = listener.accept()
            taken.setblocking(False)
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asking[taken.fileno()] = taken
            epoll.register(taken.fileno(), select.EPOLLIN)
        else:
            answer(ready)
