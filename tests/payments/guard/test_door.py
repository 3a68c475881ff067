"""The door: guarded under an attack, closed to the suspicious, back by itself, and unmoved by honest declines."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import clock
from payments.guard import door, tries
from payments.guard.door import State
from payments.models import Checkout, DoorPeriod, FailedTry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _movable_clock(settings) -> None:
    settings.DEBUG = True
    clock.reset()


def fail(count: int, **facts: object) -> None:
    number = FailedTry.objects.count()
    known = {"tried_at": clock.now(), **facts}
    FailedTry.objects.bulk_create(FailedTry(key=f"ch_{number + n}", **known) for n in range(count))


def pay(count: int) -> None:
    done = {"status": Checkout.Status.COMPLETE, "completed_at": clock.now()}
    for _ in range(count):
        factories.checkout(**done, created_at=clock.now())


def states(minutes: int) -> list[str]:
    """The states that follow each other while time passes, judged every minute."""
    found = [str(door.state())]
    for _ in range(minutes):
        clock.move(timedelta(minutes=1))
        if (now := str(door.judge())) != found[-1]:
            found.append(now)
    return found


def test_it_is_open_as_always() -> None:
    assert door.judge() == State.NORMAL == door.state()
    assert not DoorPeriod.objects.exists()


def test_thirty_declines_are_borne_and_one_more_is_not() -> None:
    fail(30)
    assert door.judge() == State.NORMAL
    fail(1)
    assert door.judge() == State.GUARDED == door.state()
    period = DoorPeriod.objects.get()
    assert (period.declines, period.until) == (31, None)


def test_an_evening_on_which_one_card_in_twenty_fails_moves_nothing() -> None:
    pay(240)
    for _ in range(12):
        fail(1)
        assert door.judge() == State.NORMAL
    fail(28)  # 40 of 280: an evening on which one in seven fails is none
    assert door.judge() == State.NORMAL
    fail(1)
    assert door.judge() == State.GUARDED


def test_it_closes_to_the_suspicious_only_while_there_are_some() -> None:
    fail(40, networks=[])
    door.judge()
    assert door.judge() == State.GUARDED
    fail(10, networks=["0:mark"])
    assert door.judge() == State.CLOSED
    assert list(DoorPeriod.objects.values_list("state", "suspects").order_by("pk")) == [("guarded", 0), ("closed", 1)]
    assert DoorPeriod.objects.filter(until=None).count() == 1


def test_it_goes_back_by_itself_step_by_step() -> None:
    fail(60, networks=["0:mark"])
    door.judge()
    door.judge()
    assert states(150) == ["closed", "guarded", "normal"]
    assert not DoorPeriod.objects.filter(until=None).exists()


def test_it_does_not_flap_under_an_attack_that_comes_and_goes() -> None:
    changes = []
    for minute in range(180):
        clock.move(timedelta(minutes=1))
        if minute % 10 == 0:
            fail(11)
        changes.append(door.judge())
    assert sum(one != other for one, other in pairwise(changes)) == 1
    assert changes[-1] == State.GUARDED


def test_a_state_lasts_half_an_hour_at_least() -> None:
    fail(31)
    door.judge()
    FailedTry.objects.all().delete()
    assert states(29) == ["guarded"]
    assert states(2) == ["guarded", "normal"]


def test_more_gifts_than_the_limit_guard_it_and_never_close_it(settings) -> None:
    settings.CHECKOUT_LIMIT_IN_ALL = 10
    for _ in range(10):
        tries.note_origin(factories.checkout(), ["0:mark"])
    assert door.judge() == State.NORMAL
    assert door.judge(is_busy=True) == State.GUARDED
    assert states(31) == ["guarded", "normal"]
    for _ in range(11):
        tries.note_origin(factories.checkout(), ["0:mark"])
    assert door.judge() == State.GUARDED


def test_judging_is_a_handful_of_queries() -> None:
    fail(40, networks=["0:mark"])
    door.judge()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        door.judge()
    assert len(captured) <= 16
