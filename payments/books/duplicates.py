"""Gifts that may have been made twice by mistake: in two tabs, on two devices, or as a second subscription.

Called where a gift is received or a subscription begins, with the supporter's row locked. Opens cases; staff decide,
and may undo one of the two (recurring/undoing.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from payments import cases
from payments.letters import links as link_letters
from payments.models import Case, Frequency, Payment, Subscription

# Two equal gifts this close together are shown to staff; a person decides.
WINDOW = timedelta(hours=1)


def check_subscription(subscription: Subscription) -> None:
    """Open a case if the supporter has another subscription that continues, and ask them whether it was intended.

    One that is ending or was asked to is no second one: its supporter stopped first and joined again, perhaps for
    more. Does nothing for a subscription that is over. Idempotent.
    """
    others = subscription.supporter.subscriptions.alive().exclude(pk=subscription.pk).select_related("checkout")
    continuing = [each for each in others if not each.is_ending_or_asked_to]
    if not subscription.is_alive or not continuing:
        return
    facts = {"subscriptions": sorted(each.pk for each in [*continuing, subscription])}
    key = f"supporter:{subscription.supporter_id}:subscription:{subscription.pk}"
    cases.open_case(Case.Kind.DUPLICATE_SUBSCRIPTION, key, subscription.supporter, facts)
    link_letters.duplicate_plan(subscription, continuing)


def check_payments(payments: Iterable[Payment]) -> None:
    """Check each of these new gifts as `check_payment` does, for many supporters at little cost.

    One query finds the supporters who gave before; only their gifts are checked one by one.
    """
    payments = list(payments)
    givers = [payment.supporter_id for payment in payments]
    earlier = Payment.objects.filter(supporter__in=givers).exclude(pk__in=[payment.pk for payment in payments])
    known = set(earlier.values_list("supporter_id", flat=True))
    for payment in payments:
        if payment.supporter_id in known:
            check_payment(payment)


def check_payment(payment: Payment) -> None:
    """Open a case if this received one-off gift has a twin: an equal one of the same supporter within an hour.

    Another gift from the same checkout is a twin whatever its amount and time: two of its sessions were paid.
    Idempotent.
    """
    assert payment.paid_at is not None  # noqa: S101 - only received payments are checked
    equal = Q(
        supporter=payment.supporter,
        amount=payment.amount,
        currency=payment.currency,
        paid_at__range=(payment.paid_at - WINDOW, payment.paid_at + WINDOW),
    )
    received = Payment.objects.filter(status=Payment.Status.SUCCEEDED, frequency=Frequency.ONCE)
    same_checkout = Q(checkout=payment.checkout) if payment.checkout else Q()
    twins = received.filter(equal | same_checkout).exclude(pk=payment.pk).values_list("pk", flat=True)
    if found := sorted(twins):
        facts = {"payments": sorted([*found, payment.pk])}
        key = f"payments:{'+'.join(str(pk) for pk in facts['payments'])}"
        cases.open_case(Case.Kind.DUPLICATE_PAYMENT, key, payment.supporter, facts)
