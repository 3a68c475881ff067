"""Events that never come: lost on the way, gone from Stripe's list, or never made. Nothing is lost for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from members import clock
from payments.books import settlements
from payments.models import Case, Difference, LedgerEntry, Payment, Reconciliation, Refund, StripeEvent, Subscription
from payments.reconciling import comparison, differences, invariants, missed_events
from stripe_simulator import Chaos
from tests import factories
from tests.stage import Stage, set_the_scene


@pytest.fixture
def lossy(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    yield from set_the_scene(settings, tmp_path, Client(), Chaos(drop=0.3, duplicate=0.1, shuffle=2, seed=11))


@pytest.fixture
def deaf(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    """Not one delivery arrives."""
    yield from set_the_scene(settings, tmp_path, Client(), Chaos(drop=1.0))


def live(stage: Stage) -> None:
    """Gifts once and monthly, a refund, a stop at Stripe; three in ten deliveries are lost."""
    for number in range(6):
        pay(stage, "month" if number % 2 else "once", f"r{number}@example.org")
    later(stage, days=5)
    charge = stage.stripe.events("charge.succeeded")[0]["data"]["object"]
    stage.stripe.refund(charge["payment_intent"], 300)
    subscription = stage.stripe.events("customer.subscription.created")[0]["data"]["object"]
    stage.stripe.cancel(subscription["id"])
    stage.settle_down()


def pay(stage: Stage, frequency: str = "once", email: str = "olena@example.org", amount: str = "10") -> None:
    stage.pay(stage.give(frequency, amount=amount, email=email))


def later(stage: Stage, **time: float) -> None:
    """Both clocks, without anything being delivered."""
    stage.stripe.advance(days=time.get("days", 0), seconds=time.get("seconds", 0))
    clock.move(timedelta(**time))


def compare(stage: Stage) -> Reconciliation:
    later(stage, seconds=600)
    run = comparison.run()
    assert run is not None
    assert run.error == ""
    return run


def open_ones() -> set[tuple[str, str]]:
    rows = Difference.objects.filter(state="open")
    return set(rows.values_list("kind", "field"))


def equal_to_stripe(stage: Stage) -> None:
    """The money and the subscriptions, counted at Stripe without any code of ours."""
    balance = stage.stripe.snapshot()["eur"]
    settled = LedgerEntry.objects.filter(kind="settlement")
    assert sum(line.settled_amount or 0 for line in settled) == balance["gross"]
    assert sum(line.fee or 0 for line in settled) == balance["fees"]
    for row in Subscription.objects.all():
        assert stage.stripe.get(row.stripe_subscription_id)["status"] == row.status
    assert invariants.broken() == []


def test_thirty_percent_lost_and_one_look_brings_all(lossy: Stage) -> None:
    live(lossy)
    lost = len([event for event in lossy.stripe.events() if not StripeEvent.objects.filter(pk=event["id"]).exists()])
    assert lost > 5
    run = missed_events.collect()
    assert run is not None
    assert (run.error, run.found) == ("", StripeEvent.objects.filter(is_listed=True).count())
    assert run.found > 3
    lossy.work()
    equal_to_stripe(lossy)
    assert Payment.objects.filter(status="succeeded").count() == len(lossy.stripe.events("charge.succeeded"))
    assert compare(lossy).found == 0


def test_looking_again_finds_nothing_new(lossy: Stage) -> None:
    live(lossy)
    missed_events.collect()
    lossy.work()
    rows = (Payment.objects.count(), LedgerEntry.objects.count(), StripeEvent.objects.count())
    run = missed_events.collect()
    assert run is not None
    assert run.found == 0
    assert rows == (Payment.objects.count(), LedgerEntry.objects.count(), StripeEvent.objects.count())


def test_a_listed_event_is_worked_like_one_that_came(deaf: Stage) -> None:
    pay(deaf)
    missed_events.collect()
    deaf.work()
    deaf.send_mail()
    assert Payment.objects.get().status == "succeeded"
    assert len(deaf.mails()) == 1
    event = StripeEvent.objects.filter(type="payment_intent.succeeded").get()
    assert event.is_listed
    assert event.body == next(iter(deaf.stripe.events("payment_intent.succeeded")))


def test_one_that_comes_after_all_is_here_already(stage: Stage) -> None:
    pay(stage)
    waiting = stage.stripe.outbox()
    missed_events.collect()
    assert StripeEvent.objects.count() > 2
    before = StripeEvent.objects.count()
    stage.stripe.deliver(waiting)
    # What came now besides are types of which nobody asked.
    assert StripeEvent.objects.exclude(state="ignored").count() == before
    stage.work()
    assert Payment.objects.count() == 1


def test_a_longer_silence_than_stripe_remembers(deaf: Stage, caplog) -> None:
    """31 days without us: events are gone, the comparison finds every object, and taking Stripe's settles it."""
    marta = factories.staff()
    missed_events.collect()
    assert compare(deaf).found == 0
    pay(deaf, "once")
    pay(deaf, "month", "b@example.org")
    deaf.stripe.refund(deaf.stripe.events("charge.succeeded")[0]["data"]["object"]["payment_intent"], 300)
    later(deaf, days=31, seconds=3600 * 3)
    caplog.clear()
    run = missed_events.collect()
    assert run is not None
    assert "are gone from Stripe's list" in caplog.text
    deaf.work()
    run = compare(deaf)
    found = Difference.objects.filter(state="open")
    assert {("payment", "missing"), ("refund", "missing"), ("balance_transaction", "missing")} <= open_ones()
    assert run.found == found.count()
    for kind in ("subscription", "payment", "refund", "dispute"):
        for row in Difference.objects.filter(state="open", kind=kind):
            differences.take(row, marta)
        deaf.work()
    compare(deaf)
    equal_to_stripe(deaf)
    assert Payment.objects.count() == 3
    assert Refund.objects.get().amount == 300
    assert Difference.objects.filter(state="open").count() == 0
    assert set(Difference.objects.values_list("state", flat=True)) == {"taken", "gone"}


