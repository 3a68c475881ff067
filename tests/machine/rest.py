"""The end of a random life: everything is told and worked. Then our books are Stripe's, and every wish was carried out.

After a silence longer than Stripe's memory of events, staff take what the comparison finds; without one it must find
nothing.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from members import clock
from members.models import Membership, Message
from payments.books import payouts
from payments.errors import AlreadyClosed, NotYet
from payments.models import (
    Case,
    Checkout,
    Difference,
    LedgerEntry,
    MethodChange,
    OverdueTry,
    Payment,
    Payout,
    RefundRequest,
    StripeEvent,
    Subscription,
    SubscriptionChange,
    UnpaidInvoice,
)
from payments.reconciling import comparison, differences, missed_events
from payments.recurring import unanswered
from payments.stripe_api.objects import METADATA_REFUND_REQUEST
from tests.machine.promises import Promises

ROUNDS = 8
THANKS = ("thanks_first_once", "thanks_repeat_once", "thanks_first_recurring")
OVER = ("canceled", "incomplete_expired")


class Rest(Promises):
    def teardown(self) -> None:
        try:
            self.come_to_rest()
            self.is_well()
        finally:
            self.scene.close()

    def is_well(self) -> None:
        self.books_are_stripe_s()
        self.states_are_stripe_s()
        self.wishes_were_carried_out()
        self.memberships_can_be_computed()
        self.thanked_at_most_once()
        self.letters_are_true()
        self.what_came_twice_is_in_view()

    def come_to_rest(self) -> None:
        self.stripe.clear_faults()
        self.dies_at = ""
        for _ in range(ROUNDS):
            self.passes(timedelta(minutes=12))
            StripeEvent.objects.update(lease_until=None)
            self._everything_is_told()
            unanswered.retry()
            self.stage.work()
            if not self.on_their_way() and not self._open_requests():
                break
        self._agree_with_stripe()
        self.stage.send_mail()
        waiting = StripeEvent.objects.filter(state__in=[*StripeEvent.WAITING, "dead"])
        assert not waiting.exists(), [(e.type, e.error) for e in waiting]

    def _everything_is_told(self) -> None:
        while waiting := self.on_their_way():
            assert set(self.stripe.deliver(waiting)) == {200}
            self.stage.work()
        missed_events.collect()
        self.stage.work()

    def _open_requests(self) -> list[Any]:
        unseen = {"state__in": RefundRequest.UNSEEN}
        tries = OverdueTry.objects.filter(state=OverdueTry.State.REQUESTED)  # what came of one is the payment's state
        moves = MethodChange.objects.filter(state__in=MethodChange.UNSEEN)
        return [*moves, *RefundRequest.objects.filter(**unseen), *SubscriptionChange.objects.filter(**unseen), *tries]

    def _agree_with_stripe(self) -> None:
        """Books that are right must not look wrong; what a silence swallowed is found, and taken as Stripe says it."""
        for _ in range(ROUNDS if self.was_silent else 0):
            self._compare()
            takeable = [each for each in Difference.objects.filter(state="open") if differences.can_take(each)]
            for each in takeable:
                with contextlib.suppress(NotYet, AlreadyClosed):
                    differences.take(each, self.marta)
            if not takeable:
                break
            self.stage.work()
            self._everything_is_told()
        self._compare()
        left = Difference.objects.filter(state="open").values_list("kind", "stripe_id", "field", "ours", "theirs")
        assert list(left) == []

    def _compare(self) -> None:
        """The whole life, however much of it was compared before."""
        self.passes(timedelta(minutes=12))
        run = comparison.run(self.began)
        assert run is not None
        assert run.error == ""
        assert run.looked_at > 0 or not Payment.objects.filter(status="succeeded").exists()

    # What must be true then

    def books_are_stripe_s(self) -> None:
        assert self.stage.books()["broken"] == []
        ours = Counter[str]()
        for line in LedgerEntry.objects.filter(kind="settlement"):
            ours[f"{line.settled_currency.lower()} gross"] += line.settled_amount or 0
            ours[f"{line.settled_currency.lower()} fees"] += line.fee or 0
        theirs = Counter[str]()
        for line in self.stripe.world.store.all("balance_transaction"):
            with_bank = self.stripe.world.store.find(line["source"]).get("status") == "pending"
            if not (line["type"].startswith("payout") or (line["type"] == "payment" and with_bank)):
                theirs[f"{line['currency']} gross"] += line["amount"]
                theirs[f"{line['currency']} fees"] += line["fee"]
        assert (+ours, -ours) == (+theirs, -theirs)
        assert list(Payout.objects.exclude(unexplained=None).exclude(unexplained=0)) == []
        assert [payout for payout in Payout.objects.all() if payouts.holding(payout).missing] == []

    def states_are_stripe_s(self) -> None:
        for row in Subscription.objects.all():
            theirs = self.stripe.get(row.stripe_subscription_id)
            assert row.status == theirs["status"]
            assert row.cancel_at_period_end == theirs["cancel_at_period_end"]
            assert row.amount == _named(theirs)
            assert row.collection_paused == bool(theirs["pause_collection"])
        theirs = self.stripe.world.store.where("invoice", status="draft", auto_advance=True)
        ours = UnpaidInvoice.objects.values_list("stripe_invoice_id", flat=True)
        assert self.was_silent or sorted(ours) == sorted(each["id"] for each in theirs if each["amount_due"])
        for payment in Payment.objects.exclude(stripe_payment_intent_id=None):
            theirs = self.stripe.get(payment.stripe_payment_intent_id)
            has_come = theirs["status"] == "succeeded"
            assert (payment.status == "succeeded") == has_come, payment.stripe_payment_intent_id
        known = set(Payment.objects.values_list("stripe_payment_intent_id", flat=True))
        come = {each["id"] for each in self.stripe.world.store.where("payment_intent", status="succeeded")}
        assert come <= known

    def wishes_were_carried_out(self) -> None:
        assert self._open_requests() == []
        last = {row.pk: _last_wish(row) for row in Subscription.objects.all()}
        for change in [each for each in last.values() if each and each.kind == "stop" and not self._was_undone(each)]:
            theirs = self.stripe.get(change.subscription.stripe_subscription_id)
            is_ending = theirs["cancel_at_period_end"] or theirs["cancel_at"] is not None
            assert theirs["status"] in OVER or is_ending, change.subscription.stripe_subscription_id
            self._nothing_was_kept_after(change)
        made = Counter(each["metadata"].get(METADATA_REFUND_REQUEST) for each in self.stripe.world.store.all("refund"))
        for request in RefundRequest.objects.all():
            assert made[str(request.public_id)] == (0 if request.state == "failed" else 1)

    def _was_undone(self, stop: SubscriptionChange) -> bool:
        """Whether staff took a stop back in the dashboard, or agreed on another end."""
        stripe_id = stop.subscription.stripe_subscription_id
        return any(id == stripe_id and at >= stop.requested_at for id, at in self.stops_undone)

    def _nothing_was_kept_after(self, change: SubscriptionChange) -> None:
        """Whoever had asked to stop was charged no more, or has it back, or staff see why not."""
        asked_at = change.requested_at.timestamp()
        for payment in change.subscription.payments.filter(status="succeeded"):
            if self.stripe.get(payment.stripe_invoice_id or payment.stripe_charge_id)["created"] > asked_at:
                is_back = payment.amount == payment.refunded_amount + payment.disputed_amount
                refused = payment.refund_requests.filter(state="failed")
                returned = payment.refunds.filter(status__in=["failed", "canceled"])
                assert is_back or refused.exists() or returned.exists() or payment.disputes.exists(), payment.pk

    def memberships_can_be_computed(self) -> None:
        """From the payments alone: since when, through when, and at which level."""
        for row in Subscription.objects.exclude(membership=None).select_related("membership__level"):
            membership, paid = row.membership, list(_paying_for_time(row))
            assert isinstance(membership, Membership)
            through = {max(each.paid_through, clock.day_of(each.paid_at)) for each in paid}
            first = [clock.day_of(each.paid_at) for each in paid]
            if row.credited_through:  # a period that the customer's credit paid, or a coupon
                through.add(row.credited_through)
                first.append(membership.starts_on)
            assert membership.paid_through == max(through)
            assert membership.starts_on == min(first)
            assert (membership.ended_on is not None) == (row.ended_at is not None)
        unpaid = Subscription.objects.filter(membership=None, payments__status="succeeded")
        assert not unpaid.exists()

    def thanked_at_most_once(self) -> None:
        for checkout in Checkout.objects.all():
            root = str(checkout.public_id)
            thanks = Message.objects.filter(kind__in=THANKS, key__contains=root).count()
            arrived = checkout.payments.filter(status="succeeded").count()
            assert thanks <= min(1, arrived)
            done = Message.objects.filter(kind="processing_done", key__in=_keys(checkout)).count()
            assert thanks + done == arrived

    def what_came_twice_is_in_view(self) -> None:
        """One form, one session that can be paid; one intent, one payment; two that may be one are shown to staff."""
        for checkout in Checkout.objects.all():
            made = self.stripe.world.store.where("checkout.session", client_reference_id=str(checkout.public_id))
            assert sum(session["status"] == "open" for session in made) <= 1
            assert checkout.payments.filter(status="succeeded").count() <= 1
        both = Case.objects.filter(kind="duplicate_subscription").values_list("facts", flat=True)
        shown = {pk for facts in both for pk in facts["subscriptions"]}
        for supporter in {row.supporter for row in Subscription.objects.alive().select_related("supporter")}:
            mine = {row.pk for row in supporter.subscriptions.alive() if not self._was_ever_stopped(row)}
            assert len(mine) < 2 or mine <= shown

    def _was_ever_stopped(self, row: Subscription) -> bool:
        """Whoever stops and joins again has given nothing twice, also if they then keep the first gift after all."""
        seen = [event["data"]["object"] for event in self.stripe.events("customer.subscription.updated")]
        ends = {each["id"] for each in seen if each["cancel_at_period_end"] or each["cancel_at"]}
        return row.stripe_subscription_id in ends or row.changes.filter(kind="stop").exists()


def _named(theirs: dict[str, Any]) -> int:
    """The sum that may be named of a gift: all items together, nothing with a discount or fractions of a cent."""
    items = theirs["items"]["data"]
    if theirs["discounts"] or any(item["price"]["unit_amount"] is None for item in items):
        return 0
    return sum(item["price"]["unit_amount"] * item["quantity"] for item in items)


def _last_wish(row: Subscription) -> SubscriptionChange | None:
    """The newest wish to stop or to go on that stands: a stop that is not overtaken, and to go on not refused.

    Staff may overtake an amount in the dashboard after it took back a stop.
    """
    wishes = row.changes.exclude(kind="stop", state="overtaken").exclude(~Q(kind="stop"), state="failed")
    return next((each for each in wishes if each.kind == "stop" or each.takes_back_a_stop), None)


def _paying_for_time(row: Subscription) -> QuerySet[Payment]:
    """A part of an invoice that is still open pays for no time yet."""
    return row.payments.filter(status="succeeded").exclude(stripe_invoice_id=None, paid_through=None)


def _keys(checkout: Checkout) -> list[str]:
    return [f"processing_done:{payment.public_id}" for payment in checkout.payments.all()]
