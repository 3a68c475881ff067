"""Real PostgreSQL and Valkey for a test session, started before Django reads its settings: `pytest -p tests.servers`.

Sessions side by side get servers of their own (`.data/test/0`, `1`, ...); a later session finds the cluster made.
xdist's workers share the session's servers; each has a Redis database and a DATA_DIR of its own. The servers end with
the session, however it ends. DATABASE_URL and REDIS_URL, where set, are used as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from project.embedded import BASE_DIR, CannotStart, Servers
from project.embedded.files import FileLock, make_private
from tests import other_clock

other_clock.prepare()
SESSIONS = BASE_DIR / ".data" / "test"
REDIS_DATABASES = 15  # a Redis of yours has 16 unless told otherwise; 0 stays free
DEFAULTS = {"SECRET_KEY": "for-tests-only-" + "0123456789" * 5}


class Session:
    """What the process that started pytest holds until its end: a place of its own and the servers in it."""

    def __init__(self, places: Path = SESSIONS) -> None:
        make_private(places, 0o711)
        for number in count():
            self.place = make_private(places / str(number), 0o711)
            self.lock = FileLock(self.place / "session.lock")
            if self.lock.take(wait=False):
                break
        self.servers = Servers(self.place, fast=True)
        os.environ.update(self.servers.ensure().as_environment())
        os.environ["TEST_SESSION_DIR"] = str(self.place)
        if "postgres" in self.servers.usages:
            os.environ["TEST_TEMPLATE_LOCK"] = str(self.place / "template.lock")

    def close(self) -> None:
        self.servers.release()
        self.lock.release()


def worker_number() -> int:
    """0 in the process that started pytest, from 1 in xdist's workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 1 if worker else 0


def separate_this_process() -> None:
    """A Redis database and a data folder that no other test process touches."""
    number = worker_number()
    database = f"/{(number - 1) % REDIS_DATABASES + 1}"
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=database).geturl()
    os.environ["DATA_DIR"] = str(Path(os.environ["TEST_SESSION_DIR"]) / f"data-{number}")


SESSION: list[Session] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Wraps pytest-django's hook of this name, which reads the settings."""
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        if worker_number() == 0 and not SESSION:
            try:
                SESSION.append(Session())
            except CannotStart as problem:
                raise pytest.UsageError(str(problem)) from None
        separate_this_process()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    while SESSION:
        SESSION.pop().close()
