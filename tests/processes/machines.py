"""Servers and programs a theatre starts and ends by pid: PostgreSQL and Valkey, and what `make run` runs.

Each leads a process group of its own and ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from project.embedded.files import make_private
from project.embedded.postgres import Postgres
from project.embedded.valkey import Valkey
from project.supervisor import Program
from project.watchdog import Watchdog

KINDS: dict[str, type[Postgres] | type[Valkey]] = {"postgres": Postgres, "valkey": Valkey}


class Server:
    """PostgreSQL or Valkey at one address, up or down. Not set to be fast: what was committed survives."""

    def __init__(self, kind: str, folder: Path) -> None:
        make_private(folder / "servers", 0o711)
        self._server = KINDS[kind](folder, None, None, fast=False)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """At the same address every time."""
        port = self._server.port
        self._server.prepare()
        assert self._server.port == port or not port, "somebody took the port meanwhile"
        self._process = self._server.start()
        deadline = time.monotonic() + self._server.start_seconds
        while not self._server.is_ready(self._process.pid):
            assert self._process.poll() is None, self._server.why_not()
            assert time.monotonic() < deadline, self._server.why_not()
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGKILL) -> None:
        """For PostgreSQL, SIGQUIT is what `pg_ctl stop -m immediate` sends."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process = None

    def freeze(self, *, thaw: bool = False) -> None:
        """Alive and silent, like a server whose disk hangs: connections stay open, nobody answers."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    @property
    def is_up(self) -> bool:
        return self._process is not None

    @property
    def url(self) -> str:
        return str(self._server.state()["url"])


class Programs:
    """The programs of `make run`, by name; what they write goes to a file each."""

    def __init__(self, logs: Path) -> None:
        self._logs = make_private(logs)
        self._watchdog = Watchdog()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, program: Program, environment: Mapping[str, str]) -> None:
        assert not self.is_running(program.name), f"{program.name} runs already"
        if self.has_ended(program.name):
            self._watchdog.forget(self._running[program.name])
        with open(self._logs / f"{program.name}.log", "ab") as log:
            process = self._watchdog.start(program.argv, environment, stdout=log)
        self._running[program.name] = process

    def kill(self, name: str) -> None:
        """`kill -9`, the whole group at once: nobody can tidy up."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._watchdog.forget(process)

    def kill_all(self) -> None:
        for name in list(self._running):
            self.kill(name)
        self._watchdog.close()

    def is_running(self, name: str) -> bool:
        """Also False when it died by itself."""
        process = self._running.get(name)
        return process is not None and process.poll() is None

    def has_ended(self, name: str) -> bool:
        """By itself, not killed by a test."""
        return name in self._running and not self.is_running(name)

    def exit_code(self, name: str) -> int | None:
        """Of one that died by itself; None while it runs."""
        return self._running[name].poll()

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def words_of(self, name: str) -> str:
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def last_words(self, lines: int = 12) -> str:
        parts = []
        for log in sorted(self._logs.glob("*.log")):
            words = log.read_text(errors="replace").splitlines()[-lines:]
            parts.append("\n  ".join([f"--- {log.stem}", *words]))
        return "\n".join(parts)
