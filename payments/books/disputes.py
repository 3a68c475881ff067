"""Disputes: gifts that a bank takes back. Mirrors Stripe's disputes, writes their ledger lines, opens cases for staff.

A bank debit that is returned weeks later is a dispute too, lost from the start. Called by the webhook handlers, inside
the transaction of a group of events. Refunds that we make are in refunds.py.
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
    """Update our row from Stripe's dispute, with its ledger lines and membership days; return the row.

    A new dispute opens a case, and one in another currency than the payment's a second: it gets no line. A lost bank
    debit emails the supporter that the money was taken back. An inquiry moves no money. Locks the supporter's row.
    Idempotent. Raises NotYet if the disputed payment is not recorded yet.
    """
    payment = refunds.payment_of(dispute)
    if payment is None:
        raise NotYet(f"payment of {dispute.id}")
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    row, is_new = _mirror(dispute, payment)
    _write_lines(row, dispute)
    booked = payment.disputes.filter(currency=payment.currency)
    taken = booked.aggregate(sum=Sum("withdrawn_amount"))["sum"] or 0
    Payment.objects.filter(pk=payment.pk).update(disputed_amount=taken)
    refunds.note_taken_back(payment)
    if is_new:
        _open_case(row)
    if row.status == Dispute.Status.LOST and payment.is_debit:
        refund_letters.payment_returned(payment)
    return row


def warn(warning: objects.FraudWarning) -> None:
    """Open a case for an early fraud warning: sent back now, the money costs no dispute. Idempotent.

    A payment that went back whole already, or is disputed, needs none. Raises NotYet if it is not recorded yet.
    https://docs.stripe.com/disputes/measuring#early-fraud-warnings
    """
    payment = refunds.payment_of(warning)
    if payment is None:
        raise NotYet(f"payment of {warning.id}")
    if payment.refunded_amount < payment.amount and not payment.disputes.exists():
        facts = {"payments": [payment.pk], "reason": warning.kind}
        cases.open_case(Case.Kind.FRAUD_WARNING, f"warning:{warning.id}", payment.supporter, facts)


def _mirror(dispute: objects.Dispute, payment: Payment) -> tuple[Dispute, bool]:
    """Save Stripe's dispute as our row; return it, and whether it is new. Its amount never changes."""
    state = {
        "status": dispute.status,
        "reason": dispute.reason,
        "respond_by": dispute.respond_by,
        "withdrawn_amount": dispute.taken,
    }
    facts = {"payment": payment, "amount": dispute.amount, "currency": dispute.currency}
    return Dispute.objects.update_or_create(
        stripe_dispute_id=dispute.id,
        create_defaults={**facts, "created_at": dispute.created_at, **state},
        defaults=state,
    )


def _open_case(row: Dispute) -> None:
    facts = {
        "dispute": row.pk,
        "payment": row.payment_id,
        "reason": row.reason,
        "amount": [row.amount, row.currency],
    }
    cases.open_case(Case.Kind.DISPUTE, f"dispute:{row.stripe_dispute_id}", row.payment.supporter, facts)


def _write_lines(row: Dispute, dispute: objects.Dispute) -> None:
    """Write a line for money withdrawn and one for money returned, each dated when it moved.

    So a dispute won weeks later does not change a month that is closed. Money may come back in parts, each a line.
    """
    if row.currency != row.payment.currency:
        _open_case_of_other_currency(row)
        return
    if at := dispute.withdrawn_at:
        ledger.write(LedgerEntry.Kind.DISPUTE, f"dispute:{dispute.id}", row.payment, -row.amount, at)
    source = f"dispute_returned:{dispute.id}"
    before = _returned_before(row, source)
    for part in dispute.parts:
        if (back := part.sum - before) > 0:
            name = f"{source}:{part.sum}" if before else source
            ledger.write(LedgerEntry.Kind.DISPUTE_RETURNED, name, row.payment, back, part.at)
            before = part.sum


def _returned_before(row: Dispute, source: str) -> int:
    lines = row.payment.ledger_entries.filter(kind=LedgerEntry.Kind.DISPUTE_RETURNED, source__startswith=source)
    return lines.aggregate(sum=Sum("amount"))["sum"] or 0


def _open_case_of_other_currency(row: Dispute) -> None:
    """Open a case, once per dispute, for money taken in a currency that the payment's lines cannot be in."""
    if row.withdrawn_amount:
        facts = {"dispute": row.pk, "payment": row.payment_id, "amount": [row.withdrawn_amount, row.currency]}
        key = f"dispute:{row.stripe_dispute_id}:not_booked"
        cases.open_case(Case.Kind.DISPUTE_NOT_BOOKED, key, row.payment.supporter, facts)
