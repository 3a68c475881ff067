"""Stripe's objects as the rest of the software uses them: frozen dataclasses with our own field names.

Made by objects.py and account.py. Amounts are in Stripe's minor units, currency codes in upper case, times aware. A
missing id or text is "". `checkout` is the public id of our Checkout from Stripe's metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from payments import rhythms
from payments.stripe_api.billing import bills, prices
from payments.stripe_api.trying.failed import FailedTry


@dataclass(frozen=True)
class Charge:
    id: str
    payment_intent: str
    customer: str
    checkout: str
    status: str
    amount: int
    currency: str
    method: str
    created_at: datetime


@dataclass(frozen=True)
class PaymentIntent:
    """A PaymentIntent. `amount` is the amount received if it succeeded. `error_code` is the bank's or Stripe's.

    `paid_at` is when the money arrived (see means.came_at), or when the intent was made if its charge is not expanded.
    """

    id: str
    customer: str
    checkout: str
    status: str
    amount: int
    currency: str
    charge: str
    method: str
    error_code: str
    created_at: datetime
    paid_at: datetime
    failed: FailedTry | None = None

    @property
    def is_on_its_way(self) -> bool:
        """Return whether the money was received, or is ordered at the bank."""
        return self.status in {"succeeded", "processing"}

    @property
    def awaits_giver(self) -> bool:
        """Return whether its giver must do something: pay a voucher, order a transfer, confirm small deposits."""
        return self.status == "requires_action"

    @property
    def never_came(self) -> bool:
        """Return whether it is over and nothing was ever charged, as with a voucher that nobody paid."""
        return self.status in {"canceled", "requires_payment_method"} and not self.charge


@dataclass(frozen=True)
class Subscription:
    """A subscription. `amount` is per `interval_count` intervals, and 0 if Stripe works it out at each billing.

    `unusual` says why our forms would not have made it (billing/prices.py); `interval` is "" if its items have several.
    `has_balance`: credit or debt of the customer changes the next invoice. `item` and `product` are ids of the first
    item. `method` is in words, such as "Visa 4242": the subscription's own, else the customer's default;
    `own_method_id` and `customers_method_id` keep the two apart. `lacks_method`: there is nothing to charge (see
    means.lacks_method). `resumes_at` is the end of a pause, None for a pause without one.
    """

    id: str
    customer: str
    checkout: str
    status: str
    amount: int
    currency: str
    interval: str
    interval_count: int
    unusual: tuple[str, ...]
    has_balance: bool
    item: str
    product: str
    method: str
    method_id: str
    lacks_method: bool
    method_expires_on: date | None
    collection_paused: bool
    resumes_at: datetime | None
    started_at: datetime
    current_period_end: datetime
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    ended_reason: str
    own_method_id: str = ""
    customers_method_id: str = ""
    customers_method_made_at: datetime | None = None

    @property
    def knows_methods(self) -> bool:
        """Return whether all is known about how it is paid. With an invoice, the customer's default is only an id."""
        is_id_only = bool(self.customers_method_id) and self.customers_method_made_at is None
        return not is_id_only or self.own_method_id == self.customers_method_id

    @property
    def frequency(self) -> str:
        return rhythms.frequency(self.interval, self.interval_count)

    @property
    def rhythm(self) -> str:
        return rhythms.text(self.interval, self.interval_count)

    @property
    def is_as_offered(self) -> bool:
        """Return whether our forms could have made it, so that another amount changes nothing else."""
        return not self.unusual

    @property
    def is_sum_sure(self) -> bool:
        """Return whether the next payment takes `amount`, as far as Stripe's object says.

        Not with a balance or a planned change, and not if it pays for the days until an end date only.
        """
        is_plain = not self.has_balance and prices.PLANNED not in self.unusual
        return self.amount > 0 and is_plain and not self._ends_in_next_period

    @property
    def _ends_in_next_period(self) -> bool:
        """Return whether the subscription ends, by an end date, in the period that follows the current one.

        Stripe charges that period in part: https://docs.stripe.com/api/subscriptions/update (cancel_at).
        """
        if self.cancel_at is None or self.cancel_at <= self.current_period_end:
            return False
        period_end = rhythms.later(self.current_period_end.date(), self.interval, self.interval_count)
        return period_end is None or self.cancel_at.date() <= period_end

    @property
    def is_collected(self) -> bool:
        """Return whether Stripe takes the payments itself, rather than sending a bill."""
        return prices.BILL not in self.unusual


