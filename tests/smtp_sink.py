"""A real mail server on loopback, in a thread, that keeps what it gets and misbehaves as told.

Modes: `250`; `451` and `550` (refuses the recipient), `451-data` and `550-data` (refuses after the letter), `421` (does
not want to talk); `drop-at-data`, `drop-in-data` (hangs up before the end), `drop-after-data` (keeps the letter, never
answers), `drop-at-quit`; `slow` (thinks before it answers).
"""

from __future__ import annotations

import socketserver
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


@dataclass(frozen=True)
class Received:
    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class SmtpSink:
    """`with SmtpSink() as sink:` then `sink.url`, `sink.mode = "550"`, `sink.received`."""

    mode: str = "250"
    thinks_seconds: float = 0.5
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 20

            def handle(self) -> None:
                sink.connections += 1
                _Dialogue(sink, self).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            request_queue_size = 128  # many senders knock at once

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Dialogue:
    """One connection. A method says what becomes of a command; returning False hangs up."""

    def __init__(self, sink: SmtpSink, stream: socketserver.StreamRequestHandler) -> None:
        self.sink, self.stream = sink, stream
        self.sender = self.recipient = ""

    def run(self) -> None:
        if self.sink.mode == "421":
            self.say("421 too many connections")
            return
        self.say("220 sink.test ESMTP")
        while line := self.stream.rfile.readline().decode(errors="replace").strip():
            if not getattr(self, line.split(" ")[0].split(":")[0].lower(), self.unknown)(line):
                return

    def say(self, *lines: str) -> bool:
        self.stream.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        return True

    def unknown(self, line: str) -> bool:
        return self.say("502 what?")

    def ehlo(self, line: str) -> bool:
        return self.say("250-sink.test", "250 8BITMIME")

    def rset(self, line: str) -> bool:
        return self.say("250 forgotten")

    def mail(self, line: str) -> bool:
        self.sender = line.partition("<")[2].partition(">")[0]
        return self.say("250 ok")

    def rcpt(self, line: str) -> bool:
        self.recipient = line.partition("<")[2].partition(">")[0]
        words = {"451": "451 try again later", "550": "550 no such person"}
        return self.say(words.get(self.sink.mode, "250 ok"))

    def data(self, line: str) -> bool:
        if self.sink.mode == "drop-at-data":
            return False
        self.say("354 go on")
        content = b""
        while (part := self.stream.rfile.readline()) not in (b".\r\n", b""):
            if self.sink.mode == "drop-in-data":
                return False
            content += part.removeprefix(b".")
        if not part:  # the line ended before the letter did: a letter without its end is no letter
            return False
        return self.keep(Received(self.sender, self.recipient, content))

    def keep(self, letter: Received) -> bool:
        mode = self.sink.mode
        if mode in ("451-data", "550-data"):
            return self.say(f"{mode[:3]} not this one")
        self.sink.received.append(letter)
        if mode == "slow":
            time.sleep(self.sink.thinks_seconds)
        return mode != "drop-after-data" and self.say("250 kept")

    def quit(self, line: str) -> bool:
        if self.sink.mode != "drop-at-quit":
            self.say("221 bye")
        return False
