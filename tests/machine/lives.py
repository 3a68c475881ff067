"""Random lives: people give, cards fail, banks take back, Stripe answers badly, events come late, twice, or never.

At rest everything is told and worked; then the books must equal Stripe's balance to the minor unit, per currency.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import stripe
from django.db import transaction
from django.db.models import Model, QuerySet
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from members import clock
from members.models import Message
from payments import changes, comparison, missed_events
from payments.errors import AlreadyStopped, StripeRefused, StripeUnavailable
from payments.models import Checkout, Difference, LedgerEntry, Payment, StripeEvent, Subscription
from payments.stripe_api.simulator.errors import StripeRefusal
from payments.webhooks import inbox
from tests.stage import KEY, Stage

CARDS = ["4242424242424242", "4000000000000341", "4000000000000002", "4000002500003155"]
ACCOUNTS = ["DE89370400440532013000", "DE62370400440532013001"]
PEOPLE = ["olena@example.org", "marko@example.org", "ira@example.org"]
Row = TypeVar("Row", bound=Model)
GIFTS = st.sampled_from([("once", "25"), ("month", "10"), ("month", "20"), ("year", "100")])


class Lives(RuleBasedStateMachine):
    """On a fresh stage that the test gives, in a transaction that is rolled back.

    What is drawn never depends on what happened: faults meet threads, so no two runs of one life are the same to the
    letter, and Hypothesis could not repeat one. A rule for which nobody is there does nothing.
    """

    stage_of: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()
        self.scene = self.stage_of()
        self.stage: Stage = next(self.scene)
        self.sdk = stripe.StripeClient(KEY, base_addresses={"api": self.stage.stripe.base_url})
        self.undo = transaction.atomic()
        self.undo._from_testcase = True  # a durable block inside it is as good as outermost
        self.undo.__enter__()

    # What people do

    @rule(
        gift=GIFTS, who=st.sampled_from(PEOPLE), currency=st.sampled_from(["EUR", "USD"]), card=st.sampled_from(CARDS)
    )
    def gives_by_card(self, gift: tuple[str, str], who: str, currency: str, card: str) -> None:
        checkout = self.stage.give(gift[0], amount=gift[1], email=who, currency=currency)
        self.stage.pay(checkout, card=card, **({"authenticate": True} if card == CARDS[3] else {}))

    @rule(gift=GIFTS, who=st.sampled_from(PEOPLE), account=st.sampled_from(ACCOUNTS))
    def gives_by_debit(self, gift: tuple[str, str], who: str, account: str) -> None:
        self.stage.pay(self.stage.give(gift[0], amount=gift[1], email=who), iban=account)

    @rule(number=st.integers(0, 9))
    def stops_from_a_letter(self, number: int) -> None:
        if subscription := self._alive(number):
            with contextlib.suppress(AlreadyStopped, StripeRefused, StripeUnavailable):
                changes.request_stop(subscription, "mail")

    @rule(number=st.integers(0, 9), card=st.sampled_from(CARDS[:2]))
    def takes_another_card(self, number: int, card: str) -> None:
        if subscription := _one_of(Subscription.objects.all(), number):
            self.stage.stripe.set_payment_method(subscription.stripe_customer_id, card, retry_now=True)

    # What banks and the dashboard do

    @rule(number=st.integers(0, 9), share=st.sampled_from([3, 2, 1]), fails=st.booleans())
    def refunded_in_the_dashboard(self, number: int, share: int, fails: bool) -> None:
        payment = self._received(number)
        if not payment:
            return
        with contextlib.suppress(StripeRefusal):  # more than is left, or disputed: Stripe says no
            refund = self.stage.stripe.refund(payment.stripe_payment_intent_id, max(1, payment.amount // share))
            if fails:
                self.stage.stripe.fail_refund(refund["id"])

    @rule(number=st.integers(0, 9), ending=st.sampled_from(["open", "won", "lost"]), inquiry=st.booleans())
    def taken_back_by_the_bank(self, number: int, ending: str, inquiry: bool) -> None:
        payment = self._received(number)
        if not payment:
            return
        with contextlib.suppress(StripeRefusal):  # disputed before, or refunded in full
            dispute = self.stage.stripe.dispute(payment.stripe_payment_intent_id, inquiry=inquiry)
            if ending != "open":
                self.stage.stripe.close_dispute(dispute["id"], won=ending == "won")

    @rule(number=st.integers(0, 9), at_period_end=st.booleans())
    def stopped_in_the_dashboard(self, number: int, at_period_end: bool) -> None:
        if subscription := self._alive(number):
            with contextlib.suppress(StripeRefusal):  # it had ended, and we have not heard of it
                self.stage.stripe.cancel(subscription.stripe_subscription_id, at_period_end=at_period_end)

    @rule(number=st.integers(0, 9), change=st.sampled_from(["pause", "resume", "amount"]))
    def changed_in_the_dashboard(self, number: int, change: str) -> None:
        if subscription := self._alive(number):
            stripe_id = subscription.stripe_subscription_id
            with contextlib.suppress(stripe.StripeError):  # it had ended, or Stripe has a bad day
                self.sdk.v1.subscriptions.update(stripe_id, self._change(stripe_id, change))

    def _change(self, stripe_id: str, change: str) -> Any:
        if change != "amount":
            return {"pause_collection": {"behavior": "void"} if change == "pause" else ""}
        item = self.stage.stripe.get(stripe_id)["items"]["data"][0]
        price = {"currency": item["price"]["currency"], "product": item["price"]["product"], "unit_amount": 1500}
        price["recurring"] = {"interval": item["price"]["recurring"]["interval"]}
        return {"items": [{"id": item["id"], "price_data": price}], "proration_behavior": "none"}

    # Time, and what happens to messages

    @rule(days=st.sampled_from([1, 6, 33]))
    def time_passes(self, days: int) -> None:
        self._missed_are_collected()
        self.stage.stripe.advance(days=days)
        clock.move(timedelta(days=days))

    @rule(seed=st.integers(0, 10_000), loses=st.booleans())
    def some_events_come(self, seed: int, loses: bool) -> None:
        """Some of what waits, in any order, some of it twice, some of it never."""
        dice = Random(seed)
        chosen = [event for event in self._on_their_way() if dice.random() < 0.6]
        dice.shuffle(chosen)
        if loses:
            self.lost |= {event["id"] for event in chosen[:2]}
        for event in chosen[2 if loses else 0 :]:
            for _ in range(dice.choice([1, 1, 2])):
                assert self.stage.post(event) == 200

    @rule()
    def a_drain_dies_with_events_in_its_hands(self) -> None:
        inbox.claim(3)

    @rule()
    def the_drain_works(self) -> None:
        self.stage.work()

    @rule(kind=st.sampled_from(["500", "429", "commit_then_500", "drop"]), times=st.integers(1, 4))
    def stripe_has_a_bad_day(self, kind: str, times: int) -> None:
        self.stage.stripe.fail(kind, times=times, path="/v1/subscriptions")

    # At rest

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            self.books_equal_stripe_s()
            self.states_equal_stripe_s()
            self.the_comparison_finds_nothing()
            self.thanked_at_most_once()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            self.scene.close()

    def come_to_rest(self) -> None:
        self.stage.stripe.clear_faults()
        StripeEvent.objects.update(lease_until=None)
        while waiting := self._on_their_way():
            assert set(self.stage.stripe.deliver(waiting)) == {200}
            self.stage.work()
        self._missed_are_collected()
        self.stage.work()
        self.stage.send_mail()
        waiting = StripeEvent.objects.filter(state__in=[*StripeEvent.WAITING, "dead"])
        assert not waiting.exists(), [(e.type, e.error) for e in waiting]

    def books_equal_stripe_s(self) -> None:
        assert self.stage.books()["broken"] == []
        ours = Counter[str]()
        for line in LedgerEntry.objects.filter(kind="settlement"):
            ours[f"{line.settled_currency.lower()} gross"] += line.settled_amount or 0
            ours[f"{line.settled_currency.lower()} fees"] += line.fee or 0
        theirs = Counter[str]()
        for currency, sums in self.stage.stripe.snapshot().items():
            theirs[f"{currency} gross"], theirs[f"{currency} fees"] = sums["gross"], sums["fees"]
        assert +ours == +theirs
        assert -ours == -theirs

    def states_equal_stripe_s(self) -> None:
        for row in Subscription.objects.all():
            theirs = self.stage.stripe.get(row.stripe_subscription_id)
            assert row.status == theirs["status"]
            assert row.cancel_at_period_end == theirs["cancel_at_period_end"]
            assert row.amount == theirs["items"]["data"][0]["price"]["unit_amount"]
            assert row.collection_paused == bool(theirs["pause_collection"])
        for payment in Payment.objects.exclude(stripe_payment_intent_id=None):
            theirs = self.stage.stripe.get(payment.stripe_payment_intent_id)
            assert (payment.status == "succeeded") == (theirs["status"] == "succeeded"), (
                payment.stripe_payment_intent_id
            )

    def the_comparison_finds_nothing(self) -> None:
        """Books that are right must not look wrong: whatever was lived through, no difference is told."""
        clock.move(timedelta(minutes=10))
        run = comparison.run()
        assert run is not None
        assert list(Difference.objects.values_list("kind", "stripe_id", "field", "ours", "theirs")) == []
        assert run.error == ""
        assert run.looked_at > 0 or not Payment.objects.filter(status="succeeded").exists()

    def thanked_at_most_once(self) -> None:
        for checkout in Checkout.objects.all():
            root = str(checkout.public_id)
            thanks = Message.objects.filter(kind__startswith="thanks_first", key__contains=root).count()
            arrived = checkout.payments.filter(status="succeeded").count()
            assert thanks <= min(1, arrived)
            done = Message.objects.filter(kind="processing_done", key__in=_keys(checkout)).count()
            assert thanks + done == arrived

    def _on_their_way(self) -> list[dict[str, Any]]:
        return [event for event in self.stage.stripe.outbox() if event["id"] not in self.lost]

    def _missed_are_collected(self) -> None:
        """As every quarter of an hour. Stripe answering badly ends a run; the next one begins where it began."""
        missed_events.collect()

    def _received(self, number: int) -> Payment | None:
        return _one_of(Payment.objects.filter(status="succeeded"), number)

    def _alive(self, number: int) -> Subscription | None:
        return _one_of(Subscription.objects.alive(), number)


def _one_of(rows: QuerySet[Row], number: int) -> Row | None:
    """The same number finds the same row, as long as there are as many."""
    count = rows.count()
    return rows.order_by("pk")[number % count] if count else None


def _keys(checkout: Checkout) -> list[str]:
    return [f"processing_done:{payment.public_id}" for payment in checkout.payments.all()]
