"""Instalments of recurring gifts: the payment of each invoice of a subscription, and the membership it pays for.

Called by the webhook handlers, inside the transaction of a group of events, with the supporter's row locked. One-off
gifts are in gifts.py.
"""

from __future__ import annotations

from members import clock
from payments import cases
from payments.books import belonging, ledger, refund_requests
from payments.letters import failed as failed_letters
from payments.letters import gifts as gift_letters
from payments.letters import staff as staff_letters
from payments.models import Case, Payment, Subscription, UnpaidInvoice
from payments.stripe_api import objects


def record_instalment(invoice: objects.Invoice, subscription: Subscription) -> Payment | None:
    """Record one invoice as received, with the bank, failed or given up; return its payment, or None if it has none.

    An open invoice that nobody has tried to pay yet has no payment, nor has a first one that waits for its giver. An
    invoice of amount 0, paid from the customer's credit at Stripe, makes no payment but extends the membership. A
    received payment stays received. Other payments that paid parts of the invoice are recorded beside it. Idempotent.
    """
    payment = _record_own(invoice, subscription)
    _record_parts(invoice, subscription)
    return payment


def _record_own(invoice: objects.Invoice, subscription: Subscription) -> Payment | None:
    """Record the payment that counts for the invoice; return it. One that was recorded as a part stays one."""
    _mirror_unpaid(invoice, subscription)
    if invoice.amount == 0 or _is_recorded_part(invoice.charge, invoice):
        return _record_credited(invoice, subscription)
    if invoice.status == "paid":
        return _record_received(_payment_of(invoice, subscription), invoice, subscription)
    if invoice.is_with_bank:
        payment = _payment_of(invoice, subscription)
        ledger.mark_processing(payment)
        return payment
    if invoice.is_first and invoice.payment_intent and invoice.payment_intent.awaits_giver:
        return None
    if invoice.status == "open" and invoice.attempts:
        return _record_failed(invoice, subscription)
    if invoice.status in {"void", "uncollectible"}:
        return _give_up(invoice)
    return None


def _mirror_unpaid(invoice: objects.Invoice, subscription: Subscription) -> None:
    """Keep a row about a renewal's invoice while Stripe will collect it by itself and has not tried yet."""
    if invoice.is_first:
        return
    rows = UnpaidInvoice.objects.filter(stripe_invoice_id=invoice.id)
    if not (invoice.can_be_voided and invoice.advances and not invoice.attempts and invoice.amount):
        rows.delete()
        return
    due_at = invoice.next_attempt_at or invoice.created_at
    values = {"amount": invoice.amount, "currency": invoice.currency, "due_at": due_at}
    UnpaidInvoice.objects.update_or_create(
        stripe_invoice_id=invoice.id, defaults={"subscription": subscription, **values}
    )


def _payment_of(invoice: objects.Invoice, subscription: Subscription) -> Payment:
    """Return the payment of an invoice: the known one, locked, or a new unsaved one that is with the bank."""
    intent = invoice.payment_intent
    payment = _known_payment(invoice) or Payment(
        supporter=subscription.supporter,
        checkout=subscription.checkout if invoice.is_first else None,
        subscription=subscription,
        frequency=subscription.frequency,
        status=Payment.Status.PROCESSING,
        amount=invoice.amount,
        currency=invoice.currency,
        monthly_amount=invoice.monthly,
        stripe_customer_id=invoice.customer,
        stripe_invoice_id=invoice.id,
        created_at=invoice.created_at,
        **subscription.attribution(),
    )
    payment.stripe_payment_intent_id = payment.stripe_payment_intent_id or (intent.id if intent else None)
    payment.method = payment.method or subscription.method
    return payment


def _known_payment(invoice: objects.Invoice) -> Payment | None:
    return Payment.objects.select_for_update().filter(stripe_invoice_id=invoice.id).first()


def _record_received(payment: Payment, invoice: objects.Invoice, subscription: Subscription) -> Payment:
    charge, intent = invoice.charge, invoice.payment_intent
    if not charge:
        payment.method = ""
        if payment.stripe_payment_intent_id in {part.payment_intent for part in invoice.parts}:
            payment.stripe_payment_intent_id = None
    elif intent and payment.status != Payment.Status.SUCCEEDED:
        payment.stripe_payment_intent_id = intent.id  # another payment than the one that failed may have paid
    payment.monthly_amount = invoice.monthly
    payment.paid_through = clock.day_of(invoice.period_end)
    paid_at = invoice.paid_at or invoice.created_at
    if not ledger.receive(payment, invoice.amount, charge, subscription.method if charge else "", paid_at):
        return payment
    belonging.renew(payment, subscription)
    failed_letters.take_back(Payment.objects.filter(pk=payment.pk))
    if subscription.ended_at and paid_at > subscription.ended_at:
        facts = {"payment": payment.pk, "subscription": subscription.pk}
        cases.open_case(Case.Kind.PAYMENT_AFTER_END, f"payment:{payment.pk}:after_end", payment.supporter, facts)
    agreed_amount = payment.checkout.amount if payment.checkout else invoice.due
    ledger.check_amount(payment, agreed_amount - sum(part.amount for part in invoice.parts), subscription.currency)
    if invoice.is_first:
        gift_letters.thank(payment)
        staff_letters.note_large_gift(payment)
    else:
        gift_letters.receipt_recurring(payment)
        refund_requests.refund_if_unwanted(payment, subscription, invoice.charged_at)
    return payment


