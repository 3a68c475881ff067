"""The payments under way on a recurring gift: due within the hour, with the bank, or tried again.

The rule that pages and emails ask before they promise that nothing is taken. It reads our rows alone: what Stripe has
reported, and what recurring/bills.py read from Stripe when the last stop, pause or lower amount was accepted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from members import clock
from payments.models import Payment, StripeRequest, Subscription, SubscriptionChange, UnpaidInvoice

# Due: a draft, or open and not tried yet. With the bank. Tried again: it failed, and Stripe tries it once more. Taken
# at the moment of the request: kept, or refunded because it was charged after a stop was asked for. Off: not taken.
DUE, BANK, AGAIN, TAKEN, BACK, OFF = "due", "bank", "again", "taken", "back", "off"
# Stripe waits for an answer to its webhook before it takes a draft: three days at most.
LONGEST_DRAFT = timedelta(days=4)


@dataclass(frozen=True)
class Bill:
    """An invoice that exists already, and its sum in minor units of `currency`.

    `taken_on` is the day of the payment (due, again, taken, back), or that on which it was given to the bank.
    """

    invoice: str
    state: str
    amount: int
    currency: str
    taken_on: date

    def facts(self) -> dict[str, Any]:
        """Return it as plain values, to be stored."""
        return {**asdict(self), "taken_on": self.taken_on.isoformat()}


def under_way(subscription: Subscription) -> list[Bill]:
    """Return the payments of a subscription that may still be taken, or were as it was changed, by their day."""
    unpaid = subscription.payments.exclude(status=Payment.Status.SUCCEEDED)
    return of_all([subscription], unpaid, [subscription.pk])[subscription.pk]


def facts(subscription: Subscription) -> list[dict[str, Any]]:
    """Return what is under way as plain values, for an email."""
    return [bill.facts() for bill in under_way(subscription)]


def of_all(subscriptions: list[Subscription], open_ones: Iterable[Payment], ids: list[int]) -> dict[int, list[Bill]]:
    """Return what is under way on each subscription, by its id; `open_ones` are their payments that were not received.

    `ids` are theirs, or a single one of nobody. Three queries.
    """
    seen = _seen_by_last_change(ids)
    known = _known(bill.invoice for bills in seen.values() for bill in bills)
    found: dict[int, dict[str, Bill]] = defaultdict(dict)
    for pk, bill in (*_due(ids), *_tried(subscriptions, open_ones)):
        found[pk][bill.invoice] = bill
    for pk, bills in seen.items():
        for bill in bills:
            if bill.state == OFF:
                found[pk].pop(bill.invoice, None)
            elif bill.state in (TAKEN, BACK) or bill.invoice not in known:
                found[pk][bill.invoice] = bill
    return {
        row.pk: sorted(found[row.pk].values(), key=lambda bill: (bill.taken_on, bill.invoice)) for row in subscriptions
    }


def _due(ids: list[int]) -> list[tuple[int, Bill]]:
    """Return drafts, leaving out those that must have been taken: the events that said so were lost."""
    rows = UnpaidInvoice.objects.filter(subscription__in=ids, due_at__gt=clock.now() - LONGEST_DRAFT)
    return [
        (row.subscription_id, Bill(row.stripe_invoice_id, DUE, row.amount, row.currency, clock.day_of(row.due_at)))
        for row in rows
    ]


def _tried(subscriptions: list[Subscription], open_ones: Iterable[Payment]) -> list[tuple[int, Bill]]:
    """Return payments with the bank, and, while the gift may still take money, those that Stripe tries again."""
    alive = {row.pk for row in subscriptions if row.is_alive}
    bills = []
    for row in open_ones:
        pk, invoice = row.subscription_id or 0, row.stripe_invoice_id or str(row)
        if row.status == Payment.Status.PROCESSING:
            bills.append((pk, Bill(invoice, BANK, row.amount, row.currency, clock.day_of(row.created_at))))
        elif row.next_attempt_at and pk in alive:
            bills.append((pk, Bill(invoice, AGAIN, row.amount, row.currency, clock.day_of(row.next_attempt_at))))
    return bills


def _seen_by_last_change(ids: list[int]) -> dict[int, list[Bill]]:
    """Return the bills that were read from Stripe when the newest change request of each gift was accepted."""
    changes = SubscriptionChange.objects.filter(subscription__in=ids, bills__isnull=False)
    newest = changes.exclude(state__in=StripeRequest.GIVEN_UP).order_by("subscription_id", "-requested_at", "-pk")
    return {
        change.subscription_id: [
            Bill(**{**bill, "taken_on": date.fromisoformat(bill["taken_on"])}) for bill in change.bills or []
        ]
        for change in newest.distinct("subscription_id")
    }


def _known(invoices: Iterable[str]) -> set[str | None]:
    """Return the bills of which our books know what became: their payment decides, not what was read before."""
    rows = Payment.objects.filter(stripe_invoice_id__in=list(invoices) or [""])
    return set(rows.values_list("stripe_invoice_id", flat=True))
