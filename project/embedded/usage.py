"""A process's use of one embedded server: use the one that runs, or have a keeper start it; stop using it at the end.

There are three locks in DATA_DIR/servers: `NAME.users` is shared by all processes that use the server, with
`NAME.starting` one process at a time decides whether to start it, and the keeper has `NAME.keeper` for all its life.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from project.embedded.files import FileLock, make_private, read_json
from project.embedded.problems import CannotStart

CODE_DIR = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 15.0


class Usage:
    """This process's use of the server called `name` for one data folder."""

    def __init__(self, name: str, folder: Path, fast: bool) -> None:
        self.name = name
        self.folder = folder
        self.fast = fast
        self.keeper_pid = 0
        make_private(folder)
        self.state_dir = make_private(folder / "servers")
        self.users = FileLock(self.state_dir / f"{name}.users")
        self.keeper = FileLock(self.state_dir / f"{name}.keeper")
        self.starting = FileLock(self.state_dir / f"{name}.starting")

    def join(self) -> None:
        """Use the server; start it if it does not run. Raises CannotStart. Idempotent; safe to call concurrently."""
        self.users.take(shared=True)
        self.starting.take()
        try:
            if not self.keeper_is_alive():
                self._start_keeper()
        finally:
            self.starting.release()

    def url(self) -> str:
        return str(read_json(self.state_dir / f"{self.name}.json")["url"])

    def keeper_is_alive(self) -> bool:
        return self.keeper.is_held_elsewhere()

    def leave(self) -> None:
        """Stop using the server. The last user waits, up to STOP_SECONDS, until it has stopped."""
        is_last = self.users.take(wait=False)
        self.users.release()
        deadline = time.monotonic() + STOP_SECONDS
        while is_last and self.keeper_is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        if is_last and not self.keeper_is_alive():
            self._reap_keeper()

    def _start_keeper(self) -> None:
        reading, writing = os.pipe()
        argv = [sys.executable, "-m", "project.embedded.keeper", self.name, str(self.folder)]
        argv += ["--fast"] if self.fast else []
        log = str(self.state_dir / f"{self.name}.log")
        self.keeper_pid = os.posix_spawn(
            sys.executable,
            argv,
            os.environ | {"PYTHONPATH": os.pathsep.join([str(CODE_DIR), os.environ.get("PYTHONPATH", "")]).rstrip(":")},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            ],
        )
        os.close(writing)
        with os.fdopen(reading) as answers:
            answer = json.loads(answers.readline() or "{}")
        if not answer.get("ready"):
            self._reap_keeper()
            raise CannotStart(answer.get("problem") or f"{self.name} did not start: its last words are in {log}.")

    def _reap_keeper(self) -> None:
        """Take the exit status of the keeper, if this process started it, so that it does not stay as a zombie."""
        if self.keeper_pid:
            os.waitpid(self.keeper_pid, 0)
            self.keeper_pid = 0
