"""What every test stands on: real PostgreSQL and Valkey, a tidy mail folder, and books that can be emptied afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _own_data_dir(tmp_path: Path, settings) -> None:
    """Mails and the movable clock of one test are nobody else's."""
    settings.DATA_DIR = tmp_path
    settings.MAIL_DIR = tmp_path / "mail"


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """A test whose rows other threads and processes must see; the append-only ledger is emptied after it."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        tables = [t for t in connection.introspection.table_names(cursor) if t.startswith(("payments_", "members_", "appeals_"))]
        kept = {"members_level", "members_levelname", "members_levelamount"}
        cursor.execute("TRUNCATE " + ", ".join(t for t in tables if t not in kept) + " CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")
