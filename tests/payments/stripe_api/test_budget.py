"""Reads from Stripe keep one pace for all processes together, and wait when Stripe asks to slow down."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from members import limits
from payments.errors import TooManyRequests
from payments.models import Payment, StripeEvent
from payments.reconciling import missed_events
from payments.stripe_api import budget, lists
from payments.stripe_api.sdk.connection import hurried
from tests.stage import Stage

READS = f"""
import time
from django.conf import settings
settings.configure(REDIS_URL={{url!r}}, STRIPE_READS_PER_SECOND={{rate}})
from members import limits
began = time.monotonic()
for _ in range({{count}}):
    time.sleep(limits.place("{budget.LINE}", settings.STRIPE_READS_PER_SECOND))
print(began, time.monotonic())
"""


def test_two_processes_share_one_pace(settings: Any) -> None:
    """Twenty reads each, forty a second: a budget for each process would be through in half a second."""
    program = READS.format(url=settings.REDIS_URL, rate=40, count=20)
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = [[float(word) for word in process.communicate(timeout=60)[0].split()] for process in both]
    assert max(end for _, end in times) - min(began for began, _ in times) >= 39 / 40 - 0.05


def test_without_redis_each_process_reads_at_a_quarter_of_it(settings: Any) -> None:
    settings.REDIS_URL, settings.STRIPE_READS_PER_SECOND = "redis://127.0.0.1:9/0", 100
    limits.reset()
    try:
        budget.wait()
        began = time.monotonic()
        for _ in range(5):
            budget.wait()
        assert time.monotonic() - began >= 5 * 4 / 100 - 0.05
    finally:
        limits.reset()


def test_a_list_waits_when_stripe_asks_to_slow_down_and_goes_on(stage: Stage) -> None:
    stage.pay(stage.give("once"))
    stage.stripe.fail("429", times=1, path="/v1/events")
    run = missed_events.collect()
    assert run is not None
    assert (run.error, run.found > 0) == ("", True)
    stage.work()
    assert Payment.objects.get().status == "succeeded"


def test_no_reader_waits_for_that(stage: Stage) -> None:
    stage.stripe.fail("429", times=1, path="/v1/subscriptions")
    began = time.monotonic()
    with hurried(), pytest.raises(TooManyRequests):
        lists.subscriptions_of("cus_unknown")
    assert time.monotonic() - began < 0.9


def test_events_wait_when_stripe_asks_to_slow_down_and_are_processed_afterwards(stage: Stage) -> None:
    stage.pay(stage.give("month"))
    stage.stripe.fail("429", times=100)
    stage.bring()
    stage.work()
    assert StripeEvent.objects.filter(error="Stripe did not answer: RateLimitError", state="pending").exists()
    assert not StripeEvent.objects.filter(failures__gt=0).exists()
    stage.stripe.clear_faults()
    StripeEvent.objects.filter(state="pending").update(next_try_at="2000-01-01T00:00:00Z")
    stage.settle_down()
    assert Payment.objects.get().status == "succeeded"
