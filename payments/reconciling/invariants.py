"""Sentences that must stay true, checked in the database; and the books in one page, for `check_ledger`.

Everything is summed by PostgreSQL; nothing is mended here. Amounts are minor units of the currency they stand under.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from members import clock
from members.models import Membership, Message, Supporter
from payments.models import StripeEvent, Subscription
from payments.reconciling import runs

COLUMNS = ("payments", "gross", "fees", "refunds", "disputes", "net")
_BOOKS = """
SELECT l.currency,
       count(DISTINCT l.payment_id) FILTER (WHERE l.kind = 'charge'),
       coalesce(sum(l.amount) FILTER (WHERE l.kind = 'charge'), 0)::bigint,
       coalesce(sum(l.fee) FILTER (WHERE l.settled_currency = l.currency), 0)::bigint,
       coalesce(-sum(l.amount) FILTER (WHERE l.kind IN ('refund', 'refund_returned')), 0)::bigint,
       coalesce(-sum(l.amount) FILTER (WHERE l.kind IN ('dispute', 'dispute_returned')), 0)::bigint,
       coalesce(sum(l.settled_amount - l.fee) FILTER (WHERE l.settled_currency = l.currency), 0)::bigint
FROM payments_ledgerentry l GROUP BY l.currency ORDER BY l.currency
"""
_ELSEWHERE = """
SELECT l.currency, l.settled_currency, sum(l.settled_amount)::bigint, sum(l.fee)::bigint,
       sum(l.settled_amount - l.fee)::bigint
