"""Embedded PostgreSQL and Valkey from wheels, for `make run`, `make test` and single commands. Not for production.

Each server belongs to a small process, its keeper (keeper.py), which lives exactly as long as any process uses the
server. A user holds a shared lock on a file under DATA_DIR/servers. The kernel releases it however the user ends,
`kill -9` included, so that no server is left running and several commands share one server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from project.embedded.problems import CannotStart
from project.embedded.usage import Usage

__all__ = ["Addresses", "CannotStart", "Servers", "data_dir", "running"]

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}


@dataclass(frozen=True)
class Addresses:
    """The addresses of the two servers: embedded ones, or those set in the environment."""

    database_url: str
    redis_url: str

    def as_environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def data_dir() -> Path:
    """Return the folder for all local data: DATA_DIR, else `.data` next to manage.py."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()


class Servers:
    """The embedded servers that this process uses: those without an address in the environment."""

    def __init__(self, folder: Path, fast: bool = False) -> None:
        """Create the locks of the servers to use. `fast` trades durability for speed, for tests only."""
        missing = [name for name, variable in VARIABLES.items() if not os.environ.get(variable)]
        self.usages = {name: Usage(name, folder, fast) for name in missing}

    def ensure(self) -> Addresses:
        """Start the embedded servers, or use those that run already; return all addresses. Raises CannotStart.

        Both start at the same time, because most of a start is waiting. Idempotent: call it again if a server has
        stopped.
        """
        with ThreadPoolExecutor(len(VARIABLES)) as pool:
            for joined in [pool.submit(usage.join) for usage in self.usages.values()]:
                joined.result()
        urls = {name: usage.url() for name, usage in self.usages.items()}
        given = {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
        return Addresses(*(urls.get(name, given[name]) for name in VARIABLES))

    def are_alive(self) -> bool:
        """Return whether the keepers of all servers that this process uses are running."""
        return all(usage.keeper_is_alive() for usage in self.usages.values())

    def release(self) -> None:
        """Stop using Valkey, then PostgreSQL. Waits for each to stop, if no other process uses it."""
        for name in ("valkey", "postgres"):
            if name in self.usages:
                self.usages[name].leave()


@contextmanager
def running(folder: Path, fast: bool = False) -> Iterator[Addresses]:
    """Keep the servers running while the block runs, with their addresses in os.environ for Django and for children.

    Raises CannotStart with a message for people.
    """
    servers = Servers(folder, fast)
    with ExitStack() as stack:
        stack.callback(servers.release)
        addresses = servers.ensure()
        changed = {name: value for name, value in addresses.as_environment().items() if not os.environ.get(name)}
        os.environ.update(changed)
        stack.callback(lambda: [os.environ.pop(name, None) for name in changed])
        yield addresses
