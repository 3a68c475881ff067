"""Gifts given once: the payment of a PaymentIntent that one of our checkouts led to.

Called by the webhook handlers, inside the transaction of a group of events, one gift at a time. The ordinary case,
many new gifts received together, is in new_gifts.py; instalments of recurring gifts are in instalments.py.
"""

from __future__ import annotations

from members.models import Supporter
from payments.books import duplicates, ledger
from payments.errors import CheckoutLost
from payments.giving import checkout as checkouts
from payments.letters import gifts as gift_letters
from payments.letters import staff as staff_letters
from payments.models import Checkout, Frequency, Payment
from payments.stripe_api import objects


def record_gift(intent: objects.PaymentIntent, *, is_accepted: bool = False) -> Payment | None:
    """Record a one-off gift and queue the emails about it; return its payment, or None if it has none.

    A payment declined on Stripe's page makes neither a payment nor a supporter: no money has moved. Nor does a voucher
    or a transfer that waits for its giver, or that never came. If Stripe's page had accepted the payment first
    (`is_accepted`) and it was charged, as a bank debit is, it becomes a failed payment, however late we hear of it.

    Locks the supporter's row. Idempotent. Raises NotOurs if the intent names no checkout of this installation, and
    CheckoutLost if money has come or is with the bank but the checkout's row is missing, as after a restored backup.
    """
    try:
        checkout = checkouts.find(intent.checkout)
    except CheckoutLost:
        if intent.is_on_its_way:
            raise
        return None
    if not intent.is_on_its_way:
        return _record_failed(intent, checkout, is_accepted)
    payment = _payment_of(intent, checkout, checkouts.giver(checkout))
    if intent.status == "processing":
        ledger.mark_processing(payment)
    elif ledger.receive(payment, intent.amount, intent.charge, intent.method, intent.paid_at):
        ledger.check_amount(payment, checkout.amount, checkout.currency)
        duplicates.check_payment(payment)
        gift_letters.thank(payment)
        staff_letters.note_large_gift(payment)
    return payment


def new_gift(intent: objects.PaymentIntent, checkout: Checkout, supporter: Supporter) -> Payment:
    """Return a new payment for a one-off gift: with the bank, not received, not saved."""
    return Payment(
        supporter=supporter,
        checkout=checkout,
        frequency=Frequency.ONCE,
        status=Payment.Status.PROCESSING,
        amount=intent.amount,
        currency=intent.currency,
        stripe_customer_id=intent.customer,
        stripe_payment_intent_id=intent.id,
        created_at=intent.created_at,
        **checkout.attribution(),
    )


def _payment_of(intent: objects.PaymentIntent, checkout: Checkout, supporter: Supporter) -> Payment:
    return _known_payment(intent) or new_gift(intent, checkout, supporter)


def _known_payment(intent: objects.PaymentIntent) -> Payment | None:
    return Payment.objects.select_for_update().filter(stripe_payment_intent_id=intent.id).first()


def _record_failed(intent: objects.PaymentIntent, checkout: Checkout, is_accepted: bool) -> Payment | None:
    """Record an intent that failed. A payment that was received stays received."""
    payment = _known_payment(intent)
    if intent.never_came:
        checkouts.lapse(intent.checkout)
    if payment is None and (intent.awaits_giver or intent.never_came or not is_accepted):
        if intent.error_code != checkout.failure_code:
            Checkout.objects.filter(pk=checkout.pk).update(failure_code=intent.error_code)
        return None
    payment = payment or _payment_of(intent, checkout, checkouts.giver(checkout))
    if payment.status == Payment.Status.PROCESSING:
        payment.status = Payment.Status.FAILED
        payment.failure_code = intent.error_code
        payment.failures = 1
        payment.save()
        gift_letters.processing_failed(payment)
    return payment
