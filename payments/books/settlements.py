"""What Stripe settled for each line: amount, fee and rate in the currency of our account, as lines of their own.

Stripe may know a fee only later, so it is never waited for: balance transactions are listed a hundred a call and
matched to the lines that have none yet. Called by the drain when it has nothing more urgent, and every hour before the
balance is compared. A line is asked for ever more seldom: one that never settles is shown by the nightly comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from payments.books import payouts
from payments.models import LedgerEntry
from payments.stripe_api import client, values

# What a balance transaction is about, by Stripe's type. A debit that fails is taken back by a line of its own, which
# settles nothing of ours: money that never came is in no line of our ledger.
SOURCES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "failed",
}
# How the ids of refunds begin, of cards and of debits. A type "adjustment" says only that it is not the usual line.
REFUND_IDS = ("re_", "pyr_")
OVERLAP = timedelta(hours=1)
# How long a line has waited when it is asked for the second time; then twice as long, and so on, for a month.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(days=30)


def unsettled() -> QuerySet[LedgerEntry]:
    """Lines of money that Stripe moved and has not told the settlement of. A refund that ended before Stripe's balance
    had the money for it moved nothing: neither of its lines is ever settled.
    """
    named = LedgerEntry.objects.exclude(kind=LedgerEntry.Kind.SETTLEMENT).select_related("payment")
    named = named.exclude(refund__ledger_entries__source__startswith="refund_called_off:")
    return named.filter(settlement=None, source__regex=r"^(charge|refund|refund_returned|dispute|dispute_returned):")


def due(last_asked: datetime | None, now: datetime) -> list[LedgerEntry]:
    """The lines to ask for now, when they were last looked through at `last_asked`: each when its wait has doubled.

    Without `last_asked` all that have waited for less than a month. Both moments are of the business clock.
    """
    open_ones = unsettled().filter(recorded_at__gt=now - LONGEST_WAIT)
    return [line for line in open_ones if last_asked is None or _asked(line, now) > _asked(line, last_asked)]


def _asked(line: LedgerEntry, at: datetime) -> int:
    """How often a line has been asked for by then: once as soon as it is there."""
    if at < line.recorded_at:
        return 0
    return ((at - line.recorded_at) // FIRST_WAIT).bit_length() + 1


def collect(wanted: Iterable[LedgerEntry] | None = None) -> int:
    """Read Stripe's balance since the oldest of these lines, or of all unsettled ones; returns how many were written.

    Asks nothing when nothing is wanted. Raises StripeUnavailable. Safe to run in several processes at once.
    """
    waiting = {line.source: line for line in (unsettled() if wanted is None else wanted)}
    if not waiting:
        return 0
    since = min(_moved_since(line) for line in waiting.values())
    lines = []
    for transaction in client.balance_transactions_since(since - OVERLAP):
        if line := waiting.pop(source_of(transaction), None):
            lines.append(_line(line, transaction))
        if not waiting:
            break
    written = LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    payouts.tie_lines()
    return len(written)


def _moved_since(line: LedgerEntry) -> datetime:
    """Before when Stripe's line cannot be: a debit's is there from the day of its order, days before its money."""
    is_gift = line.kind == LedgerEntry.Kind.CHARGE
    return min(line.occurred_at, line.payment.created_at) if is_gift else line.occurred_at


def settle(transactions: Sequence[values.BalanceTransaction]) -> None:
    """Write what these lines of Stripe's balance settle, where it is not written yet: a payout brings its own."""
    waiting = {line.source: line for line in unsettled().filter(source__in=map(source_of, transactions))}
    lines = [_line(line, told) for told in transactions if (line := waiting.pop(source_of(told), None))]
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)


def source_of(transaction: values.BalanceTransaction) -> str:
    """Which of our lines a balance transaction settles. What a refund or a dispute took may come back under the type
    under which it left, so the sign says which way it went: docs.stripe.com/reports/balance-transaction-types.
    """
    kind = SOURCES.get(transaction.type, "none")
    if transaction.type == "adjustment":
        kind = "refund" if transaction.source.startswith(REFUND_IDS) else "dispute"
    if kind in {"refund", "dispute"} and transaction.amount > 0:
        kind += "_returned"
    return f"{kind}:{transaction.source}"


def _line(line: LedgerEntry, transaction: values.BalanceTransaction) -> LedgerEntry:
    return LedgerEntry(
        payment_id=line.payment_id,
        refund_id=line.refund_id,
        settles=line,
        kind=LedgerEntry.Kind.SETTLEMENT,
        source=f"balance_transaction:{transaction.id}",
        amount=0,
        currency=line.currency,
        settled_amount=transaction.amount,
        settled_currency=transaction.currency,
        fee=transaction.fee,
        exchange_rate=transaction.exchange_rate,
        occurred_at=transaction.created_at,
    )
