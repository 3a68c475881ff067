"""New one-off gifts, recorded many at a time in some ten statements.

Covers the ordinary case of gifts.record_gift only; everything else is left to it. Called by the drain, inside the
transaction of its events. tests/payments/books/test_new_gifts.py checks that both ways leave the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from payments.books import duplicates, gifts, ledger
from payments.giving import checkout as checkouts
from payments.letters import gifts as gift_letters
from payments.letters import staff as staff_letters
from payments.models import Checkout, Payment
from payments.stripe_api import objects


def record(intents: Iterable[objects.PaymentIntent]) -> set[objects.PaymentIntent]:
    """Record the gifts among these that were received and are new; return their intents.

    Pass the other intents to gifts.record_gift. Idempotent: the second time none of them is new. Locks the supporters'
    rows first, in the order of their addresses, and only then reads which gifts are known.
    """
    received = {intent.checkout: intent for intent in intents if intent.status == "succeeded" and intent.charge}
    begun = checkouts.without_giver(received)
    if not begun:
        return set()
    checkouts.find_givers(begun.values())
    new = _new(begun.values())
    recorded = [(received[name], checkout) for name, checkout in begun.items() if checkout in new]
    _write([_received(intent, checkout) for intent, checkout in recorded])
    return {intent for intent, _ in recorded}


def _new(begun: Collection[Checkout]) -> set[Checkout]:
    """Return the checkouts without a payment, at most one per supporter.

    A second gift of the same supporter must be compared with the first one, so gifts.record_gift records it.
    """
    first: dict[int | None, Checkout] = {}
    for checkout in begun:
        first.setdefault(checkout.supporter_id, checkout)
    known = set(Payment.objects.filter(checkout__in=begun).values_list("checkout_id", flat=True))
    return {checkout for checkout in first.values() if checkout.pk not in known}


def _received(intent: objects.PaymentIntent, checkout: Checkout) -> Payment:
    assert checkout.supporter is not None  # noqa: S101 - find_givers has set it
    payment = gifts.new_gift(intent, checkout, checkout.supporter)
    ledger.mark_received(payment, intent.amount, intent.charge, intent.method, intent.paid_at)
    return payment


def _write(payments: list[Payment]) -> None:
    Payment.objects.bulk_create(payments)
    ledger.write_received_lines(payments)
    for payment in payments:
        assert payment.checkout is not None  # noqa: S101 - each was made from one
        ledger.check_amount(payment, payment.checkout.amount, payment.checkout.currency)
    duplicates.check_payments(payments)
    gift_letters.thank_once(payments)
    for payment in payments:
        staff_letters.note_large_gift(payment)
