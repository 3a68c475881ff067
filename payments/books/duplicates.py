"""Gifts that may not have been meant twice: two tabs, two devices, a second subscription. Noticed when they start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from payments import cases
from payments.letters import links as link_letters
from payments.models import Case, Frequency, Payment, Subscription

# Two equal gifts this close together are shown to staff; a person decides.
WINDOW = timedelta(hours=1)


def look_at_subscription(subscription: Subscription) -> None:
    """When this supporter has another live subscription: open a case, and ask the supporter whether it was meant.
    Called with the supporter's row locked.
    """
    others = subscription.supporter.subscriptions.alive().exclude(pk=subscription.pk).select_related("checkout")
    if not subscription.is_alive or not (found := list(others)):
        return
    facts = {"subscriptions": sorted(each.pk for each in [*found, subscription])}
    key = f"supporter:{subscription.supporter_id}:subscription:{subscription.pk}"
    cases.open_case(Case.Kind.DUPLICATE_SUBSCRIPTION, key, subscription.supporter, facts)
    if going := [each for each in found if not each.is_ending_or_asked_to]:
        link_letters.duplicate_plan(subscription, going)


def look_at_payments(payments: Iterable[Payment]) -> None:
    """`look_at_payment` for the gifts of many supporters: one question tells who gave before at all."""
    payments = list(payments)
    givers = [payment.supporter_id for payment in payments]
    earlier = Payment.objects.filter(supporter__in=givers).exclude(pk__in=[payment.pk for payment in payments])
    known = set(earlier.values_list("supporter_id", flat=True))
    for payment in payments:
        if payment.supporter_id in known:
            look_at_payment(payment)


def look_at_payment(payment: Payment) -> None:
    """Open a case when an equal gift of the same person came within an hour, or another of the same checkout ever:
    two of its sessions were paid. Called with the supporter's row locked.
    """
    assert payment.paid_at is not None  # noqa: S101 - only received payments are looked at
    equal = Q(
        supporter=payment.supporter,
        amount=payment.amount,
        currency=payment.currency,
        paid_at__range=(payment.paid_at - WINDOW, payment.paid_at + WINDOW),
    )
    received = Payment.objects.filter(status=Payment.Status.SUCCEEDED, frequency=Frequency.ONCE)
    same = Q(checkout=payment.checkout) if payment.checkout else Q()
    twins = received.filter(equal | same).exclude(pk=payment.pk).values_list("pk", flat=True)
    if found := sorted(twins):
        facts = {"payments": sorted([*found, payment.pk])}
        key = f"payments:{'+'.join(str(pk) for pk in facts['payments'])}"
        cases.open_case(Case.Kind.DUPLICATE_PAYMENT, key, payment.supporter, facts)
