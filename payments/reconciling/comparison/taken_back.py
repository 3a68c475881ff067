"""Comparison of refunds and disputes: the status and amount of each at Stripe with our row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Min

from payments.models import Dispute, Refund
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page, our_charges
from payments.reconciling.differences import DISPUTE, EXTRA, MISSING, REFUND, STATUS, TAKEN, Mismatch, money
from payments.stripe_api import client, lists, objects


def compare_refunds(page: Page) -> list[Mismatch]:
    rows = Refund.objects.in_bulk([refund.id for refund in page], field_name="stripe_refund_id")
    found = [
        _mismatch(REFUND, refund, field, *pair)
        for refund in page
        if (row := rows.get(refund.id))
        for field, pair in _pairs(row, refund).items()
        if pair[0] != pair[1]
    ]
    return found + _missing(REFUND, [refund for refund in page if refund.id not in rows])


def compare_disputes(page: Page) -> list[Mismatch]:
    rows = Dispute.objects.in_bulk([dispute.id for dispute in page], field_name="stripe_dispute_id")
    found = []
    for dispute in page:
        if row := rows.get(dispute.id):
            taken = (money(row.withdrawn_amount, row.currency), money(dispute.taken, dispute.currency))
            pairs = _pairs(row, dispute) | {TAKEN: taken}
            found += [_mismatch(DISPUTE, dispute, name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]
    return found + _missing(DISPUTE, [dispute for dispute in page if dispute.id not in rows])


def _pairs(row: Refund | Dispute, taken: objects.Refund | objects.Dispute) -> dict[str, tuple[str, str]]:
    """Return for each compared field our value and Stripe's."""
    amounts = (money(row.amount, row.currency), money(taken.amount, taken.currency))
    return {STATUS: (row.status, taken.status), "amount": amounts}


def _missing(kind: str, unknown: list[Any]) -> list[Mismatch]:
    """Return a mismatch for each unknown refund or dispute that takes money from a payment of ours.

    That includes payments that are missing from our database themselves. Marks the refunds and disputes as missing.
    """
    if not unknown:
        return []
    intents, charges = [each.payment_intent for each in unknown], [each.charge for each in unknown]
    ours = our_charges(intents, charges) | seen.among(seen.MISSING, [*intents, *charges])
    missing = [each for each in unknown if each.payment_intent in ours or each.charge in ours]
    seen.mark(seen.MISSING, [each.id for each in missing])
    return [_mismatch(kind, each, MISSING, "", money(each.amount, each.currency)) for each in missing]


def _mismatch(kind: str, taken: objects.Refund | objects.Dispute, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(kind, taken.id, field, str(ours), theirs, taken.created_at)


def _refunds_since(since: datetime) -> datetime:
    """Return an earlier start if a refund is unfinished."""
    waiting = Refund.objects.filter(status__in=(Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION))
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


def _disputes_since(since: datetime) -> datetime:
    """Return an earlier start if a dispute is open."""
    waiting = Dispute.objects.filter(status__in=Dispute.OPEN)
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


_UNSEEN = """
SELECT {column}, amount, currency, created_at FROM {table} t WHERE created_at BETWEEN %s AND %s AND {unseen}
"""


def _unlisted(kind: str, table: str, column: str, since: datetime, until: datetime) -> Iterator[Mismatch]:
    query = _UNSEEN.format(table=table, column=column, unseen=seen.UNSEEN.format(id=f"t.{column}"))
    for stripe_id, amount, currency, created_at in seen.unseen(query, [since, until]):
        yield Mismatch(kind, stripe_id, EXTRA, money(amount, currency), "", created_at)


def _unlisted_refunds(since: datetime, until: datetime) -> Iterator[Mismatch]:
    return _unlisted(REFUND, "payments_refund", "stripe_refund_id", since, until)


def _unlisted_disputes(since: datetime, until: datetime) -> Iterator[Mismatch]:
    return _unlisted(DISPUTE, "payments_dispute", "stripe_dispute_id", since, until)


REFUNDS = ObjectKind(REFUND, _refunds_since, lists.refunds, compare_refunds, _unlisted_refunds, client.read_refund)
DISPUTES = ObjectKind(
    DISPUTE, _disputes_since, lists.disputes, compare_disputes, _unlisted_disputes, client.read_dispute
)
