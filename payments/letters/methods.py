"""Letters about the card or account a gift is paid from: it runs out soon, or the bank ended the debits."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Case as SqlCase
from django.db.models import F, IntegerField, Q, QuerySet, Value, When

from members.links import signed
from members.models import Message
from payments.letters import drafts
from payments.letters.due import DueLetter, unless_sent
from payments.models import Frequency, Subscription

EXPIRING = "card_expiring"
AGAIN = timedelta(days=14)


def mandate_cancelled(row: Subscription) -> Message | None:
    """The bank carries out no more debits for this gift. Once a subscription and account."""
    return drafts.send("mandate_cancelled", f"{row.public_id}:{row.stripe_payment_method_id}", row, _facts(row))


def card_expiring(row: Subscription, step: int) -> Message:
    """A card runs out before it is next wanted. Once a subscription, day of expiry and step. A draft."""
    assert row.method_expires_on is not None  # noqa: S101 - only cards that run out are due
    facts = {**_facts(row), "expires_on": row.method_expires_on.isoformat()}
    return drafts.draft(EXPIRING, f"{row.public_id}:{row.method_expires_on}:{step}", row, facts)


def _running_out(today: date) -> QuerySet[Subscription]:
    """Return gifts that go on, paid by a card that runs out this month or next."""
    return Subscription.objects.filter(
        status=Subscription.Status.ACTIVE,
        cancel_at_period_end=False,
        cancel_at=None,
        method_expires_on__range=(today, _end_of_next_month(today)),
    )


def _expiring_due(today: date) -> QuerySet[Subscription]:
    """From the first day of the month before a card's last one, and again two weeks later if it is still the same card:
    Stripe hears of many new cards by itself. Not of a yearly gift whose next payment the card still pays, and not of
    one that is behind, stopping, or paused without an end: those have other letters, or need none.
    """
    rows = (
        _running_out(today)
        .filter(Q(collection_paused=False) | Q(resumes_at__isnull=False))
        .filter(Q(frequency=Frequency.MONTH) | Q(renews_on__gt=F("method_expires_on")))
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
    """Whatever runs out by then runs out this month or next."""
    return _next_month(_next_month(day)) - timedelta(days=1)


def _next_month(day: date) -> date:
    """Its first day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _facts(row: Subscription) -> drafts.Facts:
    language = row.supporter.language
    method_url = signed.url("method", str(row.public_id), language)
    return {**drafts.gift(row), "method_url": method_url, "stop_url": drafts.stop_url(row, language)}


CARD_EXPIRING = DueLetter(
    EXPIRING, _running_out, _expiring_due, lambda row, _today: card_expiring(row, getattr(row, "step", 1))
)
