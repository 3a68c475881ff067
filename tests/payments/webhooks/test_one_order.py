"""One order a customer: while somebody reads an object from Stripe and applies it, nobody applies anything newer.

Each story lets a second drain work in the moment between a read and its effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import stripe
from django.db import connection
from django.test import Client
from django.utils import timezone

from members.links import signed
from payments import locks
from payments.inbox import queue
from payments.models import Checkout, Difference, Dispute, Payment, Refund, StripeEvent, Subscription
from payments.reconciling import differences
from payments.recurring import previews
from payments.stripe_api import client
from payments.webhooks import drain, lanes
from tests import factories
from tests.stage import KEY, Stage, set_the_scene

Between = Callable[[str, Callable[[], Any]], None]


@pytest.fixture
def stage(committed: None, settings: Any, tmp_path: Path) -> Iterator[Stage]:
    """A stage whose rows are committed, so that another drain sees them."""
    yield from set_the_scene(settings, tmp_path, Client())


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> Between:
    """Let something happen at Stripe, and a second drain work, between the next such read and its effects."""

    def set_trap(name: str, happens: Callable[[], Any]) -> None:
        read, waiting = getattr(client, name), [happens]

        def interrupted(*arguments: Any) -> Any:
            found = read(*arguments)
            if waiting:
                waiting.pop()()
                stage.bring()
                other = Thread(target=_work_as_another)
                other.start()
                other.join(30)
                assert not other.is_alive()
            return found

        monkeypatch.setattr(client, name, interrupted)

    return set_trap


def _work_as_another() -> None:
    try:
        drain.work()
    finally:
        connection.close()


def return_page(checkout: Checkout) -> str:
    return Client().get(f"/support/return/{signed.sign('return', str(checkout.public_id))}/").content.decode()


def difference(kind: str, stripe_id: str) -> Difference:
    """Return an open difference in the status of an object."""
    return Difference.objects.create(
        kind=kind, stripe_id=stripe_id, field="status", ours="a", theirs="b", happened_at=timezone.now()
    )


def test_the_return_page_does_not_undo_a_stop(stage: Stage, between: Between) -> None:
    checkout = stage.give("month")
    stage.pay(checkout)
    subscription = stage.stripe.get(checkout.stripe_session_id)["subscription"]
    between("read_session", lambda: stage.stripe.cancel(subscription, at_period_end=True))
    return_page(checkout)
    stage.settle_down()
    assert Subscription.objects.get().cancel_at_period_end


def test_the_return_page_of_a_known_gift_does_not_undo_a_stop(stage: Stage, between: Between) -> None:
    checkout = stage.join("month")
    subscription = Subscription.objects.get()
    between("read_session", lambda: stage.stripe.cancel(subscription.stripe_subscription_id, at_period_end=True))
    queue.request_sync("checkout.session", checkout.stripe_session_id or "")
    drain.work()
    stage.settle_down()
    subscription.refresh_from_db()
    assert subscription.cancel_at_period_end


def test_a_difference_that_is_accepted_does_not_undo_a_stop(stage: Stage, between: Between) -> None:
    stage.join("month")
    subscription = Subscription.objects.get()
    found = difference("subscription", subscription.stripe_subscription_id)
    differences.take(found, factories.staff())
    between("read_subscription", lambda: stage.stripe.cancel(subscription.stripe_subscription_id, at_period_end=True))
    drain.work()
    stage.settle_down()
    subscription.refresh_from_db()
    assert subscription.cancel_at_period_end


def test_a_card_that_was_removed_does_not_undo_a_stop(stage: Stage, between: Between) -> None:
    stage.join("month")
    subscription = Subscription.objects.get()
    dashboard = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url}).v1
    dashboard.payment_methods.detach(subscription.stripe_payment_method_id)
    stage.bring()
    between("read_subscription", lambda: stage.stripe.cancel(subscription.stripe_subscription_id, at_period_end=True))
    drain.work()
    stage.settle_down()
    subscription.refresh_from_db()
    assert subscription.cancel_at_period_end


@pytest.mark.parametrize("frequency", ["month", "once"])
def test_a_dispute_that_is_accepted_does_not_reopen_a_closed_one(
    stage: Stage, between: Between, frequency: str
) -> None:
    stage.join(frequency)
    dispute = stage.stripe.dispute(Payment.objects.get().stripe_payment_intent_id)
    stage.settle_down()
    found = difference("dispute", dispute["id"])
    differences.take(found, factories.staff())
    between("read_dispute", lambda: stage.stripe.close_dispute(dispute["id"], won=False))
    drain.work()
    stage.settle_down()
    assert Dispute.objects.get().status == "lost"


@pytest.mark.parametrize("frequency", ["month", "once"])
def test_a_refund_that_is_read_by_its_id_alone_has_the_order_of_their_customer(
    stage: Stage, between: Between, frequency: str
) -> None:
    """It is not in our rows yet, so that only the read shows whose payment it gives back."""
    stage.join(frequency)
    payment = Payment.objects.get()
    refund = stage.stripe.refund(payment.stripe_payment_intent_id, 100)
    queue.request_sync("refund", refund["id"])
    between("read_refund", lambda: stage.stripe.fail_refund(refund["id"]))
    drain.work()
    stage.settle_down()
    assert Refund.objects.get().status == "failed"


def test_a_preview_of_the_next_sum_does_not_stand_for_a_newer_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its customer is being processed the sum is not known, and the email names none."""
    monkeypatch.setattr(previews, "PATIENCE_SECONDS", 0.1)
    stage.join("month", amount="10")
    row = Subscription.objects.get()
    Subscription.objects.update(next_amount=1000, is_sum_sure=False)
    due = list(Subscription.objects.all())
    held = Thread(target=_hold, args=(row.stripe_customer_id, lambda: _preview(due)))
    held.start()
    held.join(30)
    row.refresh_from_db()
    assert row.next_amount is None
    previews.store(row)
    row.refresh_from_db()
    assert row.next_amount == 1000


