"""Failed tries of cards: whose they are, each counted once, and which sources of them are suspicious.

Tries are counted, not sessions: one session takes as many cards as are typed. A renewal that Stripe tries by itself is
no try. Called by the event handlers, inside their transaction, and by the rest of payments/guard/. Business time, which
Stripe's events have too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count

from members import clock
from members.links import public_ids
from payments.guard import marks
from payments.models import Checkout, CheckoutOrigin, FailedTry, Frequency, Subscription
from payments.stripe_api.trying import failed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How long a session can be open at Stripe, with time to spare.
LONGEST_SESSION = timedelta(days=2)
# A network or an address is suspicious with so many failed tries within an hour, if they are at least half as many as
# the gifts that were paid from it: of a large network's, one in twenty fails. Gifts that were only begun prove nothing.
# A wider network may have four times as many for each level. A card: within a day.
MOST_OF_SOURCE, MOST_OF_CARD = 10, 3


@dataclass(frozen=True)
class Source:
    """Where a try came from: a checkout of ours; or a person, where a patron changes a card or pays an invoice."""

    checkout: Checkout | None
    email: str


def source(tried: failed.FailedTry) -> Source | None:
    """Return where a failed try came from; None if it is no reader's try on a page that we led to.

    Stripe's metadata names the checkout of a gift given once. For a recurring one it names none before the first
    payment: the address, which readers cannot change on Stripe's page, and the sum tell which.
    """
    if public_id := public_ids.parse(tried.checkout):
        found = Checkout.objects.filter(public_id=public_id).first()
        return Source(found, found.email) if found else None
    if begun := _begun(tried):
        return Source(begun, begun.email)
    return Source(None, tried.email) if _is_by_hand(tried) else None


def _begun(tried: failed.FailedTry) -> Checkout | None:
    """Return the newest recurring gift that is open at Stripe with this address and sum, or None."""
    if not tried.email:
        return None
    lately = Checkout.objects.filter(created_at__gte=clock.now() - LONGEST_SESSION, email__iexact=tried.email)
    asked = lately.filter(amount=tried.amount, currency=tried.currency, status=Checkout.Status.OPEN)
    return asked.exclude(frequency=Frequency.ONCE).order_by("-attempt_at").first()


def _is_by_hand(tried: failed.FailedTry) -> bool:
    """Return whether a patron of ours tried another card than the one that a gift of theirs is paid from."""
    if not tried.customer:
        return False
    known = Subscription.objects.filter(stripe_customer_id=tried.customer)
    methods = set(known.values_list("stripe_payment_method_id", flat=True))
    return bool(methods) and tried.method not in methods


def record(tried: failed.FailedTry, source: Source, at: datetime) -> FailedTry:
    """Store a failed try, in the caller's transaction, and return it. However many events report it, it is one row."""
    checkout = source.checkout
    origin = CheckoutOrigin.objects.filter(checkout=checkout).first() if checkout else None
    row = FailedTry(
        key=tried.key[:255],
        tried_at=min(at, clock.now()),
        checkout=checkout,
        attempt=checkout.attempt if checkout else 0,
        networks=origin.networks if origin else [],
        address=marks.of_address(source.email),
        card=marks.of("card", tried.card),
        failed_authentication=tried.failed_authentication,
    )
    FailedTry.objects.bulk_create([row], ignore_conflicts=True)
    return row


def note_origin(checkout: Checkout, networks: list[str]) -> None:
    """Store the networks, as marks, from which a session is asked for now. Idempotent."""
    known = {"networks": networks, "address": marks.of_address(checkout.email), "noted_at": clock.now()}
    CheckoutOrigin.objects.update_or_create(checkout=checkout, defaults=known)


def of_session(checkout: Checkout) -> int:
    """Return how many tries failed in the session of a checkout's present attempt."""
    return FailedTry.objects.filter(checkout=checkout, attempt=checkout.attempt).count()


def is_card_suspicious(card: str) -> bool:
    """Return whether the card of a mark failed more often than MOST_OF_CARD within a day, and not in one gift only."""
    if not card:
        return False
    lately = FailedTry.objects.filter(tried_at__gte=clock.now() - DAY, card=card)
    found = lately.aggregate(tries=Count("pk"), gifts=Count("checkout", distinct=True))
    return found["tries"] > MOST_OF_CARD and found["gifts"] > 1


def suspects() -> frozenset[str]:
    """Return the marks of the networks and addresses that are suspicious now. Two queries at most."""
    since = clock.now() - HOUR
    with connection.cursor() as cursor:
        cursor.execute(_FAILED_MOST, {"since": since, "most": MOST_OF_SOURCE})
        tried = {mark: count for mark, count in cursor.fetchall() if count >= _most(mark)}
        if not tried:
            return frozenset()
        cursor.execute(_PAID_FROM, {"since": since, "noted": since - LONGEST_SESSION, "marks": list(tried)})
        paid = dict(cursor.fetchall())
    return frozenset(mark for mark, count in tried.items() if 2 * count >= paid.get(mark, 0))


_FAILED_MOST = """
SELECT mark, count(*) FROM payments_failedtry, unnest(networks || address) AS mark
WHERE tried_at >= %(since)s AND mark <> '' GROUP BY mark HAVING count(*) >= %(most)s
"""
_PAID_FROM = """
SELECT mark, count(*) FROM payments_checkoutorigin AS origin JOIN payments_checkout AS gift ON gift.id = checkout_id,
  unnest(networks || address) AS mark
WHERE (networks && %(marks)s::varchar[] OR address = ANY(%(marks)s)) AND mark = ANY(%(marks)s)
  AND noted_at >= %(noted)s AND completed_at >= %(since)s GROUP BY mark
"""


def _most(mark: str) -> int:
    is_network = ":" in mark
    return MOST_OF_SOURCE * 4 ** marks.level(mark) if is_network else MOST_OF_SOURCE
