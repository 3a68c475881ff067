"""Stripe's objects as the rest of the software sees them: frozen values without Stripe's shapes.

Made by objects.py from what Stripe sends. Amounts are Stripe's minor units, currency codes upper case, moments aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where Stripe sends which events, in which version. `api_version` is "" for the account's own default."""

    id: str
    url: str
    is_enabled: bool
    api_version: str
    event_types: frozenset[str]


@dataclass(frozen=True)
class Customer:
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
        """Received, or ordered at the bank."""
        return self.status in {"succeeded", "processing"}


@dataclass(frozen=True)
class Subscription:
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
    """`billed` is the price when the bill was made.

    `payment_intent` is the default payment's, `agreed` the subscription: both only there when read.
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
    """A Checkout Session, read with what it led to expanded."""

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
        """Money that came or is on its way, or an agreement to give it."""
        intent = self.payment_intent
        return bool(self.subscription or (intent and intent.is_on_its_way))


@dataclass(frozen=True)
class Refund:
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
    """One line of Stripe's balance. Amount and fee in minor units of `currency`, which is the settlement currency.

    `of` is what moved the balance, only there when the line was listed with it; None for what is Stripe's own.
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
    """`withdrawn_at` and `returned_at`: when Stripe's balance lost it, and when it got it back."""

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
        """What the balance has lost to it as it stands now."""
        return self.amount if self.withdrawn_at and not self.returned_at else 0


@dataclass(frozen=True)
class Mandate:
    id: str
    status: str
    method_id: str


@dataclass(frozen=True)
class Payout:
    """`has_lines`: Stripe says that every line in it is known, which it does only for automatic payouts."""

    id: str
    status: str
    is_automatic: bool
    has_lines: bool
    amount: int
    currency: str
    arrives_on: date
    failure_code: str
    created_at: datetime