FROM payments_ledgerentry l WHERE l.kind = 'settlement' AND l.settled_currency <> l.currency
GROUP BY l.currency, l.settled_currency ORDER BY l.currency, l.settled_currency
"""


def report() -> dict[str, Any]:
    """The books as CONTRACT says them: per currency, never added across currencies, with every broken sentence."""
    return {
        "currencies": _currencies(),
        "supporters": Supporter.objects.count(),
        "active_memberships": Membership.objects.running().count(),
        "active_subscriptions": Subscription.objects.alive().count(),
        "operations": {
            "messages": _by_state(Message.objects),
            "events": _by_state(StripeEvent.objects.filter(is_sync=False)),
            "stripe": runs.facts(),
        },
        "broken": broken(),
    }


def broken() -> list[str]:
    """One line for each sentence that does not hold, naming some of the rows; empty when the books are right."""
    return [f"{sentence}: {', '.join(rows)}" for sentence, query in SENTENCES.items() if (rows := _rows(query))]


# No level may give more (members/models/membership.py).
MOST_GRACE_DAYS = 90
# A payment pays at least for its own day (belonging.py): that of an old month may come after the month is over.
_PAID_THROUGH = "greatest(p.paid_through, (p.paid_at AT TIME ZONE %(zone)s)::date, m.starts_on)"
# What Stripe paid from credit is time without a payment.
_CREDITED = "coalesce(max(s.credited_through), m.starts_on)"
SENTENCES: dict[str, str] = {
    "every received payment has its line": """
        SELECT 'payment ' || p.id FROM payments_payment p
        WHERE p.status = 'succeeded' AND NOT EXISTS (
          SELECT FROM payments_ledgerentry l WHERE l.payment_id = p.id AND l.kind = 'charge')""",
    "a payment's lines add up to what was received less what was sent back": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_ledgerentry l ON l.payment_id = p.id
        GROUP BY p.id HAVING sum(l.amount) <>
          CASE WHEN p.status = 'succeeded' THEN p.amount - p.refunded_amount - p.disputed_amount ELSE 0 END""",
    "a line is in its payment's currency": """
        SELECT 'line ' || l.id FROM payments_ledgerentry l JOIN payments_payment p ON p.id = l.payment_id
        WHERE l.currency <> p.currency""",
    "refunds stay within their payment": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
        WHERE r.status IN ('pending', 'succeeded') GROUP BY p.id HAVING sum(r.amount) <> p.refunded_amount
          OR sum(r.amount) > p.amount""",
    "what disputes took is what their payment lost": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_dispute d ON d.payment_id = p.id
        GROUP BY p.id HAVING sum(d.withdrawn_amount) <> p.disputed_amount""",
    "a settlement follows the sign of its line": """
        SELECT 'line ' || s.id FROM payments_ledgerentry s JOIN payments_ledgerentry l ON l.id = s.settles_id
        WHERE sign(s.settled_amount) <> sign(l.amount)""",
    "a settlement in the same currency is the amount of its line": """
        SELECT 'line ' || s.id FROM payments_ledgerentry s JOIN payments_ledgerentry l ON l.id = s.settles_id
        WHERE s.settled_currency = l.currency AND s.settled_amount <> l.amount""",
    # A level says whether days stay when their money went back, and staff may change it: both outcomes are right.
    "a membership is paid through what its subscription's payments paid for": f"""
        SELECT 'membership ' || m.id FROM members_membership m
        JOIN payments_subscription s ON s.membership_id = m.id
        JOIN payments_payment p ON p.subscription_id = s.id AND p.status = 'succeeded'
        GROUP BY m.id
        HAVING m.paid_through <> ALL(array_agg({_PAID_THROUGH}) || m.starts_on || {_CREDITED})
          OR m.paid_through < {_CREDITED}
          OR m.paid_through < max({_PAID_THROUGH})
            FILTER (WHERE p.refunded_amount + p.disputed_amount < p.amount)""",  # noqa: S608 - our own words
    "who has paid through today belongs today": """
        SELECT 'payment ' || p.id FROM payments_payment p
        JOIN payments_subscription s ON s.id = p.subscription_id
        LEFT JOIN members_membership m ON m.id = s.membership_id
        WHERE p.status = 'succeeded' AND p.paid_through >= %(today)s
          AND p.refunded_amount + p.disputed_amount < p.amount
          AND (m.id IS NULL OR m.ended_on <= %(today)s OR m.grace_through < %(today)s)""",
    "who belongs by a subscription has paid, through today or within grace": f"""
        SELECT 'membership ' || m.id FROM members_membership m
        JOIN payments_subscription s ON s.membership_id = m.id
        WHERE m.grace_through >= %(today)s AND coalesce(s.credited_through < %(today)s - %(grace)s::int, true)
          AND NOT EXISTS (
          SELECT FROM payments_payment p WHERE p.subscription_id = s.id AND p.status = 'succeeded'
            AND {_PAID_THROUGH} >= %(today)s - %(grace)s::int)""",  # noqa: S608 - our own words
    "what was taken back twice is shown to staff": """
        SELECT 'payment ' || p.id FROM payments_payment p
        WHERE p.refunded_amount + p.disputed_amount > p.amount AND NOT EXISTS (
          SELECT FROM payments_case c WHERE c.key = 'payment:' || p.id || ':taken_twice')""",
    "the database refuses every change of the ledger": """
        SELECT 'trigger ' || name FROM unnest(ARRAY['ledger_row_unchanged', 'ledger_not_emptied']) AS name
        WHERE NOT EXISTS (
          SELECT FROM pg_trigger WHERE tgname = name AND tgrelid = 'payments_ledgerentry'::regclass
            AND tgenabled IN ('O', 'A'))""",
    "a payment belongs to the supporter of its subscription": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_subscription s ON s.id = p.subscription_id
        WHERE s.supporter_id <> p.supporter_id""",
}


def _rows(query: str) -> list[str]:
    zone = timezone.get_current_timezone_name()
    known: dict[str, Any] = {"today": clock.today(), "grace": MOST_GRACE_DAYS, "zone": zone}
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT 10", known)
        return [row[0] for row in cursor.fetchall()]


def _currencies() -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS)
        books: dict[str, dict[str, Any]] = {
            row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in cursor.fetchall()
        }
        cursor.execute(_ELSEWHERE)
        for currency, settled, gross, fees, net in cursor.fetchall():
            elsewhere = books[currency].setdefault("settled_elsewhere", {})
            elsewhere[settled] = {"gross": gross, "fees": fees, "net": net}
    return books


def _by_state(rows: Any) -> dict[str, int]:
    return dict(rows.order_by("state").values_list("state").annotate(Count("pk")))
