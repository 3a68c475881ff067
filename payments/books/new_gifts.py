"""Gifts given once that are told for the first time, recorded many at a time: some ten statements for all of them.

The plain case of ledger.record_gift and nothing else: whatever was heard of before is left to it. Called by the drain,
in the transaction of its events. That both leave the same rows is held by tests/payments/books/test_new_gifts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from payments.books import duplicates, ledger
from payments.giving import checkout as checkouts
from payments.letters import gifts as gift_letters
from payments.letters import staff as staff_letters
from payments.models import Checkout, Payment
from payments.stripe_api import objects


def record(intents: Iterable[objects.PaymentIntent]) -> set[objects.PaymentIntent]:
    """Record the gifts among these that are received and new; returns those. Safe to call again: they are known then.

    Supporters are locked first, in the order of their addresses; only then is asked which gifts are known.
    """
    told = {intent.checkout: intent for intent in intents if intent.status == "succeeded" and intent.charge}
    begun = checkouts.without_giver(told)
    if not begun:
        return set()
    checkouts.find_givers(begun.values())
    new = _new(begun.values())
    gifts = [(told[name], checkout) for name, checkout in begun.items() if checkout in new]
    _write([_received(intent, checkout) for intent, checkout in gifts])
    return {intent for intent, _ in gifts}


def _new(begun: Collection[Checkout]) -> set[Checkout]:
    """Checkouts without a payment, one a supporter: a second gift of the same person is compared with their first."""
    first: dict[int | None, Checkout] = {}
    for checkout in begun:
        first.setdefault(checkout.supporter_id, checkout)
    known = set(Payment.objects.filter(checkout__in=begun).values_list("checkout_id", flat=True))
    return {checkout for checkout in first.values() if checkout.pk not in known}


def _received(intent: objects.PaymentIntent, checkout: Checkout) -> Payment:
    assert checkout.supporter is not None  # noqa: S101 - found just now
    payment = ledger.new_gift(intent, checkout, checkout.supporter)
    ledger.mark_received(payment, intent.amount, intent.charge, intent.method, intent.paid_at)
    return payment


def _write(payments: list[Payment]) -> None:
    Payment.objects.bulk_create(payments)
    ledger.write_received_lines(payments)
    for payment in payments:
        assert payment.checkout is not None  # noqa: S101 - made of one
        ledger.compare(payment, payment.checkout.amount, payment.checkout.currency)
    duplicates.look_at_payments(payments)
    gift_letters.thank_once(payments)
    for payment in payments:
        staff_letters.look_at(payment)
