"""Payouts to the bank, each tied to the payments, refunds, disputes and fees it is made of, to the minor unit."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Concat

from members import clock
from payments import cases
from payments.models import Case, LedgerEntry, Payout, PayoutLine
from payments.stripe_api import objects


def follow(payout: objects.Payout, lines: Iterable[objects.BalanceTransaction]) -> Payout:
    """Make our row what Stripe's payout is now; with its lines, say what stays unexplained. Safe to call again.

    Opens a case when the lines do not add up to the payout.
    """
    state = {"status": payout.status, "failure_code": payout.failure_code, "arrives_on": payout.arrives_on}
    facts = {"amount": payout.amount, "currency": payout.currency, "is_automatic": payout.is_automatic}
    row, _ = Payout.objects.update_or_create(
        stripe_payout_id=payout.id,
        create_defaults={**facts, "created_at": payout.created_at, **state},
        defaults=state,
    )
    if payout.has_lines:
        PayoutLine.objects.bulk_create([_line(row, line) for line in lines], ignore_conflicts=True)
        tie_lines()
        _compare(row)
    return row


def tie_lines() -> int:
    """Tie lines of payouts to our settlement lines, whichever came first; returns how many were tied."""
    source = Concat(Value("balance_transaction:"), OuterRef("stripe_balance_transaction_id"))
    ours = LedgerEntry.objects.filter(source=source).values("pk")
    return PayoutLine.objects.filter(Exists(ours), ledger_entry=None).update(ledger_entry=Subquery(ours[:1]))


def breakdown(payout: Payout) -> dict[str, int]:
    """What a payout is made of, in minor units of its currency: by Stripe's type, and the fees taken from all."""
    rows = payout.lines.order_by("type").values("type").annotate(amount=Sum("amount"), fees=Sum("fee"))
    found = {row["type"]: row["amount"] for row in rows}
    return found | {"fees": -sum(row["fees"] for row in rows)}


def _line(row: Payout, line: objects.BalanceTransaction) -> PayoutLine:
    return PayoutLine(
        payout=row, stripe_balance_transaction_id=line.id, type=line.type, source=line.source, amount=line.amount,
        fee=line.fee, net=line.amount - line.fee, currency=line.currency, occurred_at=line.created_at,
    )  # fmt: skip


def _compare(row: Payout) -> None:
    explained = row.lines.aggregate(sum=Sum("net"))["sum"] or 0
    row.unexplained, row.compared_at = row.amount - explained, clock.now()
    row.save(update_fields=["unexplained", "compared_at"])
    if row.unexplained:
        facts = {"payout": row.pk, "unexplained": [row.unexplained, row.currency]}
        cases.open_case(Case.Kind.PAYOUT_UNEXPLAINED, f"payout:{row.stripe_payout_id}", None, facts)
