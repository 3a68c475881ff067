"""The proof: random lives over the simulator and real PostgreSQL always end in the same books as Stripe's.

A dozen lives in the suite; longer on demand: `MACHINE_LIVES=2000 make test ARGS="tests/machine"`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings as django_settings
from django.test import Client, override_settings
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.lives import Lives
from tests.stage import Stage, set_the_scene

LIVES = int(os.environ.get("MACHINE_LIVES", "12"))


def test_every_life_ends_in_stripe_s_own_books(db, tmp_path: Path) -> None:
    Lives.stage_of = lambda machine: a_scene_of_its_own(tmp_path)
    run_state_machine_as_test(Lives, settings=how_long())


def a_scene_of_its_own(tmp_path: Path) -> Iterator[Stage]:
    """What it sets ends with it: thousands of lives would bury one another's settings, or move each other's clock."""
    with override_settings(), TemporaryDirectory(dir=tmp_path) as folder:
        yield from set_the_scene(django_settings, Path(folder), Client())


def how_long() -> settings:
    return settings(
        max_examples=LIVES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
        print_blob=True,
    )  # fmt: skip
