"""The payments under way on a recurring gift: due within the hour, with the bank, or tried again.

The rule that pages and emails ask before they promise that nothing is taken. It reads our rows alone: what Stripe has
reported, and what recurring/bills.py read from Stripe when the last stop, pause or lower amount was accepted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from members import clock
from payments.models import Payment, StripeRequest, Subscription

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
    found = {bill.invoice: bill for bill in (*_due(subscription), *_tried(subscription))}
    for bill in _seen_by_last_change(subscription):
        if bill.state == OFF:
            found.pop(bill.invoice, None)
        elif bill.state in (TAKEN, BACK) or not _is_known(subscription, bill):
            found[bill.invoice] = bill
    return sorted(found.values(), key=lambda bill: (bill.taken_on, bill.invoice))


def facts(subscription: Subscription) -> list[dict[str, Any]]:
    """Return what is under way as plain values, for an email."""
    return [bill.facts() for bill in under_way(subscription)]


def _due(subscription: Subscription) -> list[Bill]:
    """Return drafts, leaving out those that must have been taken: the events that said so were lost."""
    rows = subscription.unpaid_invoices.filter(due_at__gt=clock.now() - LONGEST_DRAFT)
    return [Bill(row.stripe_invoice_id, DUE, row.amount, row.currency, clock.day_of(row.due_at)) for row in rows]


def _tried(subscription: Subscription) -> list[Bill]:
    """Return payments with the bank, and, while the gift may still take money, those that Stripe tries again."""
    bills = []
    for row in subscription.payments.exclude(status=Payment.Status.SUCCEEDED):
        invoice = row.stripe_invoice_id or str(row)
        if row.status == Payment.Status.PROCESSING:
            bills.append(Bill(invoice, BANK, row.amount, row.currency, clock.day_of(row.created_at)))
        elif row.next_attempt_at and subscription.is_alive:
            bills.append(Bill(invoice, AGAIN, row.amount, row.currency, clock.day_of(row.next_attempt_at)))
    return bills


def _seen_by_last_change(subscription: Subscription) -> list[Bill]:
    """Return the bills that were read from Stripe when the newest change request was accepted."""
    changes = subscription.changes.exclude(state__in=StripeRequest.GIVEN_UP).exclude(bills=None)
    newest = changes.first()
    stored = newest.bills if newest and newest.bills else []
    return [Bill(**{**bill, "taken_on": date.fromisoformat(bill["taken_on"])}) for bill in stored]


def _is_known(subscription: Subscription, bill: Bill) -> bool:
    """Return whether our books know what became of a bill: its payment decides, not what was read before."""
    return subscription.payments.filter(stripe_invoice_id=bill.invoice).exists()
