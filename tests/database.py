"""The test database of each process: a copy of a template that was migrated once, made in a fraction of a second.

The template's name holds a hash of everything a migrated database follows from, so a change makes a new one and no
test ever meets an old one. Templates live in the servers of tests/servers.py alone; at a DATABASE_URL of yours the
database is migrated anew each time, and nothing is left behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from project.embedded import BASE_DIR
from project.embedded.files import FileLock

PREFIX = "migrated_"
# Permissions and content types are made of the models, also before a migration is written for them.
SOURCES = (
    "*/migrations/**/*.py",
    "*/models/**/*.py",
    "members/staff/roles.py",
    "project/settings.py",
    "requirements*.txt",
    "tests/database.py",
)


def template_name(base: Path = BASE_DIR) -> str:
    """Return the name of the template for the files as they are now."""
    known = sha256(sys.version.encode())
    for path in sorted({path for pattern in SOURCES for path in base.glob(pattern)}):
        known.update(f"{path.relative_to(base)}\0".encode() + path.read_bytes())
    return PREFIX + known.hexdigest()[:20]


def copy_of_the_template(lock: Path) -> None:
    """Make this process's database from the template, and the template first where there is none."""
    turn = FileLock(lock)
    turn.take()
    try:
        template, name = template_name(), connection.creation._get_test_db_name()
        if template not in (known := _templates()):
            _drop(known)
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()
            _run(f'ALTER DATABASE "{name}" RENAME TO "{template}"')
        _drop([name])
        _run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        turn.release()
    connection.close()
    connection.settings_dict["NAME"] = name


def _templates() -> list[str]:
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        return [name for (name,) in cursor.fetchall()]


def _drop(names: Iterable[str]) -> None:
    for name in names:
        _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _run(statement: str) -> None:
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """In place of pytest-django's fixture of this name."""
    with django_db_blocker.unblock():
        if lock := os.environ.get("TEST_TEMPLATE_LOCK"):
            copy_of_the_template(Path(lock))
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    yield
    with django_db_blocker.unblock():
        connection.close()
        _drop([connection.settings_dict["NAME"]])
