"""The keeper: a process that owns one embedded server, restarts it if it dies, and stops it when nobody uses it.

Started by usage.py. It answers on stdout with one line of JSON: `{"ready": true}`, or `{"problem": "..."}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from project.embedded.files import FileLock, read_json, write_json
from project.embedded.postgres import Postgres
from project.embedded.problems import CannotStart
from project.embedded.valkey import Valkey

SERVERS: dict[str, type[Postgres] | type[Valkey]] = {"postgres": Postgres, "valkey": Valkey}
PORT_ATTEMPTS = 3
RESTARTS = 5
CALM_SECONDS = 60.0
LOOK_SECONDS = 0.05


class Keeper:
    """A server and the loop that keeps it running."""

    def __init__(self, name: str, folder: Path, fast: bool) -> None:
        self.state = folder / "servers" / f"{name}.json"
        self.users = FileLock(folder / "servers" / f"{name}.users")
        known = read_json(self.state)
        self.server = SERVERS[name](folder, known.get("port"), known.get("pid"), fast)
        self.process: subprocess.Popen[bytes] | None = None
        self.asked_to_stop = False

    def start(self) -> None:
        """Start the server and store its address. Raises CannotStart."""
        self.server.prepare()
        for _ in range(PORT_ATTEMPTS):
            self.process = self.server.start()
            if self._wait_until_ready(self.process):
                break
            self.stop()
            self.server.choose_another_port()
        else:
            raise self.server.why_not()
        found = {"port": self.server.port, "pid": self.process.pid, "keeper": os.getpid()}
        write_json(self.state, self.server.state() | found)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + self.server.start_seconds
        while time.monotonic() < deadline and process.poll() is None:
            if self.server.is_ready(process.pid):
                return True
            time.sleep(0.02)
        return False

    def keep(self) -> None:
        """Restart the server whenever it dies; return when no process uses it any more, or after SIGTERM.

        Raises CannotStart if it dies more than RESTARTS times within CALM_SECONDS.
        """
        died_at: list[float] = []
        while not self.asked_to_stop and not self.users.take(wait=False):
            if self.process is None or self.process.poll() is not None:
                died_at = [moment for moment in died_at if time.monotonic() - moment < CALM_SECONDS]
                if len(died_at) >= RESTARTS:
                    raise self.server.why_not()
                died_at.append(time.monotonic())
                time.sleep(0.2 * len(died_at))
                self.start()
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """Ask the server to stop; kill it if it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.server.stop_signal)
        try:
            self.process.wait(timeout=self.server.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def answer(**words: object) -> None:
    """Write one answer to the process that started the keeper, if it still exists, and close stdout."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(words).encode() + b"\n")
    # No reader should wait for more output.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main() -> NoReturn:
    name, folder = sys.argv[1], Path(sys.argv[2])
    if os.getpgrp() != os.getpid():
        os.setsid()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    life = FileLock(folder / "servers" / f"{name}.keeper")
    if not life.take(wait=False):
        answer(problem=f"Another {name} is starting on {folder}: wait a moment and try again.")
        sys.exit(1)
    sys.exit(_keep(Keeper(name, folder, "--fast" in sys.argv)))


def _keep(keeper: Keeper) -> int:
    def ask_to_stop(*_: object) -> None:
        keeper.asked_to_stop = True

    signal.signal(signal.SIGTERM, ask_to_stop)
    try:
        keeper.start()
        answer(ready=True)
        keeper.keep()
    except CannotStart as problem:
        answer(problem=str(problem))
        return 1
    finally:
        keeper.stop()
    return 0


if __name__ == "__main__":
    main()
