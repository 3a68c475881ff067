"""What every test stands on: real PostgreSQL and Valkey, a data folder of its own, and books that can be emptied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, TransactionTestCase
from django.utils import translation

from members.mail import permission
from members.newsroom import values as newsroom
from project import middleware
from tests.database import django_db_setup
from tests.stage import Stage, set_the_scene

__all__ = ["django_db_setup"]

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))
NO_CHROMIUM = "no Chromium on the PATH (Debian: apt install chromium)"
KEPT = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "members_level",
    "members_levelamount",
    "members_levelname",
}


middleware.MOST_GUESSES = 10_000  # all tests come from one network


def empty_the_tables() -> None:
    """Django's flush, for a database whose ledger refuses to be emptied: its triggers sleep for this one statement."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in KEPT]
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables) + " CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")


# With DEBUG on, as in every journey, Django keeps the text of each query; only tests that count queries read it.
BaseDatabaseWrapper.queries_logged = property(lambda self: self.force_debug_cursor)  # type: ignore[assignment]
TransactionTestCase._fixture_teardown = lambda self: empty_the_tables()  # type: ignore[method-assign]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without Chromium browser tests are skipped; where REQUIRE_BROWSER=1 says that it must be there, they fail."""
    if CHROMIUM is None and item.get_closest_marker("browser"):
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"REQUIRE_BROWSER=1, but {NO_CHROMIUM}", pytrace=False)
        pytest.skip(NO_CHROMIUM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"{report.nodeid}: {value}")
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "browser" in report.keywords]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests in a browser were skipped: {NO_CHROMIUM}.")


@pytest.fixture(autouse=True)
def _own_data_dir(tmp_path: Path, settings) -> None:
    """Mails and the movable clock of one test are nobody else's."""
    settings.DATA_DIR = tmp_path
    settings.MAIL_DIR = tmp_path / "mail"
    # Pages are rendered without collectstatic having run.
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": plain}}


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """The language a page was asked in is not the next test's."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _own_newsroom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Staff have set nothing yet, and no page costs a query more to know it. It has written to readers before."""
    monkeypatch.setattr(permission, "waits_for_address", lambda: False)
    monkeypatch.setattr(newsroom, "FRESH_SECONDS", float("inf"))
    newsroom.remember({})


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """A password of staff need not be hard to guess here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _desk_opens_by_password(settings) -> None:
    """As in the demo. The tests of the second factor require it themselves."""
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture(autouse=True)
def _files_as_they_are(settings) -> None:
    """Pages name their style sheets without `collectstatic` having run."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A test whose rows other threads and processes must see."""


@pytest.fixture
def stage(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    """The whole product with the simulator, for one test; it begins on the day on which all stories begin."""
    yield from set_the_scene(settings, tmp_path, Client())
