"""Comparison of subscriptions, field by field: all live ones, at Stripe and here, and those that ended recently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from payments.giving import checkout as checkouts
from payments.models import Subscription
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page, iso, yes
from payments.reconciling.differences import EXTRA, MISSING, STATUS, SUBSCRIPTION, Mismatch, money
from payments.recurring.subscriptions import NOT_BEGUN
from payments.stripe_api import client, lists, objects


def _pages(since: datetime, until: datetime) -> Iterator[Page]:
    for listed in (lists.subscriptions(), lists.ended_subscriptions(since)):
        for page in listed:
            yield [agreed for agreed in page if agreed.started_at <= until]


def compare_page(page: Page) -> list[Mismatch]:
    ids = [agreed.id for agreed in page]
    rows = Subscription.objects.in_bulk(ids, field_name="stripe_subscription_id")
    found = [each for agreed in page if (row := rows.get(agreed.id)) for each in _differing(agreed, row)]
    ours = [agreed for agreed in page if agreed.id not in rows and checkouts.is_name(agreed.checkout)]
    # Staff may charge a part of the first invoice of a gift that has not begun: such a charge is ours too.
    seen.mark(seen.CUSTOMER, [agreed.customer for agreed in ours])
    missing = [agreed for agreed in ours if agreed.status not in NOT_BEGUN]
    return found + [_mismatch(agreed, MISSING, "", agreed.status) for agreed in missing]


def _differing(agreed: objects.Subscription, row: Subscription) -> list[Mismatch]:
    pairs = {
        STATUS: (row.status, agreed.status),
        "amount": (money(row.amount, row.currency), money(agreed.amount, agreed.currency)),
        "frequency": (row.rhythm, agreed.rhythm),
        "current_period_end": (iso(row.current_period_end), iso(agreed.current_period_end)),
        "cancel_at_period_end": (yes(row.cancel_at_period_end), yes(agreed.cancel_at_period_end)),
        "cancel_at": (iso(row.cancel_at), iso(agreed.cancel_at)),
        "ended_at": (iso(row.ended_at), iso(agreed.ended_at)),
        "collection_paused": (yes(row.collection_paused), yes(agreed.collection_paused)),
        "resumes_at": (iso(row.resumes_at), iso(agreed.resumes_at)),
    }
    return [_mismatch(agreed, field, *pair) for field, pair in pairs.items() if pair[0] != pair[1]]


def _mismatch(agreed: objects.Subscription, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(SUBSCRIPTION, agreed.id, field, str(ours), theirs, agreed.current_period_end)


_ALIVE_UNSEEN = f"""
SELECT stripe_subscription_id, status, current_period_end FROM payments_subscription s
WHERE status <> ALL(%s) AND started_at <= %s AND {seen.UNSEEN.format(id="s.stripe_subscription_id")}
"""  # noqa: S608 - our own words only


def _unlisted(since: datetime, until: datetime) -> Iterator[Mismatch]:
    """Yield our live subscriptions that Stripe did not list: they ended before the span, or Stripe does not know them.

    The second read shows which.
    """
    for stripe_id, status, ends in seen.unseen(_ALIVE_UNSEEN, [list(Subscription.NOT_ALIVE), until]):
        yield Mismatch(SUBSCRIPTION, stripe_id, EXTRA, status, "", ends)


KIND = ObjectKind(SUBSCRIPTION, lambda since: since, _pages, compare_page, _unlisted, client.read_subscription)
