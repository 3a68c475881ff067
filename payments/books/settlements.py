"""Settlements: ledger lines for what Stripe settled, with amount, fee and rate in the currency of our account.

Stripe may know a fee only later, so nothing waits for it: balance transactions are listed, a hundred per call, and
matched to the ledger lines without a settlement. Called by the drain when it is idle, by the handler of payouts, and
every hour before the balance is compared. The longer a line waits, the more rarely it is looked up; a line that never
settles is shown by the nightly comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from payments.books import payouts
from payments.models import LedgerEntry
from payments.stripe_api import account_values, client

# How the `source` of the matching ledger line begins, by Stripe's type of the balance transaction. A bank debit that
# fails is taken back by a balance transaction of its own ("failed"), which matches no ledger line: money that never
# arrived has none.
SOURCES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "failed",
}
# How Stripe's ids of refunds begin: of cards, and of bank debits. The type "adjustment" alone does not say what it is.
REFUND_IDS = ("re_", "pyr_")
OVERLAP = timedelta(hours=1)
# A line is looked up as soon as it is recorded, again after 20 seconds, 40, 80 and so on, for a month.
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(days=30)


def unsettled() -> QuerySet[LedgerEntry]:
    """Return the ledger lines of money that Stripe moved and whose settlement is not recorded yet.

    Leaves out both lines of a refund that ended before Stripe's balance had money for it: nothing moved, so Stripe
    never settles them. Leaves out money received outside Stripe too.
    """
    lines = LedgerEntry.objects.exclude(kind=LedgerEntry.Kind.SETTLEMENT).select_related("payment")
    lines = lines.exclude(refund__ledger_entries__source__startswith="refund_called_off:")
    return lines.filter(settlement=None, source__regex=r"^(charge|refund|refund_returned|dispute|dispute_returned):")


def due(last_asked: datetime | None, now: datetime) -> list[LedgerEntry]:
    """Return the unsettled lines of the last month that became due for a lookup between `last_asked` and `now`.

    A line is due when it is recorded, and 20, 40, 80 seconds and so on later. Without `last_asked`, return all of them.
    Both moments are on the business clock (members/clock.py).
    """
    recent = unsettled().filter(recorded_at__gt=now - LONGEST_WAIT)
    return [line for line in recent if last_asked is None or _lookups(line, now) > _lookups(line, last_asked)]


def _lookups(line: LedgerEntry, at: datetime) -> int:
    """Return how many times a line is to be looked up until `at`; the first time is when it is recorded."""
    if at < line.recorded_at:
        return 0
    return ((at - line.recorded_at) // FIRST_WAIT).bit_length() + 1


def collect(wanted: Iterable[LedgerEntry] | None = None) -> int:
    """List Stripe's balance and write settlements for these ledger lines, or for all unsettled ones; return how many.

    Lists back to the oldest of the lines, and stops once each is found. Asks Stripe nothing if there are no lines.
    Never call it inside a transaction. Safe to run concurrently. Raises StripeUnavailable, StripeRefused.
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
    """Return the earliest time of the balance transaction of this ledger line.

    For a bank debit that is when it was ordered, days before its money arrives (docs/decisions/0026).
    """
    is_gift = line.kind == LedgerEntry.Kind.CHARGE
    return min(line.occurred_at, line.payment.created_at) if is_gift else line.occurred_at


def settle(transactions: Sequence[account_values.BalanceTransaction]) -> None:
    """Write the missing settlements from these balance transactions, which come with a payout. Idempotent."""
    waiting = {line.source: line for line in unsettled().filter(source__in=map(source_of, transactions))}
    lines = [_line(line, each) for each in transactions if (line := waiting.pop(source_of(each), None))]
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)


def source_of(transaction: account_values.BalanceTransaction) -> str:
    """Return the `source` of the ledger line that a balance transaction settles, such as "refund_returned:re_1".

    It begins with "none:" for a type that settles none of our lines, and with "failed:" for a bank debit that failed.
    Money that a refund or dispute took may come back under the type under which it left, so the sign decides:
    docs.stripe.com/reports/balance-transaction-types.
    """
    kind = SOURCES.get(transaction.type, "none")
    if transaction.type == "adjustment":
        kind = "refund" if transaction.source.startswith(REFUND_IDS) else "dispute"
    if kind in {"refund", "dispute"} and transaction.amount > 0:
        kind += "_returned"
    return f"{kind}:{transaction.source}"


def _line(line: LedgerEntry, transaction: account_values.BalanceTransaction) -> LedgerEntry:
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
