"""A small HTTP load: connections kept open, each sending its next request when the last answer is whole."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Result:
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return 1000 * sorted(self.latencies)[int(share * (len(self.latencies) - 1))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received, self.sent_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> int | None:
        """The status when the answer is whole."""
        self.received += self.socket.recv(65536)
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        fields = dict(line.partition(b": ")[::2] for line in head.lower().split(b"\r\n")[1:])
        if fields.get(b"transfer-encoding") == b"chunked":
            is_whole = body.endswith(b"0\r\n\r\n")
        else:
            is_whole = len(body) >= int(fields.get(b"content-length", 0))
        return int(head[9:12]) if is_whole else None


def run(port: int, requests: Iterator[bytes], connections: int = 16) -> Result:
    """Send all requests; how long it took, and what came back."""
    result, selector = Result(), selectors.DefaultSelector()
    started = time.perf_counter()
    for _ in range(connections):
        if (request := next(requests, None)) is not None:
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
    while selector.get_map():
        for key, _ in selector.select():
            connection = key.data
            if (status := connection.answer()) is None:
                continue
            result.latencies.append(time.perf_counter() - connection.sent_at)
            result.statuses[status] = result.statuses.get(status, 0) + 1
            if (request := next(requests, None)) is None:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(request)
    result.seconds = time.perf_counter() - started
    return result


def post(path: str, body: bytes, signature: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Stripe-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n\r\n".encode()
