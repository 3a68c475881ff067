"""Accidents that have happened to others, each once as a story: what comes together, comes at once, or is too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import stripe
from django.db import connection
from django.test import Client

from members import clock, people
from members.models import Membership, Message
from payments.models import Case, LedgerEntry, Payment, StripeEvent, Subscription
from payments.reconciling import comparison
from payments.stripe_api import lists
from payments.webhooks import drain
from tests import factories
from tests.stage import KEY, Stage, link, set_the_scene


@pytest.fixture
def crowd(committed: None, settings, tmp_path: Path) -> Iterator[Stage]:
    """A stage whose rows other threads see."""
    yield from set_the_scene(settings, tmp_path, Client())


def one() -> Subscription:
    return Subscription.objects.get()


def test_the_address_was_mistyped_and_the_thanks_still_wait(stage: Stage) -> None:
    """Staff correct it while the mail server is away: the thanks reach who gave, and nobody else."""
    stage.pay(stage.give("month", amount="10", email="olnea@example.org"), card="4242424242424242")
    while stage.bring():
        stage.work()
    people.correct_address(one().supporter, "olena@example.org", factories.staff())
    stage.send_mail()
    assert [mail["To"] for mail in stage.mails()] == ["olena@example.org"]


def test_recovered_and_then_stopped(stage: Stage) -> None:
    """A renewal fails, another card pays it, then the reader stops: nothing more is charged, what was paid stays."""
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep_until(one().renews_on + timedelta(days=2))
    assert one().status == "past_due"
    stage.stripe.set_payment_method(one().stripe_customer_id, retry_now=True)
    stage.settle_down()
    assert one().status == "active"
    assert Payment.objects.filter(status="succeeded").count() == 2
    paid_through = Membership.objects.get().paid_through
    stop = link(stage.last_mail(), "/stop/")
    assert 'data-state="done"' in stage.client.post(stop).content.decode()
    stage.settle_down()
    assert one().is_stopping
    stage.sleep_until(paid_through + timedelta(days=40))
    assert (one().status, Payment.objects.filter(status="succeeded").count()) == ("canceled", 2)
    assert Membership.objects.get().ended_on == paid_through + timedelta(days=1)
    kinds = list(Message.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["thanks_first_recurring", "payment_failed_1", "payment_recovered", "cancelled", "ended"]
    assert stage.books()["broken"] == []


def test_a_patron_with_a_hundred_and_one_instalments(stage: Stage) -> None:
    """More than a page of everything: eight and a half years of one monthly gift, booked and compared to the last."""
    stage.pay(stage.give("month", amount="10"), expires=(12, 2045))
    stage.settle_down()
    days = 31 * 101
    clock.move(timedelta(days=days))
    stage.stripe.advance(days=days)
    stage.settle_down()
    paid = Payment.objects.filter(status="succeeded").count()
    assert paid > 101
    assert len(lists.intents_of(one().stripe_customer_id)) == paid
    stage.stripe.advance(seconds=600)
    clock.move(timedelta(seconds=600))
    run = comparison.run()
    assert run is not None
    assert (run.error, run.found) == ("", 0)
    assert run.looked_at > 2 * paid
    stage.client.force_login(factories.staff())
    page = f"/admin/members/supporter/{one().supporter_id}/change/"
    assert stage.client.get(page).status_code == 200
    assert stage.books()["broken"] == []


@pytest.mark.parametrize("first", [0, 1])
def test_two_changes_within_one_second_told_in_either_order(stage: Stage, first: int) -> None:
    """Stripe's `created` has whole seconds: the last state is read, not guessed from the order."""
    stage.join("month", amount="10")
    sdk = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    for number, pause in enumerate(({"behavior": "void"}, "")):
        change = {"pause_collection": pause}
        sdk.v1.subscriptions.update(one().stripe_subscription_id, change, {"idempotency_key": f"dashboard:{number}"})
    events = stage.stripe.outbox()
    told = [event for event in events if event["type"] == "customer.subscription.updated"]
    assert len(told) == 2
    same = [event | {"created": told[0]["created"]} for event in told]
    for event in (same[first], same[1 - first]):
        assert stage.post(event) == 200
        stage.work()
    assert (one().status, one().collection_paused) == ("active", False)
    assert stage.stripe.get(one().stripe_subscription_id)["pause_collection"] is None


def test_three_events_of_one_subscription_at_once(crowd: Stage) -> None:
    """Three drains, each with another first event of the same gift: one patron, one payment, one letter."""
    crowd.pay(crowd.give("month", amount="10"))
    wanted = {"checkout.session.completed", "customer.subscription.created", "invoice.paid"}
    told = [event for event in crowd.stripe.outbox() if event["type"] in wanted]
    assert {event["type"] for event in told} == wanted
    for event in told:
        assert crowd.post(event) == 200
    gate, problems = threading.Barrier(3), []

    def work() -> None:
        gate.wait()
        try:
            for _ in range(50):
                drain.work(limit=1)
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    crowd.settle_down()
    assert set(StripeEvent.objects.filter(pk__in=[event["id"] for event in told]).values_list("state", flat=True)) == {
        "processed"
    }
    assert (Subscription.objects.count(), Payment.objects.count(), Membership.objects.count()) == (1, 1, 1)
    assert LedgerEntry.objects.filter(kind="charge").count() == 1
    assert (len(crowd.mails()), Case.objects.count()) == (1, 0)
