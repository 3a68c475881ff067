"""A stage for every journey: the product, the simulator and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from tests.stage import Stage, set_the_scene


@pytest.fixture
def stage(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    yield from set_the_scene(settings, tmp_path, Client())
