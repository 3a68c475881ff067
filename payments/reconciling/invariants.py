"""The invariants of the ledger, checked in the database, and the report of `manage.py check_ledger`.

Called by that command, by the daily jobs, and by an alert. PostgreSQL does all the sums; nothing is changed here.
Amounts are in minor units of the currency under which they are listed.
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
_TOTALS = """
SELECT l.currency,
       count(DISTINCT l.payment_id) FILTER (WHERE l.kind = 'charge'),
       coalesce(sum(l.amount) FILTER (WHERE l.kind = 'charge'), 0)::bigint,
       coalesce(sum(l.fee - CASE l.kind WHEN 'dispute_fee' THEN l.settled_amount ELSE 0 END)
         FILTER (WHERE l.settled_currency = l.currency), 0)::bigint,
       coalesce(-sum(l.amount) FILTER (WHERE l.kind IN ('refund', 'refund_returned')), 0)::bigint,
       coalesce(-sum(l.amount) FILTER (WHERE l.kind IN ('dispute', 'dispute_returned')), 0)::bigint,
       coalesce(sum(l.settled_amount - l.fee) FILTER (WHERE l.settled_currency = l.currency), 0)::bigint
FROM payments_ledgerentry l GROUP BY l.currency ORDER BY l.currency
"""
# What Stripe settled in another currency than that of the gift.
_SETTLED_ELSEWHERE = """
SELECT l.currency, l.settled_currency, coalesce(sum(l.settled_amount) FILTER (WHERE l.kind = 'settlement'), 0)::bigint,
       sum(l.fee - CASE l.kind WHEN 'dispute_fee' THEN l.settled_amount ELSE 0 END)::bigint,
       sum(l.settled_amount - l.fee)::bigint
