"""Real PostgreSQL and Valkey from wheels, for `make run`, `make test` and single commands. Never needed in production.

Each server belongs to a small process of its own, its keeper (keeper.py), which lives exactly as long as somebody uses
the server. Using one means holding a shared lock on a file under DATA_DIR/servers: the kernel lets go of it however the
user ends, `kill -9` included, so nothing is left running and two commands share one server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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
    """Where the two servers answer, ours or those given by the environment."""

    database_url: str
    redis_url: str

    def as_environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def data_dir() -> Path:
    """The folder everything local lives in: DATA_DIR, else `.data` beside manage.py."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()


class Servers:
    """The embedded servers this process uses. `ensure` starts what is missing and may be called again at any time."""

    def __init__(self, folder: Path, fast: bool = False) -> None:
        """`fast` gives up durability for speed: for tests only."""
        missing = [name for name, variable in VARIABLES.items() if not os.environ.get(variable)]
        self.usages = {name: Usage(name, folder, fast) for name in missing}

    def ensure(self) -> Addresses:
        """Start the servers that have no address in the environment, or join those that run. Raises CannotStart."""
        for usage in self.usages.values():
            usage.join()
        urls = {name: usage.url() for name, usage in self.usages.items()}
        given = {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
        return Addresses(*(urls.get(name, given[name]) for name in VARIABLES))

    def are_alive(self) -> bool:
        """Whether every keeper we rely on still lives."""
        return all(usage.keeper_is_alive() for usage in self.usages.values())

    def release(self) -> None:
        """Let go: Valkey first, then PostgreSQL. Waits for each to stop when nobody else uses it."""
        for name in ("valkey", "postgres"):
            if name in self.usages:
                self.usages[name].leave()


@contextmanager
def running(folder: Path, fast: bool = False) -> Iterator[Addresses]:
    """The servers for as long as the block runs, their addresses in os.environ for Django's settings and for children.

    Raises CannotStart with a sentence for people.
    """
    servers = Servers(folder, fast)
    with ExitStack() as stack:
        stack.callback(servers.release)
        addresses = servers.ensure()
        changed = {name: value for name, value in addresses.as_environment().items() if not os.environ.get(name)}
        os.environ.update(changed)
        stack.callback(lambda: [os.environ.pop(name, None) for name in changed])
        yield addresses
