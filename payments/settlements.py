"""What Stripe settled for each line: amount, fee and rate in the currency of our account, as lines of their own.

Stripe may know a fee only later, so it is never waited for: balance transactions are listed a hundred a call and
matched to the lines that have none yet. Called by the drain when it has nothing more urgent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Min, QuerySet

from payments import payouts
from payments.models import LedgerEntry
from payments.stripe_api import client, values

# Which of our lines a balance transaction settles, by Stripe's type and the id of its source.
SOURCES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_returned",
    "payment_failure_refund": "refund_returned",
}
OVERLAP = timedelta(hours=1)


def unsettled() -> QuerySet[LedgerEntry]:
    """Lines of money that Stripe moved and has not told the settlement of."""
    return LedgerEntry.objects.exclude(kind=LedgerEntry.Kind.SETTLEMENT).filter(
        settlement=None, source__regex=r"^(charge|refund|refund_returned|dispute|dispute_returned):"
    )


def collect() -> int:
    """Read Stripe's balance since the oldest line without a settlement; returns how many were written.

    Asks nothing when nothing is open. Raises StripeUnavailable. Safe to run in several processes at once.
    """
    since = unsettled().aggregate(oldest=Min("occurred_at"))["oldest"]
    if since is None:
        return 0
    waiting = {line.source: line for line in unsettled()}
    lines = []
    for transaction in client.balance_transactions_since(since - OVERLAP):
        if line := waiting.pop(source_of(transaction), None):
            lines.append(_line(line, transaction))
        if not waiting:
            break
    written = LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    payouts.tie_lines()
    return len(written)


def settle(transactions: Sequence[values.BalanceTransaction]) -> None:
    """Write what these lines of Stripe's balance settle, where it is not written yet: a payout brings its own."""
    waiting = {line.source: line for line in unsettled().filter(source__in=map(source_of, transactions))}
    lines = [_line(line, told) for told in transactions if (line := waiting.pop(source_of(told), None))]
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)


def source_of(transaction: values.BalanceTransaction) -> str:
    """Which of our lines a balance transaction settles. A dispute's come as adjustments, out and perhaps back in."""
    if transaction.type == "adjustment":
        return f"{'dispute' if transaction.amount < 0 else 'dispute_returned'}:{transaction.source}"
    return f"{SOURCES.get(transaction.type, 'none')}:{transaction.source}"


def _line(line: LedgerEntry, transaction: values.BalanceTransaction) -> LedgerEntry:
    return LedgerEntry(
        payment_id=line.payment_id, refund_id=line.refund_id, settles=line, kind=LedgerEntry.Kind.SETTLEMENT,
        source=f"balance_transaction:{transaction.id}", amount=0, currency=line.currency,
        settled_amount=transaction.amount, settled_currency=transaction.currency, fee=transaction.fee,
        exchange_rate=transaction.exchange_rate, occurred_at=transaction.created_at,
    )  # fmt: skip
