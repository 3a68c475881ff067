"""Settlements: ledger lines for what Stripe settled, with amount, fee and rate in the currency of our account.

Stripe may know a fee only later, so nothing waits for it: balance transactions are listed, a hundred per call, and
matched to the ledger lines without a settlement. Called by the drain when it is idle, by the handler of payouts, and
every hour before the balance is compared. The longer a line waits, the more rarely it is looked up; a line that never
settles is shown by the nightly comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from payments.books import payouts
from payments.models import Dispute, LedgerEntry, Payment
from payments.stripe_api import account_values, client, objects

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
# How Stripe's ids of disputes begin. A fee that names another object is no fee of a dispute.
DISPUTE_IDS = ("dp_", "du_", "pdp_")
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
    waiting = list(unsettled() if wanted is None else wanted)
    if not waiting:
        return 0
    since = min(_moved_since(line) for line in waiting)
    lines, seen = [], []
    for transaction in client.balance_transactions_since(since - OVERLAP):
        if line := _take(waiting, transaction):
            lines.append(_line(line, transaction))
        elif is_dispute_fee(transaction):
            seen.append(transaction)
        if not waiting:
            break
    written = LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    book_dispute_fees(seen)
    payouts.tie_lines()
    return len(written)


def _take(waiting: list[LedgerEntry], transaction: account_values.BalanceTransaction) -> LedgerEntry | None:
    """Remove the ledger line that a balance transaction settles from the list and return it; None if there is none.

    Money of a dispute may move in parts, each a line: in one currency the amount decides, else the nearest time.
    """
    source = source_of(transaction)
    found = [line for line in waiting if line.source == source or line.source.startswith(f"{source}:")]
    if source.startswith("dispute"):
        found = [each for each in found if each.currency != transaction.currency or each.amount == transaction.amount]
    if not found:
        return None
    line = min(found, key=lambda line: abs(line.occurred_at - transaction.created_at))
    waiting.remove(line)
    return line


def _moved_since(line: LedgerEntry) -> datetime:
    """Return the earliest time of the balance transaction of this ledger line.

    For a bank debit that is when it was ordered, days before its money arrives (docs/decisions/0026).
    """
    is_gift = line.kind == LedgerEntry.Kind.CHARGE
    return min(line.occurred_at, line.payment.created_at) if is_gift else line.occurred_at


def settle(transactions: Sequence[account_values.BalanceTransaction]) -> None:
    """Write the missing settlements from these balance transactions, which come with a payout. Idempotent."""
    sources = {source_of(each) for each in transactions}
    disputed = [source.partition(":")[2] for source in sources if source.startswith("dispute_returned:")]
    in_parts = Q(kind=LedgerEntry.Kind.DISPUTE_RETURNED, payment__disputes__stripe_dispute_id__in=disputed)
    waiting = list(unsettled().filter(Q(source__in=sources) | in_parts).distinct())
    lines = [_line(line, each) for each in transactions if (line := _take(waiting, each))]
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    book_dispute_fees(transactions)


def book_dispute_fees(transactions: Iterable[account_values.BalanceTransaction]) -> set[str]:
    """Write a ledger line for each dispute fee among these that Stripe took by a line of its own, or gave back.

    Return the ids of the balance transactions that are in the ledger now. Those of disputes that are not ours, or not
    recorded yet, are left out. Idempotent.
    """
    fees = [each for each in transactions if is_dispute_fee(each)]
    if not fees:
        return set()
    rows = Dispute.objects.select_related("payment").in_bulk(
        [each.source for each in fees], field_name="stripe_dispute_id"
    )
    ours = [each for each in fees if each.source in rows]
    lines = [_fee_line(rows[each.source].payment, each) for each in ours]
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    return {each.id for each in ours}


def is_dispute_fee(transaction: account_values.BalanceTransaction) -> bool:
    """Return whether a balance transaction is the fee of a dispute by itself, not the money that was disputed.

    Stripe says so by its reporting category: docs.stripe.com/reports/reporting-categories.
    """
    is_fee = transaction.type == "stripe_fee" or transaction.category == objects.FEE
    may_be = transaction.type == "adjustment" and bool(transaction.source)
    of_dispute = may_be and not transaction.source.startswith(REFUND_IDS)
    return is_fee and (of_dispute or transaction.source.startswith(DISPUTE_IDS))


def source_of(transaction: account_values.BalanceTransaction) -> str:
    """Return the `source` of the ledger line that a balance transaction settles, such as "refund_returned:re_1".

    It begins with "none:" for a type that settles none of our lines, and with "failed:" for a bank debit that failed.
    The fee of a dispute by itself settles nothing: its own ledger line is returned, as "balance_transaction:txn_1".
    Money that a refund or dispute took may come back under the type under which it left, so the sign decides:
    docs.stripe.com/reports/balance-transaction-types.
    """
    if is_dispute_fee(transaction):
        return f"balance_transaction:{transaction.id}"
    kind = SOURCES.get(transaction.type, "none")
    if transaction.type == "adjustment":
        kind = "refund" if transaction.source.startswith(REFUND_IDS) else "dispute"
    if kind in {"refund", "dispute"} and transaction.amount > 0:
        kind += "_returned"
    return f"{kind}:{transaction.source}"


def _line(line: LedgerEntry, transaction: account_values.BalanceTransaction) -> LedgerEntry:
    row = _fee_line(line.payment, transaction)
    row.kind, row.settles, row.refund_id = LedgerEntry.Kind.SETTLEMENT, line, line.refund_id
    return row


def _fee_line(payment: Payment, transaction: account_values.BalanceTransaction) -> LedgerEntry:
    return LedgerEntry(
        payment_id=payment.pk,
        kind=LedgerEntry.Kind.DISPUTE_FEE,
        source=f"balance_transaction:{transaction.id}",
        amount=0,
        currency=payment.currency,
        settled_amount=transaction.amount,
        settled_currency=transaction.currency,
        fee=transaction.fee,
        exchange_rate=transaction.exchange_rate,
        occurred_at=transaction.created_at,
    )
