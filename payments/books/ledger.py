"""Money received: payments recorded once from Stripe's facts, and the signed lines that prove them.

Every function is called with a supporter's row locked, inside the one transaction of a group of events, and is safe
to call again with the same or older facts: the second time changes nothing and mails nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from members import clock
from members.models import Supporter
from payments import cases
from payments.books import belonging, duplicates, refund_requests
from payments.crash_points import crash_at
from payments.errors import CheckoutLost
from payments.giving import checkout as checkouts
from payments.letters import failed as failed_letters
from payments.letters import gifts as gift_letters
from payments.letters import staff as staff_letters
from payments.models import Case, Checkout, Frequency, LedgerEntry, Payment, Refund, Subscription
from payments.stripe_api import objects


def record_gift(intent: objects.PaymentIntent, *, is_accepted: bool = False) -> Payment | None:
    """A gift made once. Raises NotOurs for a PaymentIntent that no checkout of ours led to, CheckoutLost for money of
    one whose row is gone.

    A declined try at Stripe's page makes no payment and no supporter: nothing has come. One that Stripe's page had
    accepted (`is_accepted`: a bank debit) is a payment that failed, whenever we hear of it.
    """
    try:
        checkout = checkouts.find(intent.checkout)
    except CheckoutLost:
        if intent.is_on_its_way:
            raise
        return None
    if not intent.is_on_its_way:
        return _fail_gift(intent, checkout, is_accepted)
    supporter = checkouts.giver(checkout)
    payment = _payment_for(intent, checkout, supporter)
    if intent.status == "processing":
        _process(payment)
    elif _receive(payment, intent.amount, intent.charge, intent.method, intent.paid_at):
        compare(payment, checkout.amount, checkout.currency)
        duplicates.look_at_payment(payment)
        gift_letters.thank(payment)
        staff_letters.look_at(payment)
    return payment


def record_instalment(invoice: objects.Invoice, subscription: Subscription) -> Payment | None:
    """One invoice of a subscription: received, with the bank, or failed. A later state never gives way to an older."""
    if invoice.amount == 0:
        return _credit_instalment(invoice, subscription)
    if invoice.status == "paid":
        return _receive_instalment(_instalment(invoice, subscription), invoice, subscription)
    intent = invoice.payment_intent
    if intent and intent.status == "processing":
        payment = _instalment(invoice, subscription)
        _process(payment)
        return payment
    if invoice.status == "open" and invoice.attempts:
        return _fail_instalment(invoice, subscription)
    if invoice.status in {"void", "uncollectible"}:
        return _give_up_instalment(invoice)
    return None


def write_received_lines(payments: Iterable[Payment]) -> None:
    """The ledger's lines for money received, one a payment, however often it is told."""
    lines = []
    for payment in payments:
        charge, invoice = payment.stripe_charge_id, payment.stripe_invoice_id
        source = f"charge:{charge}" if charge else f"invoice:{invoice}"
        assert payment.paid_at is not None  # noqa: S101 - received
        lines.append(_line(LedgerEntry.Kind.CHARGE, source, payment, payment.amount, payment.paid_at))
    LedgerEntry.objects.bulk_create(lines, ignore_conflicts=True)
    crash_at("after-ledger-insert")


def write(
    kind: LedgerEntry.Kind,
    source: str,
    payment: Payment,
    amount: int,
    occurred_at: datetime,
    refund: Refund | None = None,
) -> None:
    """Add one line of signed minor units in the payment's currency. A source that has its line keeps it."""
    line = _line(kind, source, payment, amount, occurred_at, refund)
    LedgerEntry.objects.bulk_create([line], ignore_conflicts=True)
    crash_at("after-ledger-insert")


def _line(
    kind: LedgerEntry.Kind,
    source: str,
    payment: Payment,
    amount: int,
    occurred_at: datetime,
    refund: Refund | None = None,
) -> LedgerEntry:
    return LedgerEntry(
        kind=kind,
        source=source,
        payment=payment,
        refund=refund,
        amount=amount,
        currency=payment.currency,
        occurred_at=occurred_at,
    )


