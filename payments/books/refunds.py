"""Refunds: money sent back. Mirrors Stripe's refunds, writes their ledger lines, keeps the payment's refunded sum.

Called by the webhook handlers, inside the transaction of a group of events. Requesting a refund from Stripe is in
refund_requests.py. The supporter is emailed from here, whoever made the refund.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum

from members import clock
from members.models import Supporter
from payments import cases
from payments.books import belonging, ledger, refund_requests
from payments.errors import NotYet
from payments.letters import refunds as refund_letters
from payments.models import Case, LedgerEntry, Payment, Refund, RefundRequest
from payments.stripe_api import objects

# A refund that we hear of later than this has arrived by then: no email says that it is on its way.
EMAIL_WITHIN = timedelta(days=10)


def follow(refund: objects.Refund) -> Refund:
    """Update our row from Stripe's refund, with its ledger lines and membership days; return the row.

    The supporter is emailed once, when the money leaves. A refund that failed, or that was called off after that
    email, opens a case. Locks the supporter's row. Idempotent. Raises NotYet if the payment is not recorded yet.
    """
    payment = payment_of(refund)
    if payment is None:
        raise NotYet(f"payment of {refund.id}")
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    status_before = payment.refunds.filter(stripe_refund_id=refund.id).values_list("status", flat=True).first()
    row = _mirror(refund, payment)
    _write_lines(row, refund)
    returned = payment.refunds.filter(status__in=Refund.TAKES_MONEY).aggregate(sum=Sum("amount"))["sum"] or 0
    Payment.objects.filter(pk=payment.pk).update(refunded_amount=returned)
    note_taken_back(payment)
    _email_supporter(row, refund_requests.note_answer(row, refund), status_before)
    _show_failure(row)
    return row


def payment_of(taken: objects.Refund | objects.Dispute | objects.FraudWarning) -> Payment | None:
    """Return the payment that a refund, dispute or warning is about, or None if it is not recorded.

    Found by its PaymentIntent; by its charge only if Stripe names no PaymentIntent.
    """
    if taken.payment_intent:
        return Payment.objects.filter(stripe_payment_intent_id=taken.payment_intent).first()
    return Payment.objects.filter(stripe_charge_id=taken.charge).first()


def note_taken_back(payment: Payment) -> None:
    """Recount the membership's days, and open a case if refunds and disputes together exceed the payment.

    That can happen: Stripe allows a dispute of a refunded payment. Reads the payment's sums from the database first.
    Idempotent: one case per payment.
    """
    payment.refresh_from_db(fields=["refunded_amount", "disputed_amount"])
    if payment.subscription:
        belonging.count_again(payment.subscription)
    taken = payment.refunded_amount + payment.disputed_amount
    if taken > payment.amount:
        facts = {"payment": payment.pk, "taken_back": [taken, payment.currency]}
        key = f"payment:{payment.pk}:taken_twice"
        cases.open_case(Case.Kind.TAKEN_TWICE, key, payment.supporter, facts)


def _mirror(refund: objects.Refund, payment: Payment) -> Refund:
    """Save Stripe's refund as our row. Its amount never changes, its status does."""
    state = {"status": refund.status, "failure_reason": refund.failure_reason}
    facts = {"payment": payment, "amount": refund.amount, "currency": refund.currency, "reason": refund.reason}
    row, _ = Refund.objects.update_or_create(
        stripe_refund_id=refund.id,
        create_defaults={**facts, "created_at": refund.created_at, **state},
        defaults=state,
    )
    return row


def _write_lines(row: Refund, refund: objects.Refund) -> None:
    """Write a line for the money that the refund took and, if it failed or was called off, one for its return.

    A refund that waited for money in Stripe's balance may end without having taken any. Its pending state has a line
    all the same, and the line that reverses it is one that Stripe never settles (settlements.py).
    """
    payment = row.payment
    if refund.has_taken_money:
        ledger.write(LedgerEntry.Kind.REFUND, f"refund:{refund.id}", payment, -row.amount, refund.created_at, row)
    elif not row.ledger_entries.exists():
        return
    is_over = row.status in {Refund.Status.FAILED, Refund.Status.CANCELED}
    if is_over and not row.ledger_entries.filter(kind=LedgerEntry.Kind.REFUND_RETURNED).exists():
        name = "refund_returned" if refund.has_taken_money else "refund_called_off"
        returned_at = refund.returned_at or refund.created_at
        ledger.write(LedgerEntry.Kind.REFUND_RETURNED, f"{name}:{refund.id}", payment, row.amount, returned_at, row)


def _email_supporter(row: Refund, request: RefundRequest | None, status_before: str | None) -> None:
    """Email the supporter if the money leaves now, unless the refund is old or staff chose to send no email."""
    leaves_now = row.status in Refund.TAKES_MONEY and status_before not in Refund.TAKES_MONEY
    is_recent = clock.now() - row.created_at < EMAIL_WITHIN
    if leaves_now and is_recent and (request is None or request.tells_supporter):
        refund_letters.refund_done(row, request.sentence if request else "")


def _show_failure(row: Refund) -> None:
    is_called_off = row.status == Refund.Status.CANCELED and refund_letters.was_told(row)
    if is_called_off or row.status == Refund.Status.FAILED:
        facts = {"refund": row.pk, "payment": row.payment_id, "amount": [row.amount, row.currency]}
        key = f"refund:{row.stripe_refund_id}:failed"
        cases.open_case(Case.Kind.REFUND_FAILED, key, row.payment.supporter, facts)