FROM payments_ledgerentry l WHERE l.kind IN ('settlement', 'dispute_fee') AND l.settled_currency <> l.currency
GROUP BY l.currency, l.settled_currency ORDER BY l.currency, l.settled_currency
"""


def report() -> dict[str, Any]:
    """Return the report of `check_ledger --json`: totals per currency, counts, and the broken invariants.

    Sums are never added across currencies. The keys are part of the command's contract.
    """
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
    """Return one line for each broken invariant, with up to ten of its rows; [] if the ledger is consistent."""
    return [f"{invariant}: {', '.join(rows)}" for invariant, query in INVARIANTS.items() if (rows := _rows(query))]


# No level may give more days of grace (members/models/membership.py).
MOST_GRACE_DAYS = 90
# A payment pays at least for the day on which it arrived (belonging.py), even if its period was over by then.
_PAID_THROUGH = "greatest(p.paid_through, (p.paid_at AT TIME ZONE %(zone)s)::date, m.starts_on)"
# A part of an invoice that is still open pays for no time yet.
_PAYS_FOR_TIME = "(p.stripe_invoice_id IS NOT NULL OR p.paid_through IS NOT NULL)"
# Days that Stripe paid from the customer's credit have no payment.
_CREDITED = "coalesce(max(s.credited_through), m.starts_on)"
# Each invariant with a query that returns the rows that break it.
INVARIANTS: dict[str, str] = {
    "every received payment has a ledger line": """
        SELECT 'payment ' || p.id FROM payments_payment p
        WHERE p.status = 'succeeded' AND NOT EXISTS (
          SELECT FROM payments_ledgerentry l WHERE l.payment_id = p.id AND l.kind = 'charge')""",
    "a payment's ledger lines add up to its amount less refunds and disputes": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_ledgerentry l ON l.payment_id = p.id
        GROUP BY p.id HAVING sum(l.amount) <>
          CASE WHEN p.status = 'succeeded' THEN p.amount - p.refunded_amount - p.disputed_amount ELSE 0 END""",
    "a ledger line is in its payment's currency": """
        SELECT 'line ' || l.id FROM payments_ledgerentry l JOIN payments_payment p ON p.id = l.payment_id
        WHERE l.currency <> p.currency""",
    "refunds add up to their payment's refunded amount and never exceed its amount": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
        WHERE r.status IN ('pending', 'succeeded') GROUP BY p.id HAVING sum(r.amount) <> p.refunded_amount
          OR sum(r.amount) > p.amount""",
    "disputes add up to their payment's disputed amount": """
        SELECT 'payment ' || p.id FROM payments_payment p JOIN payments_dispute d ON d.payment_id = p.id
        GROUP BY p.id HAVING coalesce(sum(d.withdrawn_amount) FILTER (WHERE d.currency = p.currency), 0)
          <> p.disputed_amount""",
    "a dispute in another currency than its payment has a case": """
        SELECT 'dispute ' || d.id FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
        WHERE d.currency <> p.currency AND d.withdrawn_amount > 0 AND NOT EXISTS (
          SELECT FROM payments_case c WHERE c.key = 'dispute:' || d.stripe_dispute_id || ':not_booked')""",
    "a settlement has the sign of its ledger line": """
        SELECT 'line ' || s.id FROM payments_ledgerentry s JOIN payments_ledgerentry l ON l.id = s.settles_id
        WHERE sign(s.settled_amount) <> sign(l.amount)""",
    "a settlement in the same currency has the amount of its ledger line": """
        SELECT 'line ' || s.id FROM payments_ledgerentry s JOIN payments_ledgerentry l ON l.id = s.settles_id
        WHERE s.settled_currency = l.currency AND s.settled_amount <> l.amount""",
    # A level says whether days stay after a refund, and staff may change it: both outcomes are right.
    "a membership is paid through a day that its subscription's payments paid for": f"""
        SELECT 'membership ' || m.id FROM members_membership m
        JOIN payments_subscription s ON s.membership_id = m.id
        JOIN payments_payment p ON p.subscription_id = s.id AND p.status = 'succeeded'
        GROUP BY m.id
        HAVING m.paid_through <> ALL(array_agg({_PAID_THROUGH}) || m.starts_on || {_CREDITED})
          OR m.paid_through < {_CREDITED}
          OR m.paid_through < max({_PAID_THROUGH})
            FILTER (WHERE {_PAYS_FOR_TIME} AND p.refunded_amount + p.disputed_amount < p.amount)""",  # noqa: S608 - our own words
    "a payment that covers today has a membership that covers today": """
        SELECT 'payment ' || p.id FROM payments_payment p
        JOIN payments_subscription s ON s.id = p.subscription_id
        LEFT JOIN members_membership m ON m.id = s.membership_id
        WHERE p.status = 'succeeded' AND p.paid_through >= %(today)s
          AND p.refunded_amount + p.disputed_amount < p.amount
          AND (m.id IS NULL OR m.ended_on <= %(today)s OR m.grace_through < %(today)s)""",
    "a subscription's membership that covers today was paid through today, or within grace": f"""
        SELECT 'membership ' || m.id FROM members_membership m
        JOIN payments_subscription s ON s.membership_id = m.id
        WHERE m.grace_through >= %(today)s AND coalesce(s.credited_through < %(today)s - %(grace)s::int, true)
          AND NOT EXISTS (
          SELECT FROM payments_payment p WHERE p.subscription_id = s.id AND p.status = 'succeeded'
            AND {_PAYS_FOR_TIME} AND {_PAID_THROUGH} >= %(today)s - %(grace)s::int)""",  # noqa: S608 - our own words
    "a payment of which more was taken back than given has a case": """
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
        cursor.execute(_TOTALS)
        totals: dict[str, dict[str, Any]] = {
            row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in cursor.fetchall()
        }
        cursor.execute(_SETTLED_ELSEWHERE)
        for currency, settled, gross, fees, net in cursor.fetchall():
            elsewhere = totals[currency].setdefault("settled_elsewhere", {})
            elsewhere[settled] = {"gross": gross, "fees": fees, "net": net}
    return totals


def _by_state(rows: Any) -> dict[str, int]:
    return dict(rows.order_by("state").values_list("state").annotate(Count("pk")))