def _payment_for(intent: objects.PaymentIntent, checkout: Checkout, supporter: Supporter) -> Payment:
    found = Payment.objects.select_for_update().filter(stripe_payment_intent_id=intent.id).first()
    return found or new_gift(intent, checkout, supporter)


def new_gift(intent: objects.PaymentIntent, checkout: Checkout, supporter: Supporter) -> Payment:
    """A gift given once as it begins: not received, not saved."""
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


def _instalment(invoice: objects.Invoice, subscription: Subscription) -> Payment:
    intent = invoice.payment_intent
    payment = Payment.objects.select_for_update().filter(stripe_invoice_id=invoice.id).first() or Payment(
        supporter=subscription.supporter,
        checkout=subscription.checkout if invoice.is_first else None,
        subscription=subscription,
        frequency=subscription.frequency,
        status=Payment.Status.PROCESSING,
        amount=invoice.amount,
        currency=invoice.currency,
        stripe_customer_id=invoice.customer,
        stripe_invoice_id=invoice.id,
        created_at=invoice.created_at,
        **subscription.attribution(),
    )
    payment.stripe_payment_intent_id = payment.stripe_payment_intent_id or (intent.id if intent else None)
    payment.method = payment.method or subscription.method
    return payment


def _receive(payment: Payment, amount: int, charge_id: str, method: str, paid_at: datetime) -> bool:
    """Mark as received and write the line; False when that was known already."""
    if payment.status == Payment.Status.SUCCEEDED:
        if method and not payment.method:
            payment.method = method
            payment.save(update_fields=["method"])
        return False
    mark_received(payment, amount, charge_id, method, paid_at)
    payment.save()
    write_received_lines([payment])
    refund_requests.send_back_on_arrival(payment)
    return True


def mark_received(payment: Payment, amount: int, charge_id: str, method: str, paid_at: datetime) -> None:
    """The payment as it is when its money has come; `amount` in minor units of its currency. Not saved."""
    payment.status = Payment.Status.SUCCEEDED
    payment.amount, payment.paid_at = amount, paid_at
    payment.stripe_charge_id = charge_id or None
    payment.method = method or payment.method
    payment.failure_code, payment.next_attempt_at = "", None


def _receive_instalment(payment: Payment, invoice: objects.Invoice, subscription: Subscription) -> Payment:
    charge = _charge_of(invoice)
    if not charge:
        payment.method = ""
    payment.paid_through = clock.day_of(invoice.period_end)
    paid_at = invoice.paid_at or invoice.created_at
    if not _receive(payment, invoice.amount, charge, subscription.method if charge else "", paid_at):
        return payment
    belonging.renew(payment, subscription)
    failed_letters.take_back(Payment.objects.filter(pk=payment.pk))
    if subscription.ended_at and paid_at > subscription.ended_at:
        facts = {"payment": payment.pk, "subscription": subscription.pk}
        cases.open_case(Case.Kind.PAYMENT_AFTER_END, f"payment:{payment.pk}:after_end", payment.supporter, facts)
    compare(payment, payment.checkout.amount if payment.checkout else invoice.billed, subscription.currency)
    if invoice.is_first:
        gift_letters.thank(payment)
        staff_letters.look_at(payment)
    else:
        gift_letters.receipt_recurring(payment)
        refund_requests.look_at_instalment(payment, subscription, _charged_at(invoice, paid_at))
    return payment


def _credit_instalment(invoice: objects.Invoice, subscription: Subscription) -> Payment | None:
    """Paid without money, from the customer's credit at Stripe: time goes on, and a try that failed is wanted no more.

    An invoice that bills nothing, such as one of a trial or of a change of amount, gives no time.
    """
    if invoice.status != "paid" or invoice.billed <= 0:
        return None
    first_day = clock.day_of(invoice.paid_at or invoice.created_at)
    belonging.credit(subscription, first_day, clock.day_of(invoice.period_end))
    return _give_up_instalment(invoice)


