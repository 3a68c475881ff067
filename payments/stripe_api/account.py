"""Convert Stripe's objects about the account into our values: balance, payouts, customers, webhook endpoints.

The objects of gifts are in objects.py. Called by client.py and lists.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from payments.stripe_api import means, objects
from payments.stripe_api.account_values import (
    BalanceTransaction,
    Customer,
    Mandate,
    MethodConfiguration,
    Payout,
    WebhookEndpoint,
)
from payments.stripe_api.fields import id_of, moment
from payments.stripe_api.values import Charge, Dispute, Refund

Raw = Mapping[str, Any]


def balance_transaction(raw: Raw) -> BalanceTransaction:
    rate = raw.get("exchange_rate")
    return BalanceTransaction(
        id=raw["id"],
        type=raw["type"],
        source=id_of(raw.get("source")),
        amount=raw["amount"],
        currency=raw["currency"].upper(),
        fee=raw["fee"],
        exchange_rate=None if rate is None else Decimal(str(rate)),
        created_at=moment(raw["created"]),
        of=_moved_by(raw.get("source")),
        category=raw.get("reporting_category") or "",
    )


def _moved_by(source: Any) -> Charge | Refund | Dispute | None:
    """Return the charge, refund or dispute that moved the balance; None for other sources, or if not expanded."""
    if not isinstance(source, Mapping):
        return None
    if source["object"] == "charge":
        return objects.charge(source)
    if source["object"] == "refund":
        return objects.refund(source)
    return objects.dispute(source) if source["object"] == "dispute" else None


def mandate(raw: Raw) -> Mandate:
    return Mandate(id=raw["id"], status=raw["status"], method_id=id_of(raw.get("payment_method")))


def payout(raw: Raw) -> Payout:
    return Payout(
        id=raw["id"],
        status=raw["status"],
        is_automatic=raw["automatic"],
        has_lines=raw.get("reconciliation_status") == "completed",
        amount=raw["amount"],
        currency=raw["currency"].upper(),
        arrives_on=moment(raw["arrival_date"]).date(),
        failure_code=raw.get("failure_code") or "",
        created_at=moment(raw["created"]),
    )


def customer(raw: Raw) -> Customer:
    """Return Stripe's customer; the address of a deleted one is ""."""
    is_deleted = raw.get("deleted") is True
    method_id = id_of(means.of_customer(raw))
    return Customer(id=raw["id"], email=raw.get("email") or "", method_id=method_id, is_deleted=is_deleted)


def method_configuration(raw: Raw) -> MethodConfiguration:
    on = [name for name, given in raw.items() if isinstance(given, Mapping) and given.get("available")]
    return MethodConfiguration(id=raw["id"], is_default=bool(raw.get("is_default")), methods=frozenset(on))


def webhook_endpoint(raw: Raw) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=raw["id"],
        url=raw["url"],
        is_enabled=raw["status"] == "enabled",
        api_version=raw.get("api_version") or "",
        event_types=frozenset(raw["enabled_events"]),
    )
