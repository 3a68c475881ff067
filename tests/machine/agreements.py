"""What staff agree on with a patron in Stripe's dashboard in a random life, beyond what our forms offer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from members import clock
from payments.models import Subscription
from tests.machine.house import SHRUGGED_AT, House, one_of
from tests.machine.people import NUMBERS

RHYTHMS = [("month", 1), ("month", 3), ("month", 12), ("week", 1), ("year", 1)]
# A price of fractions of a cent has no `unit_amount`.
FRACTIONS = None
# Days from today: within this period, in the next one, years ahead.
ENDS = [3, 10, 45, 70, 400, 1500]


class Agreements(House):
    @rule(
        number=NUMBERS,
        amount=st.sampled_from([600, 1800, FRACTIONS]),
        rhythm=st.sampled_from(RHYTHMS),
        quantity=st.sampled_from([1, 1, 3]),
    )
    def another_price(self, number: int, amount: int | None, rhythm: tuple[str, int], quantity: int) -> None:
        interval, count = rhythm
        self._agree(number, lambda id: self.stripe.set_price(id, amount, interval, count=count, quantity=quantity))

    @rule(number=NUMBERS, amount=st.sampled_from([300, 700]), quantity=st.integers(1, 2))
    def another_item(self, number: int, amount: int, quantity: int) -> None:
        self._agree(number, lambda id: self.stripe.add_item(id, amount, quantity=quantity))

    @rule(number=NUMBERS, percent=st.sampled_from([25, 50, 100]))
    def a_coupon(self, number: int, percent: int) -> None:
        self._agree(number, lambda id: self.stripe.discount(id, percent))

    @rule(number=NUMBERS, amount=st.sampled_from([400, 3000, -150]))
    def credit_or_a_debt(self, number: int, amount: int) -> None:
        if subscription := one_of(Subscription.objects.all(), number):
            self.by_hand.append((subscription.stripe_customer_id, clock.now()))
            with contextlib.suppress(*SHRUGGED_AT):  # the customer was deleted
                self.stripe.credit(subscription.stripe_customer_id, amount)

    @rule(number=NUMBERS, amounts=st.sampled_from([(-300, 550), (250,), (-5000,)]))
    def a_proration(self, number: int, amounts: tuple[int, ...]) -> None:
        if subscription := self.alive(number):
            self.by_hand.append((subscription.stripe_subscription_id, clock.now()))
        self._agree(number, lambda id: self.stripe.prorate(id, *amounts))

    @rule(number=NUMBERS, days=st.sampled_from(ENDS))
    def an_end_date(self, number: int, days: int) -> None:
        at = int((clock.now() + timedelta(days=days)).timestamp())
        self._set_end(number, at)

    @rule(number=NUMBERS)
    def no_end_date(self, number: int) -> None:
        self._set_end(number, "")

    @rule(number=NUMBERS, days=st.sampled_from([2, 20, 50]))
    def another_billing_day(self, number: int, days: int) -> None:
        self._agree(number, lambda id: self.stripe.move_billing_day(id, days))

    @rule(number=NUMBERS, part=st.sampled_from([0, 100, 400]))
    def an_invoice_is_paid_by_another_payment(self, number: int, part: int) -> None:
        """A part of the first one of a gift that never begins stays a difference, which a person decides on."""
        if invoice := self.at_stripe("invoice", number, status="open"):
            part = 0 if invoice["billing_reason"] == "subscription_create" else part
            self.paid_by_hand.add(invoice["id"])
            with contextlib.suppress(*SHRUGGED_AT):
                self.stripe.pay_by_another(invoice["id"], amount=part)

    @rule(number=NUMBERS, reason=st.sampled_from(["payment_disputed", "canceled_by_retention_policy"]))
    def ends_by_itself(self, number: int, reason: str) -> None:
        self._agree(number, lambda id: self.stripe.end_for(id, reason))

    def _set_end(self, number: int, at: int | Literal[""]) -> None:
        if subscription := self.alive(number):
            self.stops_undone.append((subscription.stripe_subscription_id, clock.now()))
        self._agree(number, lambda id: self.dashboard.subscriptions.update(id, {"cancel_at": at}))

    def _agree(self, number: int, act: Callable[[str], object]) -> None:
        """Do this to a gift that is alive as far as we know; Stripe may know better, or say no."""
        if subscription := self.alive(number):
            with contextlib.suppress(*SHRUGGED_AT):
                act(subscription.stripe_subscription_id)