def _preview(rows: list[Subscription]) -> None:
    try:
        for row in rows:
            previews.store(row)
    finally:
        connection.close()


def test_everything_of_one_customer_has_one_lane(stage: Stage) -> None:
    stage.join("month")
    payment, subscription = Payment.objects.get(), Subscription.objects.get()
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    StripeEvent.objects.all().delete()
    for kind, stripe_id in (
        ("checkout.session", Checkout.objects.get().stripe_session_id),
        ("subscription", subscription.stripe_subscription_id),
        ("payment_intent", payment.stripe_payment_intent_id),
        ("dispute", dispute["id"]),
    ):
        queue.request_sync(kind, stripe_id or "")
    assert [lane.key for lane in lanes.of(StripeEvent.objects.all())] == [subscription.stripe_customer_id]


def test_the_lanes_of_many_events_take_one_query(db: None, django_assert_num_queries: Any) -> None:
    for number in range(20):
        queue.request_sync("payment_intent", f"pi_{number}")
    events = list(StripeEvent.objects.all())
    with django_assert_num_queries(1):
        assert len(lanes.of(events)) == 20


def test_the_thank_you_stands_on_the_first_view_without_any_event(stage: Stage) -> None:
    checkout = stage.give("month")
    stage.pay(checkout)
    page = return_page(checkout)
    assert 'data-state="paid"' in page
    assert Payment.objects.get().status == "succeeded"
    stage.settle_down()
    assert Payment.objects.count() == 1
    assert StripeEvent.objects.filter(is_sync=True).count() == 1


def test_while_the_customer_is_locked_the_page_waits_and_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.views.returning.PATIENCE_SECONDS", 0.2)
    checkout = stage.give("month")
    stage.pay(checkout)
    customer = stage.stripe.get(checkout.stripe_session_id)["customer"]
    held = Thread(target=_hold, args=(customer, lambda: pages.append(return_page(checkout))))
    pages: list[str] = []
    held.start()
    held.join(30)
    assert 'data-state="checking"' in pages[0]
    row = StripeEvent.objects.get(is_sync=True)
    assert (row.state, row.attempts, row.lease_until) == ("pending", 0, None)
    stage.work()
    assert 'data-state="paid"' in return_page(checkout)


def _hold(name: str, then: Callable[[], Any]) -> None:
    """Hold a lane's lock on a connection of its own, while something else happens on another one."""
    try:
        with locks.held(name):
            other = Thread(target=then)
            other.start()
            other.join(30)
    finally:
        connection.close()


def test_while_stripe_is_silent_the_page_waits_and_says_so(stage: Stage) -> None:
    checkout = stage.give("month")
    stage.pay(checkout)
    stage.stripe.fail("500", times=1000, method="GET")
    assert 'data-state="checking"' in return_page(checkout)
    stage.stripe.clear_faults()
    stage.work()
    assert 'data-state="paid"' in return_page(checkout)


def test_one_session_is_read_at_most_six_times_as_one_row(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.giving.checkout.LOOK_EVERY_SECONDS", -1)
    checkout = stage.give("month")
    before = len(_session_reads(stage))
    for _ in range(10):
        assert 'data-state="checking"' in return_page(checkout)
    assert len(_session_reads(stage)) - before == 6
    assert StripeEvent.objects.filter(is_sync=True).count() == 1


def _session_reads(stage: Stage) -> list[str]:
    sessions = "/v1/checkout/sessions/"
    return [each.path for each in stage.stripe.requests if each.method == "GET" and each.path.startswith(sessions)]