def _charge_of(invoice: objects.Invoice) -> str:
    """The charge that brought the money of a paid invoice; none of one that staff marked as paid outside Stripe."""
    intent = invoice.payment_intent
    return intent.charge if intent and intent.status == "succeeded" else ""


def _charged_at(invoice: objects.Invoice, paid_at: datetime) -> datetime:
    """When its only try began, which for a bank debit is days before the money; else when the try that worked did."""
    intent = invoice.payment_intent
    return intent.created_at if intent and invoice.attempts <= 1 else paid_at


def _process(payment: Payment) -> None:
    """With the bank: not received, and not failed either. A payment that was received stays so."""
    is_new = payment.pk is None
    if is_new or payment.status == Payment.Status.FAILED:
        payment.status = Payment.Status.PROCESSING
        payment.save()
    if is_new and payment.checkout:
        gift_letters.thanks_processing(payment)


def _fail_instalment(invoice: objects.Invoice, subscription: Subscription) -> Payment:
    """A try that failed. The first invoice of a subscription that had begun was a bank debit: said in other words."""
    payment = _instalment(invoice, subscription)
    is_known = payment.status == Payment.Status.FAILED and payment.failures >= invoice.attempts
    if payment.status == Payment.Status.SUCCEEDED or is_known:
        return payment
    was_with_bank = payment.pk is not None and payment.status == Payment.Status.PROCESSING
    payment.status, payment.failures = Payment.Status.FAILED, invoice.attempts
    payment.failure_code = _why(invoice.payment_intent)
    payment.failing_since = payment.failing_since or clock.now()
    payment.next_attempt_at = invoice.next_attempt_at
    payment.save()
    if invoice.is_first:
        gift_letters.processing_failed(payment)
    else:
        failed_letters.tell(payment, was_with_bank=was_with_bank)
    return payment


def _give_up_instalment(invoice: objects.Invoice) -> Payment | None:
    """Voided or written off: no further try. Money that had come stays, whatever the invoice is called now."""
    payment = Payment.objects.select_for_update().filter(stripe_invoice_id=invoice.id).first()
    if payment and payment.status != Payment.Status.SUCCEEDED:
        failed_letters.take_back(Payment.objects.filter(pk=payment.pk))
        payment.status, payment.next_attempt_at, payment.failing_since = Payment.Status.FAILED, None, None
        payment.save(update_fields=["status", "next_attempt_at", "failing_since"])
    return payment


def _why(intent: objects.PaymentIntent | None) -> str:
    """Stripe's reason, or that the bank wants the supporter to confirm, for which Stripe has no error."""
    if intent is None:
        return ""
    return intent.error_code or ("authentication_required" if intent.status == "requires_action" else "")


def _fail_gift(intent: objects.PaymentIntent, checkout: Checkout, is_accepted: bool) -> Payment | None:
    payment = Payment.objects.select_for_update().filter(stripe_payment_intent_id=intent.id).first()
    if payment is None and not is_accepted:
        if intent.error_code != checkout.failure_code:
            Checkout.objects.filter(pk=checkout.pk).update(failure_code=intent.error_code)
        return None
    payment = payment or _payment_for(intent, checkout, checkouts.giver(checkout))
    if payment.status == Payment.Status.PROCESSING:
        payment.status, payment.failure_code, payment.failures = Payment.Status.FAILED, intent.error_code, 1
        payment.save()
        gift_letters.processing_failed(payment)
    return payment


def compare(payment: Payment, amount: int, currency: str) -> None:
    """The books say what Stripe took; a person looks at it when that is not what was agreed."""
    if (payment.amount, payment.currency) != (amount, currency):
        facts = {"agreed": [amount, currency], "taken": [payment.amount, payment.currency], "payment": payment.pk}
        cases.open_case(Case.Kind.AMOUNT_MISMATCH, f"payment:{payment.pk}", payment.supporter, facts)
