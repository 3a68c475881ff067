"""Stripe's lists: all objects of a kind for the comparison, all of one customer. The part of client.py that is lists.

A page at a time, each within the budget of reads, so memory stays flat. Errors are those of client.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from payments.stripe_api import account, client, objects, values


def subscriptions() -> Iterator[list[objects.Subscription]]:
    """Every subscription that has not ended."""
    return client.listed(objects.subscription, client.connection().v1.subscriptions.list)


def ended_subscriptions(since: datetime) -> Iterator[list[objects.Subscription]]:
    """Those canceled since, and some before: Stripe asks for the end of the paid period, which is never earlier."""
    ends: Any = {"gte": int(since.timestamp())}
    return client.listed(
        objects.subscription, client.connection().v1.subscriptions.list, status="canceled", current_period_end=ends
    )


def charges(since: datetime, until: datetime) -> Iterator[list[objects.Charge]]:
    return client.listed(objects.charge, client.connection().v1.charges.list, created=_between(since, until))


def refunds(since: datetime, until: datetime) -> Iterator[list[objects.Refund]]:
    return client.listed(objects.refund, client.connection().v1.refunds.list, created=_between(since, until))


def disputes(since: datetime, until: datetime) -> Iterator[list[objects.Dispute]]:
    return client.listed(objects.dispute, client.connection().v1.disputes.list, created=_between(since, until))


def balance_transactions(since: datetime, until: datetime) -> Iterator[list[values.BalanceTransaction]]:
    sdk = client.connection().v1.balance_transactions
    return client.listed(account.balance_transaction, sdk.list, created=_between(since, until))


def moved(since: datetime, until: datetime) -> Iterator[list[values.BalanceTransaction]]:
    """The lines of the balance, each with what moved it."""
    sdk, whole = client.connection().v1.balance_transactions, ["data.source"]
    return client.listed(account.balance_transaction, sdk.list, created=_between(since, until), expand=whole)


def payouts(since: datetime, until: datetime) -> Iterator[list[values.Payout]]:
    return client.listed(account.payout, client.connection().v1.payouts.list, created=_between(since, until))


def subscriptions_of(customer: str) -> list[objects.Subscription]:
    """All of a customer's, ended ones too, without what they are paid from."""
    wanted: Any = {"customer": customer, "status": "all", "limit": 100}
    return list(map(objects.subscription, client.rows(lambda: client.connection().v1.subscriptions.list(wanted))))


def intents_of(customer: str) -> list[objects.PaymentIntent]:
    wanted: Any = {"customer": customer, "limit": 100}
    return list(map(objects.payment_intent, client.rows(lambda: client.connection().v1.payment_intents.list(wanted))))


def _between(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
