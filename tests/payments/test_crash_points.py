"""A process ends at a crash point only if DEBUG is on and CRASH_AT names that point."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from payments.crash_points import POINTS
from project import embedded

SCRIPT = "import django; django.setup(); from payments.crash_points import crash_at; crash_at('after-claim')"


@pytest.mark.parametrize(
    ("debug", "named", "expected"),
    [("1", "after-claim", 137), ("1", "after-commit", 0), ("1", "", 0), ("0", POINTS[0], 0)],
)
def test_where_it_dies(debug: str, named: str, expected: int) -> None:
    changed = {"DEBUG": debug, "CRASH_AT": named, "SECRET_KEY": "x" * 60, "DJANGO_SETTINGS_MODULE": "project.settings"}
    ended = subprocess.run([sys.executable, "-c", SCRIPT], cwd=embedded.BASE_DIR, env=os.environ | changed, check=False)
    assert ended.returncode == expected
