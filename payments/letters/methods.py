"""Emails about the card or account a gift is paid from: it expires soon, or the bank ended the debits.

The first is queued by the daily jobs through due.py, the second by recurring/methods.py.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Case as SqlCase
from django.db.models import F, IntegerField, Q, QuerySet, Value, When

from members.links import signed
from members.models import Message
from payments.accounts.account import Account
from payments.letters import drafts
from payments.letters.due import DueLetter, by_account, unless_sent
from payments.models import Frequency, Subscription
from payments.models.statuses import HELD_UP

EXPIRING = "card_expiring"
AGAIN = timedelta(days=14)


def mandate_cancelled(row: Subscription) -> Message | None:
    """Queue the email that the bank carries out no more debits for this gift. Once per subscription and account.

    Return the new message, or None if it exists.
    """
    return drafts.send("mandate_cancelled", f"{row.public_id}:{row.stripe_payment_method_id}", row, _facts(row))


def card_expiring(account: Account, step: int) -> Message | None:
    """Draft the email that a card expires before a coming payment. Once per subscription, expiry and step (1 or 2).

    None if no payment is to come.
    """
    row = account.subscription
    if account.next_on is None:
        return None
    assert row.method_expires_on is not None  # noqa: S101 - only cards that expire are due
    facts = {**_facts(row), "amount": account.amount, "expires_on": row.method_expires_on.isoformat()}
    return drafts.draft(EXPIRING, f"{row.public_id}:{row.method_expires_on}:{step}", row, facts)


def _running_out(today: date) -> QuerySet[Subscription]:
    """Return gifts that go on, paid by a card that runs out this month or next."""
    soon = (today, _end_of_next_month(today))
    rows = Subscription.objects.alive().going_on().exclude(status__in=HELD_UP)
    return rows.filter(is_collected=True, method_expires_on__range=soon)


def _expiring_due(today: date) -> QuerySet[Subscription]:
    """Return gifts whose card expires this month or next, with the email that is due and not queued yet as `step`.

    Step 1 is due from the first day of the month before the card's last month, step 2 two weeks later if it is still
    the same card: many banks pass new cards on to Stripe. Left out are yearly gifts whose next payment the card still
    pays, and gifts that are behind with a payment, stopping, or paused without an end.
    """
    rows = (
        _running_out(today)
        .filter(Q(collection_paused=False) | Q(resumes_at__isnull=False))
        .filter(~Q(frequency=Frequency.YEAR) | Q(renews_on__gt=F("method_expires_on")))
        .annotate(
            step=SqlCase(
                When(method_expires_on__lte=_end_of_next_month(today - AGAIN), then=2),
                default=1,
                output_field=IntegerField(),
            )
        )
        .select_related("supporter", "checkout")
        .order_by("method_expires_on", "pk")
    )
    return unless_sent(rows, Value(EXPIRING), "public_id", "method_expires_on", "step")


def _end_of_next_month(day: date) -> date:
    """Return the last day of the month after this day's."""
    return _next_month(_next_month(day)) - timedelta(days=1)


def _next_month(day: date) -> date:
    """Return the first day of the month after this day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _facts(row: Subscription) -> drafts.Facts:
    language = row.supporter.language
    method_url = signed.url("method", str(row.public_id), language)
    return {**drafts.gift(row), "method_url": method_url, "stop_url": drafts.stop_url(row, language)}


CARD_EXPIRING = DueLetter(
    EXPIRING,
    _running_out,
    _expiring_due,
    by_account(lambda account, _today: card_expiring(account, getattr(account.subscription, "step", 1))),
)
