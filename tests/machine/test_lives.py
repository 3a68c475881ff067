"""The proof: random lives over the simulator and real PostgreSQL always end in the same books as Stripe's.

A minute in the suite, measured by time and not by number, and from the same seed on each time: a run that fails tells
of the change it runs on, not of luck. Longer, and from elsewhere, on demand: `MACHINE_SECONDS=3600 MACHINE_SEED=$RANDOM
make test ARGS="tests/machine -n 0"`. Seeds that once found something are in seeds.txt and are lived first. PostgreSQL
that stops while events arrive, and Redis that is gone, are real processes: tests/processes takes them away. Here nobody
ever wakes a worker, which is what lives without Redis are like.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings as django_settings
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from stripe_simulator import Chaos
from tests.conftest import empty_the_tables
from tests.machine.house import House, TimeIsUp
from tests.machine.lives import Lives
from tests.stage import Stage, set_the_scene

SECONDS = float(os.environ.get("MACHINE_SECONDS", "60"))
FIRST_SEED = int(os.environ.get("MACHINE_SEED", "1"))
SEEDS = Path(__file__).with_name("seeds.txt")
# So many lives are drawn from one seed, and so many things happen in each at most.
LIVES, STEPS = 6, 40


def test_every_life_ends_in_stripe_s_own_books(
    committed: None, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    Lives.stage_of = lambda: a_scene_of_its_own(tmp_path)
    House.lives = House.steps = 0
    began = time.monotonic()
    House.until = began + SECONDS
    saved = [int(line.split()[0]) for line in SEEDS.read_text().splitlines() if line and not line.startswith("#")]
    try:
        for number in chain(saved, count(FIRST_SEED)):
            live(number)
    except TimeIsUp:
        assert House.steps > House.lives
    finally:
        seconds = time.monotonic() - began
        record_property("figures", f"{House.lives} random lives, {House.steps} steps, {seconds:.0f} s")


def live(number: int) -> None:
    """The same number lives the same lives. One that fails belongs into seeds.txt, and its story into a journey."""
    try:
        run_state_machine_as_test(seed(number)(type("Lives", (Lives,), {})), settings=how_long())
    except Exception as problem:
        problem.add_note(f"seed {number} of tests/machine/seeds.txt")
        raise


def a_scene_of_its_own(tmp_path: Path) -> Iterator[Stage]:
    """What it sets ends with it: thousands of lives would bury one another's settings, or move each other's clock."""
    empty_the_tables()
    with override_settings(), TemporaryDirectory(dir=tmp_path) as folder:
        yield from set_the_scene(django_settings, Path(folder), Client(), Chaos(two_ids=0.1, seed=1))


def how_long() -> settings:
    """Nothing is made smaller: no two runs of one life are the same to the letter. What failed is told step by step."""
    return settings(
        max_examples=LIVES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=False,
        phases=[Phase.generate],
    )
