"""Gifts a bank takes back: Stripe's disputes mirrored, their lines added, a case for staff. A bank debit returned weeks
later comes as a dispute too, lost from the first day.
"""

from __future__ import annotations

from django.db.models import Sum

from members.models import Supporter
from payments import cases
from payments.books import ledger, refunds
from payments.errors import NotYet
from payments.letters import refunds as refund_letters
from payments.models import Case, Dispute, LedgerEntry, Payment
from payments.stripe_api import objects


def follow(dispute: objects.Dispute) -> Dispute:
    """Make our row what Stripe's dispute is now. What Stripe's balance lost or got back has lines of its own.

    An inquiry moves no money. Raises NotYet when the payment has not been recorded. Safe to call again.
    """
    payment = refunds.payment_of(dispute)
    if payment is None:
        raise NotYet(f"payment of {dispute.id}")
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    state = {
        "status": dispute.status,
        "reason": dispute.reason,
        "respond_by": dispute.respond_by,
        "withdrawn_amount": dispute.taken,
    }
    facts = {"payment": payment, "amount": dispute.amount, "currency": dispute.currency}
    row, is_new = Dispute.objects.update_or_create(
        stripe_dispute_id=dispute.id,
        create_defaults={**facts, "created_at": dispute.created_at, **state},
        defaults=state,
    )
    _write_lines(row, dispute)
    taken = payment.disputes.aggregate(sum=Sum("withdrawn_amount"))["sum"] or 0
    Payment.objects.filter(pk=payment.pk).update(disputed_amount=taken)
    refunds.note_taken_back(payment)
    if is_new:
        told = {"dispute": row.pk, "payment": payment.pk, "reason": row.reason, "amount": [row.amount, row.currency]}
        cases.open_case(Case.Kind.DISPUTE, f"dispute:{dispute.id}", payment.supporter, told)
    if row.status == Dispute.Status.LOST and payment.is_debit:
        refund_letters.payment_returned(payment)
    return row


def _write_lines(row: Dispute, dispute: objects.Dispute) -> None:
    """Dated by when the money moved: what was won weeks later does not change the month that is closed."""
    if at := dispute.withdrawn_at:
        ledger.write(LedgerEntry.Kind.DISPUTE, f"dispute:{dispute.id}", row.payment, -row.amount, at)
    if at := dispute.returned_at:
        source = f"dispute_returned:{dispute.id}"
        ledger.write(LedgerEntry.Kind.DISPUTE_RETURNED, source, row.payment, row.amount, at)
