"""Comparison of payouts: status and amount of each payout at Stripe with our row, and whether we know its lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Min, Q

from payments.models import Payout
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page, yes
from payments.reconciling.differences import EXTRA, LINES, MISSING, PAYOUT, STATUS, Mismatch, money
from payments.stripe_api import account_values, client, lists

# A payout arrives within days; one that has arrived may be sent back by the bank for some days more.
FAILS_WITHIN = timedelta(days=14)
_UNDER_WAY = Q(status__in=(Payout.Status.PENDING, Payout.Status.IN_TRANSIT))
_WITHOUT_LINES = Q(status=Payout.Status.PAID, is_automatic=True, compared_at=None)


def _since(since: datetime) -> datetime:
    """Return an earlier start, so that payouts the bank may still send back and unfinished ones are compared too."""
    unfinished = Payout.objects.filter(_UNDER_WAY | _WITHOUT_LINES)
    return min(since - FAILS_WITHIN, unfinished.aggregate(oldest=Min("created_at"))["oldest"] or since)


def compare_page(page: Page) -> list[Mismatch]:
    rows = Payout.objects.in_bulk([payout.id for payout in page], field_name="stripe_payout_id")
    found = []
    for payout in page:
        if row := rows.get(payout.id):
            found += _differing(payout, row)
        else:
            found.append(_mismatch(payout, MISSING, "", money(payout.amount, payout.currency)))
    return found


def _differing(payout: account_values.Payout, row: Payout) -> list[Mismatch]:
    pairs = {
        STATUS: (row.status, payout.status),
        "amount": (money(row.amount, row.currency), money(payout.amount, payout.currency)),
        LINES: (yes(row.compared_at is not None or not payout.has_lines), "yes"),
    }
    return [_mismatch(payout, field, *pair) for field, pair in pairs.items() if pair[0] != pair[1]]


def _mismatch(payout: account_values.Payout, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(PAYOUT, payout.id, field, str(ours), theirs, payout.created_at)


_PAYOUTS_UNSEEN = f"""
SELECT stripe_payout_id, amount, currency, created_at FROM payments_payout p
WHERE created_at BETWEEN %s AND %s AND {seen.UNSEEN.format(id="p.stripe_payout_id")}
"""  # noqa: S608 - our own words only


def _unlisted(since: datetime, until: datetime) -> Iterator[Mismatch]:
    for stripe_id, amount, currency, created_at in seen.unseen(_PAYOUTS_UNSEEN, [since, until]):
        yield Mismatch(PAYOUT, stripe_id, EXTRA, money(amount, currency), "", created_at)


KIND = ObjectKind(PAYOUT, _since, lists.payouts, compare_page, _unlisted, client.read_payout)
