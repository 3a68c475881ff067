"""Stripe's objects as the rest of the software uses them: frozen dataclasses with our own field names.

Made by objects.py and account.py. Amounts are in Stripe's minor units, currency codes in upper case, times aware. A
missing id or text is "". `checkout` is the public id of our Checkout from Stripe's metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class WebhookEndpoint:
    """An address to which Stripe sends events. `api_version` is "" for the account's default version."""

    id: str
    url: str
    is_enabled: bool
    api_version: str
    event_types: frozenset[str]


@dataclass(frozen=True)
class Customer:
    """A customer. `email` is "" for a deleted one."""

    id: str
    email: str


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

    @property
    def is_on_its_way(self) -> bool:
        """Return whether the money was received, or is ordered at the bank."""
        return self.status in {"succeeded", "processing"}


@dataclass(frozen=True)
class Subscription:
    """A subscription. `amount` is per `interval` ("month" or "year"); `item` and `product` are ids.

    `method` is in words, such as "Visa 4242". `lacks_method`: there is nothing to charge (see means.lacks_method).
    `resumes_at` is the end of a pause, None for a pause without one.
    """

    id: str
    customer: str
    checkout: str
    status: str
    amount: int
    currency: str
    interval: str
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


@dataclass(frozen=True)
class Invoice:
    """An invoice of a subscription. `billed` is the price when the invoice was made, without prorations.

    `payment_intent` is that of the default payment, `agreed` is the subscription: None unless they were expanded.
    """

    id: str
    customer: str
    subscription: str
    checkout: str
    status: str
    is_first: bool
    amount: int
    currency: str
    billed: int
    attempts: int
    next_attempt_at: datetime | None
    period_end: datetime
    paid_at: datetime | None
    created_at: datetime
    payment_intent: PaymentIntent | None
    agreed: Subscription | None
    hosted_url: str


@dataclass(frozen=True)
class Session:
    """A Checkout Session. `payment_intent` and `subscription` are None unless they exist and were expanded."""

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


@dataclass(frozen=True)
class BalanceTransaction:
    """A line of Stripe's balance. Amount and fee are in minor units of `currency`, the settlement currency.

    `of` is the object that caused it, None if it was not expanded or is none of these, such as a fee of Stripe's.
    """

    id: str
    type: str
    source: str
    amount: int
    currency: str
    fee: int
    exchange_rate: Decimal | None
    created_at: datetime
    of: Charge | Refund | Dispute | None = None


@dataclass(frozen=True)
class Dispute:
    """A dispute. `withdrawn_at` and `returned_at`: when it was taken from our balance at Stripe, and given back."""

    id: str
    charge: str
    payment_intent: str
    status: str
    reason: str
    amount: int
    currency: str
    withdrawn_at: datetime | None
    returned_at: datetime | None
    respond_by: datetime | None
    created_at: datetime

    @property
    def taken(self) -> int:
        """Return the amount withdrawn at present, in minor units: 0 before the withdrawal and after its return."""
        return self.amount if self.withdrawn_at and not self.returned_at else 0


@dataclass(frozen=True)
class Mandate:
    """A bank's permission to debit an account. `status` is Stripe's: active, inactive or pending."""

    id: str
    status: str
    method_id: str


@dataclass(frozen=True)
class Payout:
    """A payout. `has_lines`: Stripe reports that all its balance transactions are known; only for automatic payouts."""

    id: str
    status: str
    is_automatic: bool
    has_lines: bool
    amount: int
    currency: str
    arrives_on: date
    failure_code: str
    created_at: datetime