def _record_credited(invoice: objects.Invoice, subscription: Subscription) -> Payment | None:
    """Extend the membership by an invoice paid from the customer's credit; return a failed attempt's payment, if any.

    An invoice that bills nothing, such as one for a trial or for a change of amount, extends nothing.
    """
    if invoice.status != "paid" or not invoice.has_price:
        return None
    first_day = clock.day_of(invoice.paid_at or invoice.created_at)
    belonging.credit(subscription, first_day, clock.day_of(invoice.period_end))
    return _give_up(invoice)


def _record_failed(invoice: objects.Invoice, subscription: Subscription) -> Payment:
    """Record a failed attempt, once per attempt, and queue the email that is due for it.

    If the first invoice of a subscription that has begun fails, it was a bank debit, which has an email of its own.
    """
    payment = _payment_of(invoice, subscription)
    is_known = payment.status == Payment.Status.FAILED and payment.failures >= invoice.attempts
    if payment.status == Payment.Status.SUCCEEDED or is_known:
        return _with_rest(payment, invoice)
    was_with_bank = payment.pk is not None and payment.status == Payment.Status.PROCESSING
    payment.status = Payment.Status.FAILED
    payment.failures = invoice.attempts
    payment.failure_code = _failure_code(invoice.payment_intent)
    payment.failing_since = payment.failing_since or clock.now()
    payment.next_attempt_at = invoice.next_attempt_at
    payment.save()
    if invoice.is_first:
        gift_letters.processing_failed(payment)
    else:
        failed_letters.tell(payment, was_with_bank=was_with_bank)
    return payment


def _with_rest(payment: Payment, invoice: objects.Invoice) -> Payment:
    """Return a failed payment with what is still to be paid, after a part of its invoice was paid by another one."""
    if payment.status == Payment.Status.FAILED and payment.amount != invoice.amount:
        payment.amount = invoice.amount
        payment.save(update_fields=["amount"])
    return payment


def _give_up(invoice: objects.Invoice) -> Payment | None:
    """Mark the payment of an invoice as no longer wanted; return it, or None if there is none.

    Cancels unsent emails about its failure. Money that was received stays received, even if its invoice is voided or
    written off later.
    """
    payment = _known_payment(invoice)
    if payment and payment.status != Payment.Status.SUCCEEDED:
        failed_letters.take_back(Payment.objects.filter(pk=payment.pk))
        payment.status = Payment.Status.FAILED
        payment.next_attempt_at = None
        payment.failing_since = None
        payment.save(update_fields=["status", "next_attempt_at", "failing_since"])
    return payment


def _record_parts(invoice: objects.Invoice, subscription: Subscription) -> None:
    """Record each other payment that paid a part of the invoice, and queue its receipt. Once per charge.

    A part pays for the same time as the invoice, as soon as all of it is paid.
    """
    through = clock.day_of(invoice.period_end) if invoice.status == "paid" else None
    for part in invoice.parts:
        if Payment.objects.filter(stripe_charge_id=part.charge).exists():
            Payment.objects.filter(stripe_charge_id=part.charge, paid_through=None).update(paid_through=through)
            continue
        payment = Payment(
            supporter=subscription.supporter,
            subscription=subscription,
            frequency=subscription.frequency,
            currency=invoice.currency,
            monthly_amount=invoice.monthly,
            paid_through=through,
            stripe_customer_id=invoice.customer,
            stripe_payment_intent_id=part.payment_intent or None,
            created_at=part.paid_at,
            **subscription.attribution(),
        )
        ledger.receive(payment, part.amount, part.charge, "", part.paid_at)
        gift_letters.receipt_recurring(payment)
        refund_requests.refund_if_unwanted(payment, subscription, part.paid_at)


def _is_recorded_part(charge: str, invoice: objects.Invoice) -> bool:
    known = Payment.objects.filter(stripe_charge_id=charge)
    return bool(charge) and known.exclude(stripe_invoice_id=invoice.id).exists()


def _failure_code(intent: objects.PaymentIntent | None) -> str:
    """Return Stripe's error code, or "" if there is none.

    For a payment that the bank wants confirmed Stripe has no error: return "authentication_required".
    """
    if intent is None:
        return ""
    return intent.error_code or ("authentication_required" if intent.status == "requires_action" else "")
