"""What banks, Stripe and people at Stripe's dashboard do in a random life. All of it is told by events only."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from payments.models import Dispute, Subscription
from tests.machine.house import SHRUGGED_AT, House, one_of
from tests.machine.people import NUMBERS

UNUSED = {"unused_time_from": {"type": "none"}}
PAUSES = ["void", "keep_as_draft", "mark_uncollectible"]


class Banks(House):
    @rule(number=NUMBERS, share=st.sampled_from([3, 2, 1]), fails=st.booleans())
    def refunded_in_the_dashboard(self, number: int, share: int, fails: bool) -> None:
        if payment := self.received(number):
            with contextlib.suppress(*SHRUGGED_AT):  # more than is left, or disputed
                refund = self.stripe.refund(payment.stripe_payment_intent_id, max(1, payment.amount // share))
                if fails:
                    self.stripe.fail_refund(refund["id"])

    @rule(number=NUMBERS, ending=st.sampled_from(["open", "won", "lost"]), inquiry=st.booleans())
    def taken_back_by_the_bank(self, number: int, ending: str, inquiry: bool) -> None:
        if payment := self.received(number):
            with contextlib.suppress(*SHRUGGED_AT):  # disputed before, or refunded in full
                dispute = self.stripe.dispute(payment.stripe_payment_intent_id, inquiry=inquiry)
                if ending != "open":
                    self.stripe.close_dispute(dispute["id"], won=ending == "won")

    @rule(number=NUMBERS, won=st.booleans())
    def a_dispute_ends(self, number: int, won: bool) -> None:
        if dispute := one_of(Dispute.objects.filter(status__in=Dispute.OPEN), number):
            self.stripe.close_dispute(dispute.stripe_dispute_id, won=won)

    @rule(number=NUMBERS, succeeds=st.booleans())
    def the_bank_answers_about_a_debit(self, number: int, succeeds: bool) -> None:
        if charge := self.at_stripe("charge", number, status="pending"):
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.settle_sepa(charge["id"], succeeds=succeeds)

    @rule(number=NUMBERS)
    def a_debit_is_returned(self, number: int) -> None:
        """Days or weeks after it had come."""
        if payment := self.received(number, method__startswith="SEPA"):
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.dispute(payment.stripe_payment_intent_id, reason="debit_not_authorized")

    @rule(number=NUMBERS)
    def a_mandate_is_revoked(self, number: int) -> None:
        if method := self.at_stripe("payment_method", number, type="sepa_debit"):
            self.stripe.revoke_mandate(method["id"])

    @rule(number=NUMBERS)
    def a_card_gets_a_new_date(self, number: int) -> None:
        if method := self.at_stripe("payment_method", number, type="card"):
            self.stripe.update_card(method["id"], (12, 2044))

    @rule()
    def stripe_pays_out(self) -> None:
        self.stripe.payout()

    @rule(number=NUMBERS, is_called_back=st.booleans())
    def a_payout_comes_back(self, number: int, is_called_back: bool) -> None:
        if payout := self.at_stripe("payout", number, status="in_transit"):
            with contextlib.suppress(*SHRUGGED_AT):  # it has left for the bank
                (self.stripe.cancel_payout if is_called_back else self.stripe.fail_payout)(payout["id"])


class Dashboard(House):
    @rule(number=NUMBERS, at_period_end=st.booleans())
    def stopped_in_the_dashboard(self, number: int, at_period_end: bool) -> None:
        if subscription := self.alive(number):
            with contextlib.suppress(*SHRUGGED_AT):  # it had ended, and we have not heard of it
                self.stripe.cancel(subscription.stripe_subscription_id, at_period_end=at_period_end)

    @rule(number=NUMBERS, how=st.sampled_from([*PAUSES, ""]))
    def collection_paused_or_resumed(self, number: int, how: str) -> None:
        self._change(number, {"pause_collection": {"behavior": how} if how else ""})

    @rule(number=NUMBERS, resumes=st.booleans())
    def paused_or_resumed_as_a_whole(self, number: int, resumes: bool) -> None:
        if subscription := one_of(Subscription.objects.all(), number):
            with contextlib.suppress(*SHRUGGED_AT):
                if resumes:
                    self.dashboard.subscriptions.resume(subscription.stripe_subscription_id, {})
                else:
                    how: Any = {"type": "subscription", "bill_for": UNUSED}
                    self.dashboard.subscriptions.pause(subscription.stripe_subscription_id, how)

    @rule(number=NUMBERS, amount=st.sampled_from([500, 1500, 4000]))
    def another_amount(self, number: int, amount: int) -> None:
        if subscription := self.alive(number):
            item = self.stripe.get(subscription.stripe_subscription_id)["items"]["data"][0]
            known = item["price"]
            price = {"currency": known["currency"], "product": known["product"], "unit_amount": amount}
            price["recurring"] = {"interval": known["recurring"]["interval"]}
            self._change(number, {"items": [{"id": item["id"], "price_data": price}], "proration_behavior": "none"})

    @rule(number=NUMBERS)
    def a_method_is_detached(self, number: int) -> None:
        if method := self.at_stripe("payment_method", number):
            with contextlib.suppress(*SHRUGGED_AT):
                self.dashboard.payment_methods.detach(method["id"])

    @rule(number=NUMBERS)
    def a_customer_is_renamed(self, number: int) -> None:
        if customer := self.at_stripe("customer", number):
            with contextlib.suppress(*SHRUGGED_AT):
                self.dashboard.customers.update(customer["id"], {"name": "Somebody"})

    @rule(number=NUMBERS)
    def a_customer_is_deleted(self, number: int) -> None:
        if customer := self.at_stripe("customer", number):
            with contextlib.suppress(*SHRUGGED_AT):
                self.dashboard.customers.delete(customer["id"])

    def _change(self, number: int, change: Any) -> None:
        if subscription := self.alive(number):
            with contextlib.suppress(*SHRUGGED_AT):
                self.dashboard.subscriptions.update(subscription.stripe_subscription_id, change)
