"""Money that went back: refunds and disputes at Stripe, each with our row, state and amount."""

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


def look_at_refunds(page: Page) -> list[Mismatch]:
    rows = Refund.objects.in_bulk([refund.id for refund in page], field_name="stripe_refund_id")
    found = [
        _mismatch(REFUND, refund, field, *pair)
        for refund in page
        if (row := rows.get(refund.id))
        for field, pair in _pairs(row, refund).items()
        if pair[0] != pair[1]
    ]
    return found + _lacking(REFUND, [refund for refund in page if refund.id not in rows])


def look_at_disputes(page: Page) -> list[Mismatch]:
    rows = Dispute.objects.in_bulk([dispute.id for dispute in page], field_name="stripe_dispute_id")
    found = []
    for dispute in page:
        if row := rows.get(dispute.id):
            taken = dispute.taken
            moved = (money(row.withdrawn_amount, row.currency), money(taken, dispute.currency))
            pairs = _pairs(row, dispute) | {TAKEN: moved}
            found += [_mismatch(DISPUTE, dispute, name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]
    return found + _lacking(DISPUTE, [dispute for dispute in page if dispute.id not in rows])


def _pairs(row: Refund | Dispute, theirs: objects.Refund | objects.Dispute) -> dict[str, tuple[str, str]]:
    amounts = (money(row.amount, row.currency), money(theirs.amount, theirs.currency))
    return {STATUS: (row.status, theirs.status), "amount": amounts}


def _lacking(kind: str, unknown: list[Any]) -> list[Mismatch]:
    """Those that take from a payment of ours, or from one that our books lack too."""
    if not unknown:
        return []
    intents, charges = [each.payment_intent for each in unknown], [each.charge for each in unknown]
    ours = our_charges(intents, charges) | seen.among(seen.LACKED, [*intents, *charges])
    lacked = [each for each in unknown if each.payment_intent in ours or each.charge in ours]
    seen.mark(seen.LACKED, [each.id for each in lacked])
    return [_mismatch(kind, each, MISSING, "", money(each.amount, each.currency)) for each in lacked]


def _mismatch(kind: str, theirs: objects.Refund | objects.Dispute, field: str, ours: str, value: str) -> Mismatch:
    return Mismatch(kind, theirs.id, field, str(ours), value, theirs.created_at)


def _refunds_since(since: datetime) -> datetime:
    waiting = Refund.objects.filter(status__in=(Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION))
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


def _disputes_since(since: datetime) -> datetime:
    waiting = Dispute.objects.filter(status__in=Dispute.OPEN)
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


_UNSEEN = """
SELECT {column}, amount, currency, created_at FROM {table} t WHERE created_at BETWEEN %s AND %s AND {unseen}
"""


def _extra(kind: str, table: str, column: str, since: datetime, until: datetime) -> Iterator[Mismatch]:
    query = _UNSEEN.format(table=table, column=column, unseen=seen.UNSEEN.format(id=f"t.{column}"))
    for stripe_id, amount, currency, created_at in seen.unseen(query, [since, until]):
        yield Mismatch(kind, stripe_id, EXTRA, money(amount, currency), "", created_at)


def _extra_refunds(since: datetime, until: datetime) -> Iterator[Mismatch]:
    return _extra(REFUND, "payments_refund", "stripe_refund_id", since, until)


def _extra_disputes(since: datetime, until: datetime) -> Iterator[Mismatch]:
    return _extra(DISPUTE, "payments_dispute", "stripe_dispute_id", since, until)


REFUNDS = ObjectKind(REFUND, _refunds_since, lists.refunds, look_at_refunds, _extra_refunds, client.read_refund)
DISPUTES = ObjectKind(DISPUTE, _disputes_since, lists.disputes, look_at_disputes, _extra_disputes, client.read_dispute)