def test_twenty_days_without_a_comparison(stage: Stage) -> None:
    """What changed in all that time is looked at, not only the last days."""
    assert compare(stage).found == 0
    later(stage, days=1)
    pay(stage)
    stage.stripe.hold()
    later(stage, days=20)
    run = compare(stage)
    assert ("payment", "missing") in open_ones()
    assert (run.until - run.since) > timedelta(days=20)


def test_a_subscription_that_ended_unheard(stage: Stage) -> None:
    stage.join("month")
    row = Subscription.objects.get()
    stage.stripe.cancel(row.stripe_subscription_id)
    compare(stage)
    assert ("subscription", "status") in open_ones()
    row.refresh_from_db()
    assert row.status == "active", "nothing is mended silently"
    differences.take(Difference.objects.get(kind="subscription", field="status"), factories.staff())
    stage.work()
    row.refresh_from_db()
    assert row.status == "canceled"
    assert compare(stage).found == 0


def test_a_renewal_that_nobody_told_is_found(deaf: Stage) -> None:
    """Its events are dropped; two days after the day a case is open, and the subscription is read again."""
    pay(deaf, "month")
    missed_events.collect()
    deaf.work()
    row = Subscription.objects.get()
    due = row.renews_on
    deaf.advance_to(due + timedelta(days=2))
    assert not Case.objects.filter(kind="renewal_missed").exists()
    deaf.advance(1)
    case = Case.objects.get(kind="renewal_missed")
    assert case.facts["renews_on"] == due.isoformat()
    row.refresh_from_db()
    assert row.renews_on > due
    deaf.advance(2)
    assert Case.objects.filter(kind="renewal_missed").count() == 1
    missed_events.collect()
    deaf.work()
    assert Payment.objects.filter(subscription=row).count() == 2
    settlements.collect()
    equal_to_stripe(deaf)
