"""Objects of a Stripe account that are no gift: its customers, balance, payouts, ways to pay, webhook endpoints.

Made by account.py from Stripe's objects. Amounts are in Stripe's minor units, currency codes in upper case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from payments.stripe_api.values import Charge, Dispute, Refund


@dataclass(frozen=True)
class WebhookEndpoint:
    """An address to which Stripe sends events. `api_version` is "" for the account's default version."""

    id: str
    url: str
    is_enabled: bool
    api_version: str
    event_types: frozenset[str]


@dataclass(frozen=True)
class MethodConfiguration:
    """A set of ways to pay at Stripe. `methods` are Stripe's names of those that may be offered."""

    id: str
    is_default: bool
    methods: frozenset[str]


@dataclass(frozen=True)
class Customer:
    """A customer. `email` is "" for a deleted one, `method_id` is the default payment method for invoices."""

    id: str
    email: str
    method_id: str
    is_deleted: bool = False


@dataclass(frozen=True)
class Mandate:
    """A bank's permission to debit an account. `status` is Stripe's: active, inactive or pending."""

    id: str
    status: str
    method_id: str


@dataclass(frozen=True)
class BalanceTransaction:
    """A line of Stripe's balance. Amount and fee are in minor units of `currency`, the settlement currency.

    `of` is the object that caused it, None if it was not expanded or is none of these, such as a fee of Stripe's.
    `category` is Stripe's reporting category, which tells the fee of a dispute from the disputed money.
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
    category: str = ""


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
