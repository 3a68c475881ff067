"""Payouts to the bank, each linked to the balance lines it consists of: payments, refunds, disputes and fees.

Two checks, both to the minor unit: whether the lines of a payout add up to its amount (Stripe against Stripe), and
whether the lines that come from our gifts are in our ledger. Called by the webhook handlers inside the transaction of
a group of events, by the desk, and by the daily jobs.
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
from payments.stripe_api import account_values
from payments.stripe_api.account_values import BalanceTransaction

Whose = PayoutLine.Whose
# After an outage a payout may be reported before the payments it consists of.
MISSING_FOR = timedelta(hours=1)
_OURS = Q(lines__whose=Whose.OURS)
_LINKED = Q(lines__ledger_entry__isnull=False)


@dataclass(frozen=True)
class Holding:
    """A payout's money by its owner, in minor units of its currency, after fees.

    `booked` and `missing` come from our gifts: in our ledger, and not in it. `of_others` comes from other software on
    the account. `of_stripe` is Stripe's own, and the cost of failed debits: what they brought was taken back again.
    """

    booked: int
    missing: int
    of_others: int
    of_stripe: int


def follow(payout: account_values.Payout, lines: Iterable[tuple[BalanceTransaction, PayoutLine.Whose]]) -> Payout:
    """Update our row from Stripe's payout and, once its lines are complete, compare them with it; return the row.

    Opens a case if the lines do not add up to the payout. Lines missing from our ledger are the task of
    `show_missing`. Idempotent.
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
    """Link payout lines to our settlement lines, whichever was stored first; return how many were linked.

    A linked line counts as ours, even if it belongs to a bank debit that was with the bank when it was stored.
    Idempotent.
    """
    source = Concat(Value("balance_transaction:"), OuterRef("stripe_balance_transaction_id"))
    ours = LedgerEntry.objects.filter(source=source).values("pk")
    unlinked = PayoutLine.objects.filter(Exists(ours), ledger_entry=None)
    return unlinked.update(ledger_entry=Subquery(ours[:1]), whose=Whose.OURS)


def breakdown(payout: Payout) -> dict[str, int]:
    """Return the sum of a payout's lines for each of Stripe's types, before fees, and under "fees" minus all fees.

    In minor units of the payout's currency, for example `{"charge": 2500, "refund": -300, "fees": -98}`.
    """
    rows = payout.lines.order_by("type").values("type").annotate(amount=Sum("amount"), fees=Sum("fee"))
    found = {row["type"]: row["amount"] for row in rows}
    return found | {"fees": -sum(row["fees"] for row in rows)}


def holding(payout: Payout) -> Holding:
    """Return a payout's money by owner. `booked` is the sum in our ledger, which may differ from Stripe's."""
    row = _with_sums(Payout.objects.filter(pk=payout.pk)).get()
    return Holding(row.booked, row.ours - row.booked, row.of_others, row.of_stripe)


def show_missing() -> int:
    """Open a case for each payout with money from our gifts that is missing from our ledger; return how many there are.

    A payout counts if, an hour after its lines were compared, a line of ours has no settlement or the sum of our lines
    differs from the ledger's. Called by the daily jobs, which run every hour. Idempotent: one case per payout.
    """
    old = Payout.objects.filter(compared_at__lte=clock.now() - MISSING_FOR)
    incomplete = _with_sums(old).filter(Q(unbooked__gt=0) | ~Q(ours=F("booked")))
    for row in incomplete:
        facts = {"payout": row.pk, "missing": [row.ours - row.booked, row.currency], "lines": row.unbooked}
        cases.open_case(Case.Kind.PAYOUT_NOT_BOOKED, f"payout:{row.stripe_payout_id}:missing", None, facts)
    return len(incomplete)


def _with_sums(payouts: QuerySet[Payout]) -> QuerySet[Any]:
    """Annotate payouts with the sums booked, ours, of_others and of_stripe (0 without lines), in minor units.

    `unbooked` counts the lines from our gifts that have no settlement in our ledger.
    """
    return payouts.annotate(
        booked=_sum(F("lines__ledger_entry__settled_amount") - F("lines__ledger_entry__fee"), _LINKED),
        ours=_sum(F("lines__net"), _OURS),
        of_others=_sum(F("lines__net"), Q(lines__whose=Whose.OTHERS)),
        of_stripe=_sum(F("lines__net"), Q(lines__whose=Whose.STRIPE)),
        unbooked=Count("lines", filter=_OURS & Q(lines__ledger_entry=None)),
    )


def _sum(what: Any, only: Q) -> Coalesce:
    return Coalesce(Sum(what, filter=only), 0, output_field=BigIntegerField())


def _line(row: Payout, line: BalanceTransaction, whose: PayoutLine.Whose) -> PayoutLine:
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
    row.unexplained = row.amount - explained
    row.compared_at = clock.now()
    row.save(update_fields=["unexplained", "compared_at"])
    if row.unexplained:
        facts = {"payout": row.pk, "unexplained": [row.unexplained, row.currency]}
        cases.open_case(Case.Kind.PAYOUT_UNEXPLAINED, f"payout:{row.stripe_payout_id}", None, facts)
