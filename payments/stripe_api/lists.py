"""Stripe's lists: all objects of a kind in a span of time, and all that belong to another object. Reads only.

Iterators yield a page or a row at a time, so that memory stays flat; each page waits for the budget of reads. Errors
are those of client.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from payments.stripe_api import account, account_values, client, objects


def subscriptions() -> Iterator[list[objects.Subscription]]:
    """Iterate over pages of all subscriptions that are not canceled."""
    return client.listed(objects.subscription, client.connection().v1.subscriptions.list)


def ended_subscriptions(since: datetime) -> Iterator[list[objects.Subscription]]:
    """Iterate over pages of the subscriptions canceled since then, and some canceled before.

    Stripe filters by the end of the paid period, which is never before the cancellation.
    """
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


def balance_transactions(since: datetime, until: datetime) -> Iterator[list[account_values.BalanceTransaction]]:
    sdk = client.connection().v1.balance_transactions
    return client.listed(account.balance_transaction, sdk.list, created=_between(since, until))


def moved(since: datetime, until: datetime) -> Iterator[list[account_values.BalanceTransaction]]:
    """Iterate over pages of balance transactions, each with the object that caused it in `of`."""
    sdk = client.connection().v1.balance_transactions
    return client.listed(account.balance_transaction, sdk.list, created=_between(since, until), expand=["data.source"])


def payouts(since: datetime, until: datetime) -> Iterator[list[account_values.Payout]]:
    return client.listed(account.payout, client.connection().v1.payouts.list, created=_between(since, until))


def subscriptions_of(customer: str) -> list[objects.Subscription]:
    """Return all subscriptions of a customer, ended ones included. Their `method` is "", because it is not expanded."""
    wanted: Any = {"customer": customer, "status": "all", "limit": 100}
    return list(map(objects.subscription, client.rows(lambda: client.connection().v1.subscriptions.list(wanted))))


def intents_of(customer: str) -> list[objects.PaymentIntent]:
    wanted: Any = {"customer": customer, "limit": 100}
    return list(map(objects.payment_intent, client.rows(lambda: client.connection().v1.payment_intents.list(wanted))))


def unpaid_invoices_of(subscription_id: str) -> list[str]:
    """Return the ids of a subscription's invoices that are drafts or open."""
    return [*_invoices_of(subscription_id, "draft"), *_invoices_of(subscription_id, "open")]


def _invoices_of(subscription_id: str, status: str) -> Iterator[str]:
    wanted: Any = {"subscription": subscription_id, "status": status, "limit": 100}
    return (str(raw["id"]) for raw in client.rows(lambda: client.connection().v1.invoices.list(wanted)))


def sessions_of(led_to: Mapping[str, str]) -> list[objects.Session]:
    """Return the sessions that led to `{"payment_intent": id}` or `{"subscription": id}`.

    In a list these are not expanded: the sessions' `payment_intent` and `subscription` are None.
    """
    wanted: Any = {**led_to, "limit": 100}
    return list(map(objects.session, client.rows(lambda: client.connection().v1.checkout.sessions.list(wanted))))


def open_session_of(checkout: str, since: datetime) -> tuple[str, str] | None:
    """Return (id, URL) of a session of this checkout (public id) that can still be paid, or None.

    Reads all open sessions made since then, because Stripe cannot search sessions by metadata.
    """
    wanted: Any = {"status": "open", "created": {"gte": int(since.timestamp())}, "limit": 100}
    open_sessions = client.rows(lambda: client.connection().v1.checkout.sessions.list(wanted))
    return next(((raw["id"], raw["url"]) for raw in open_sessions if objects.is_of_checkout(raw, checkout)), None)


def balance_transactions_of(payout_id: str) -> Iterator[account_values.BalanceTransaction]:
    """Iterate over the balance transactions in an automatic payout, each with its source; not the payout's own one."""
    wanted: Any = {"payout": payout_id, "limit": 100, "expand": ["data.source"]}
    lines = map(
        account.balance_transaction, client.rows(lambda: client.connection().v1.balance_transactions.list(wanted))
    )
    return (line for line in lines if line.type != "payout")


def _between(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
