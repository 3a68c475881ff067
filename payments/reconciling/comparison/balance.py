"""Comparison of the balance: amount, currency and fee of each line of Stripe's balance with our settlements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import F, Min, Q

from payments.books import settlements
from payments.models import DEBITS, Dispute, LedgerEntry, Payment, Refund
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page, our_charges
from payments.reconciling.differences import BALANCE, EXTRA, MISSING, UNSETTLED, Mismatch, money
from payments.stripe_api import account_values, client, lists

PREFIX = "balance_transaction:"
# Stripe may know a fee days after the charge, not weeks.
SETTLED_WITHIN = timedelta(days=3)
# A bank debit may be ordered this long before its money arrives. Its balance line is made with the order.
ORDERED_WITHIN = timedelta(days=30)


class Row(NamedTuple):
    """The compared values of a settlement. Amount and fee are in minor units of `currency`."""

    amount: int
    currency: str
    fee: int


def _since(since: datetime) -> datetime:
    """Return an earlier start if money that arrived in the span has an older balance line, as a bank debit does."""
    received = Payment.objects.filter(created_at__gte=since - ORDERED_WITHIN, paid_at__gte=since)
    # A card payment that was retried for weeks has a balance line only from the attempt that succeeded.
    received = received.filter(Q(failures=0) | reduce(or_, (Q(method__startswith=name) for name in DEBITS)))
    return min(since, received.aggregate(oldest=Min("created_at"))["oldest"] or since)


def compare_page(page: Page) -> list[Mismatch]:
    return compare_lines(page, _ours)


def compare_lines(page: Page, ours: Callable[[Page], Page]) -> list[Mismatch]:
    """Return the mismatches of a page of balance lines.

    `ours` takes the lines without a settlement and returns those that come from gifts of this installation. Fees of
    disputes that Stripe takes by themselves are recorded here: no ledger line of ours waits for them.
    """
    rows = _rows(page)
    found, unknown = [], []
    for line in page:
        if row := rows.get(line.id):
            found += _differing(line, row)
        elif not settlements.source_of(line).startswith("none:"):
            unknown.append(line)
    booked = settlements.book_dispute_fees(unknown)
    missing = ours([line for line in unknown if line.id not in booked])
    return found + [_mismatch(line, MISSING, "", _as_text(line)) for line in missing]


def _rows(page: Page) -> dict[str, Row]:
    """Return our settlements of a page of balance lines, by Stripe's id of the line."""
    lines = LedgerEntry.objects.filter(source__in=[PREFIX + line.id for line in page]).order_by()
    values = lines.values_list("source", "settled_amount", "settled_currency", "fee")
    return {
        source.removeprefix(PREFIX): Row(amount or 0, currency, fee or 0) for source, amount, currency, fee in values
    }


def _differing(line: account_values.BalanceTransaction, row: Row) -> list[Mismatch]:
    pairs = {
        "amount": (money(row.amount, row.currency), money(line.amount, line.currency)),
        "fee": (money(row.fee, row.currency), money(line.fee, line.currency)),
    }
    return [_mismatch(line, field, *pair) for field, pair in pairs.items() if pair[0] != pair[1]]


def _ours(lines: list[account_values.BalanceTransaction]) -> list[account_values.BalanceTransaction]:
    """Of balance lines without a settlement, return those of objects in our database or already known as missing."""
    if not lines:
        return []
    ids = [line.source for line in lines]
    ours = our_charges([], ids) | seen.among(seen.MISSING, ids)
    ours |= set(Refund.objects.filter(stripe_refund_id__in=ids).values_list("stripe_refund_id", flat=True))
    # One in another currency than its payment's is a case already, and has no line (books/disputes.py).
    disputes = Dispute.objects.filter(stripe_dispute_id__in=ids, currency=F("payment__currency"))
    ours |= set(disputes.values_list("stripe_dispute_id", flat=True))
    return [line for line in lines if line.source in ours]


def _as_text(line: account_values.BalanceTransaction) -> str:
    return f"{money(line.amount, line.currency)}, {line.fee}"


def _mismatch(line: account_values.BalanceTransaction, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(BALANCE, line.id, field, ours, theirs, line.created_at)


_SETTLED_UNSEEN = f"""
SELECT substr(source, {len(PREFIX) + 1}), settled_amount, settled_currency, fee, occurred_at
FROM payments_ledgerentry l
WHERE kind IN ('settlement', 'dispute_fee') AND occurred_at BETWEEN %s AND %s
  AND {seen.UNSEEN.format(id=f"substr(l.source, {len(PREFIX) + 1})")}
"""  # noqa: S608 - our own words only


def _unlisted(since: datetime, until: datetime) -> Iterator[Mismatch]:
    """Yield our settlements that Stripe's balance does not have, and lines that are unsettled for too long."""
    for stripe_id, amount, currency, fee, occurred_at in seen.unseen(_SETTLED_UNSEEN, [since, until]):
        yield Mismatch(BALANCE, stripe_id, EXTRA, f"{money(amount, currency)}, {fee}", "", occurred_at)
    late = settlements.unsettled().filter(occurred_at__lt=until - SETTLED_WITHIN)
    for line in late.iterator(500):
        stripe_id = line.source.partition(":")[2]
        yield Mismatch(BALANCE, stripe_id, UNSETTLED, money(line.amount, line.currency), "", line.occurred_at)


KIND = ObjectKind(BALANCE, _since, lists.balance_transactions, compare_page, _unlisted, client.read_balance_transaction)
