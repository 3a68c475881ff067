"""Payouts to the bank, each tied to the payments, refunds, disputes and fees it is made of, to the minor unit.

Two things are asked of each: do its lines add up to it, which is Stripe against Stripe; and are those lines that come
from gifts of ours in our ledger, each with the amount and fee that stand there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Concat

from members import clock
from payments import cases
from payments.models import Case, LedgerEntry, Payout, PayoutLine
from payments.stripe_api import values

Whose = PayoutLine.Whose
# After an outage a payout may be told before what it is made of.
MISSING_FOR = timedelta(hours=1)
_OURS, _TIED = Q(lines__whose=Whose.OURS), Q(lines__ledger_entry__isnull=False)


@dataclass(frozen=True)
class Holding:
    """A payout's money by whose it is, in minor units of its currency. `missing` is ours and not in our ledger.

    `of_stripe` is Stripe's own, and what a failed debit brought and took back again: nothing but what failing cost.
    """

    booked: int
    missing: int
    of_others: int
    of_stripe: int


def follow(payout: values.Payout, lines: Iterable[tuple[values.BalanceTransaction, PayoutLine.Whose]]) -> Payout:
    """Make our row what Stripe's payout is now; with its lines, say what stays unexplained. Safe to call again.

    Opens a case when the lines do not add up to the payout. What of them is missing in our books: `show_missing`.
    """
    state = {"status": payout.status, "failure_code": payout.failure_code, "arrives_on": payout.arrives_on}
    facts = {"amount": payout.amount, "currency": payout.currency, "is_automatic": payout.is_automatic}
    row, _ = Payout.objects.update_or_create(
        stripe_payout_id=payout.id,
        create_defaults={**facts, "created_at": payout.created_at, **state},
        defaults=state,
    )
    if payout.has_lines:
        PayoutLine.objects.bulk_create(
            [_line(row, line, whose) for line, whose in lines],
            update_conflicts=True,
            unique_fields=["stripe_balance_transaction_id"],
            update_fields=["whose"],
        )
        tie_lines()
        _compare(row)
    return row


def tie_lines() -> int:
    """Tie lines of payouts to our settlement lines, whichever came first; returns how many were tied.

    What is tied is ours, also a debit's that was paid out before its bank had answered.
    """
    source = Concat(Value("balance_transaction:"), OuterRef("stripe_balance_transaction_id"))
    ours = LedgerEntry.objects.filter(source=source).values("pk")
    untied = PayoutLine.objects.filter(Exists(ours), ledger_entry=None)
    return untied.update(ledger_entry=Subquery(ours[:1]), whose=Whose.OURS)


def breakdown(payout: Payout) -> dict[str, int]:
    """What a payout is made of, in minor units of its currency: by Stripe's type, and the fees taken from all."""
    rows = payout.lines.order_by("type").values("type").annotate(amount=Sum("amount"), fees=Sum("fee"))
    found = {row["type"]: row["amount"] for row in rows}
    return found | {"fees": -sum(row["fees"] for row in rows)}


def holding(payout: Payout) -> Holding:
    """What a payout holds, against our own ledger: `booked` is what stands there, not what Stripe says of it."""
    row = _held(Payout.objects.filter(pk=payout.pk)).get()
    return Holding(row.booked, row.ours - row.booked, row.of_others, row.of_stripe)


def show_missing() -> int:
    """Open a case for each payout that has held money of ours for an hour which our ledger lacks; how many there are.

    Called by the daily jobs, so every hour. Safe to call again: a payout is one case.
    """
    old = Payout.objects.filter(compared_at__lte=clock.now() - MISSING_FOR)
    lacking = _held(old).filter(Q(unbooked__gt=0) | ~Q(ours=F("booked")))
    for row in lacking:
        facts = {"payout": row.pk, "missing": [row.ours - row.booked, row.currency], "lines": row.unbooked}
        cases.open_case(Case.Kind.PAYOUT_NOT_BOOKED, f"payout:{row.stripe_payout_id}:missing", None, facts)
    return len(lacking)


def _held(payouts: QuerySet[Payout]) -> QuerySet[Any]:
    return payouts.annotate(
        booked=_sum(F("lines__ledger_entry__settled_amount") - F("lines__ledger_entry__fee"), _TIED),
        ours=_sum(F("lines__net"), _OURS),
        of_others=_sum(F("lines__net"), Q(lines__whose=Whose.OTHERS)),
        of_stripe=_sum(F("lines__net"), Q(lines__whose=Whose.STRIPE)),
        unbooked=Count("lines", filter=_OURS & Q(lines__ledger_entry=None)),
    )


def _sum(what: Any, only: Q) -> Coalesce:
    return Coalesce(Sum(what, filter=only), 0, output_field=BigIntegerField())


def _line(row: Payout, line: values.BalanceTransaction, whose: PayoutLine.Whose) -> PayoutLine:
    return PayoutLine(
        payout=row,
        stripe_balance_transaction_id=line.id,
        type=line.type,
        source=line.source,
        amount=line.amount,
        fee=line.fee,
        net=line.amount - line.fee,
        currency=line.currency,
        occurred_at=line.created_at,
        whose=whose,
    )


def _compare(row: Payout) -> None:
    explained = row.lines.aggregate(sum=Sum("net"))["sum"] or 0
    row.unexplained, row.compared_at = row.amount - explained, clock.now()
    row.save(update_fields=["unexplained", "compared_at"])
    if row.unexplained:
        facts = {"payout": row.pk, "unexplained": [row.unexplained, row.currency]}
        cases.open_case(Case.Kind.PAYOUT_UNEXPLAINED, f"payout:{row.stripe_payout_id}", None, facts)