@dataclass(frozen=True)
class Invoice:
    """An invoice of a subscription. `has_price`: it bills a period of the gift, even if nothing is left to pay.

    `monthly` is that price per month. `due` is what Stripe had to take: with prorations, taxes, credit and debt.
    `amount` is what its own payment took, or what is left to take; `parts` are other payments that paid of it.
    `payment_intent` is that of its own payment (bills.payment); `charge` is what paid it, "" outside Stripe. `agreed`
    is the subscription. All need expanding. `advances`: Stripe finishes and collects it by itself.
    """

    id: str
    customer: str
    subscription: str
    checkout: str
    status: str
    is_first: bool
    amount: int
    currency: str
    has_price: bool
    monthly: int
    due: int
    attempts: int
    advances: bool
    next_attempt_at: datetime | None
    period_end: datetime
    paid_at: datetime | None
    created_at: datetime
    payment_intent: PaymentIntent | None
    charge: str
    parts: tuple[bills.Part, ...]
    agreed: Subscription | None
    hosted_url: str

    @property
    def is_with_bank(self) -> bool:
        return self.payment_intent is not None and self.payment_intent.status == "processing"

    @property
    def can_be_voided(self) -> bool:
        """Return whether it is a draft or open, and its money is not with the bank.

        https://docs.stripe.com/invoicing/integration/workflow-transitions
        """
        return self.status in {"draft", "open"} and not self.is_with_bank

    @property
    def charged_at(self) -> datetime:
        """Return when the attempt that paid it began: when its PaymentIntent was made, else when it was paid.

        When it was paid also after failed attempts, which the same intent has seen. The intent of a bank debit is made
        days before its money arrives.
        """
        paid_at = self.paid_at or self.created_at
        return self.payment_intent.created_at if self.payment_intent and self.attempts <= 1 else paid_at


@dataclass(frozen=True)
class Session:
    """A Checkout Session. `payment_intent` and `subscription` are None unless they exist and were expanded.

    One of other software may have neither amount nor currency: 0 and "".
    """

    id: str
    checkout: str
    email: str
    name: str
    locale: str
    created_at: datetime
    customer: str
    status: str
    payment_status: str
    amount: int
    currency: str
    payment_intent: PaymentIntent | None
    subscription: Subscription | None
    invoice: str

    @property
    def led_to_money(self) -> bool:
        """Return whether it led to a subscription, or to a payment that was received or is with the bank."""
        intent = self.payment_intent
        return bool(self.subscription or (intent and intent.is_on_its_way))


@dataclass(frozen=True)
class Refund:
    """A refund. `request` is the public id of our RefundRequest. `returned_at`: when a failed one's money came back.

    `has_taken_money`: whether it has reduced Stripe's balance; one that waits for money in the balance has not.
    """

    id: str
    charge: str
    payment_intent: str
    status: str
    amount: int
    currency: str
    request: str
    reason: str
    failure_reason: str
    returned_at: datetime | None
    has_taken_money: bool
    created_at: datetime


class Returned(NamedTuple):
    """Disputed money that came back: all that did until then, in minor units of the dispute's currency."""

    sum: int
    at: datetime


@dataclass(frozen=True)
class FraudWarning:
    """A card's issuer says that a payment may be fraudulent; `kind` is Stripe's word for it."""

    id: str
    charge: str
    payment_intent: str
    kind: str


@dataclass(frozen=True)
class Dispute:
    """A dispute. `withdrawn_at` is when it was taken from our balance at Stripe, `parts` are what was given back."""

    id: str
    charge: str
    payment_intent: str
    status: str
    reason: str
    amount: int
    currency: str
    withdrawn_at: datetime | None
    parts: tuple[Returned, ...]
    respond_by: datetime | None
    created_at: datetime

    @property
    def taken(self) -> int:
        """Return the amount withdrawn at present, in minor units: 0 before the withdrawal, less what came back."""
        return self.amount - (self.parts[-1].sum if self.parts else 0) if self.withdrawn_at else 0
