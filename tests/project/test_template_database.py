"""The template that test databases are copied from is never an old one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from project.embedded import BASE_DIR
from tests.database import template_name

CHANGES = [
    ("payments/migrations/9999_new.py", "# a migration more"),
    ("members/models/people.py", "# a model that is another"),
    ("project/settings.py", "# a setting that is another"),
    ("requirements.txt", "# another version of Django"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for app in ("members", "appeals", "payments", "project"):
        shutil.copytree(BASE_DIR / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(BASE_DIR / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("path", "more"), CHANGES)
def test_another_database_has_another_name(tree: Path, path: str, more: str) -> None:
    before = template_name(tree)
    with open(tree / path, "a") as file:
        file.write(more)
    assert template_name(tree) != before


def test_the_same_files_have_the_same_name(tree: Path) -> None:
    before = template_name(tree)
    (tree / "payments" / "daily.py").write_text("# no database follows from this")
    assert template_name(tree) == before


def test_the_copy_is_what_migrations_make(db: None) -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    call_command("migrate", "--check", "--no-input", verbosity=0)
