"""Money sent back: Stripe's refunds mirrored, their lines added, the payment's refunded sum kept right.

Asking Stripe for a refund is in refund_requests.py; whoever made it, the supporter is told from here.
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
from payments.models import Case, LedgerEntry, Payment, Refund
from payments.stripe_api import objects

# A refund that we hear of later has arrived by then: nobody is told that it is on its way.
TOLD_WITHIN = timedelta(days=10)


def follow(refund: objects.Refund) -> Refund:
    """Make our row what Stripe's refund is now. A refund that failed gives its money back in a line of its own.

    The supporter is told once, when the money leaves; one that fails, or is called off after that, is shown to staff.
    Raises NotYet when the payment has not been recorded. Safe to call again.
    """
    payment = payment_of(refund)
    if payment is None:
        raise NotYet(f"payment of {refund.id}")
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    before = payment.refunds.filter(stripe_refund_id=refund.id).values_list("status", flat=True).first()
    row, _ = Refund.objects.update_or_create(
        stripe_refund_id=refund.id,
        create_defaults={
            "payment": payment,
            "amount": refund.amount,
            "currency": refund.currency,
            "reason": refund.reason,
            "created_at": refund.created_at,
            "status": refund.status,
            "failure_reason": refund.failure_reason,
        },
        defaults={"status": refund.status, "failure_reason": refund.failure_reason},
    )
    _write_lines(row, refund)
    returned = payment.refunds.filter(status__in=Refund.TAKES_MONEY).aggregate(sum=Sum("amount"))["sum"] or 0
    Payment.objects.filter(pk=payment.pk).update(refunded_amount=returned)
    look_at_taken(payment)
    _tell(row, refund, before)
    return row


def payment_of(taken: objects.Refund | objects.Dispute) -> Payment | None:
    """The payment that a refund or a dispute takes from, by its PaymentIntent or its charge."""
    if taken.payment_intent:
        return Payment.objects.filter(stripe_payment_intent_id=taken.payment_intent).first()
    return Payment.objects.filter(stripe_charge_id=taken.charge).first()


def look_at_taken(payment: Payment) -> None:
    """Count the membership's days again, and show staff a gift of which refunds and disputes together took more than
    was given: Stripe allows it, and the bank may give back what was refunded already. Once a payment; safe to call
    again.
    """
    payment.refresh_from_db(fields=["refunded_amount", "disputed_amount"])
    if payment.subscription:
        belonging.count_again(payment.subscription)
    taken = payment.refunded_amount + payment.disputed_amount
    if taken > payment.amount:
        facts = {"payment": payment.pk, "taken_back": [taken, payment.currency]}
        key = f"payment:{payment.pk}:taken_twice"
        cases.open_case(Case.Kind.TAKEN_TWICE, key, payment.supporter, facts)


def _write_lines(row: Refund, refund: objects.Refund) -> None:
    """What it took, and what of that came back. One that waited for money in Stripe's balance may end without having
    taken any: what its line took comes back in one that Stripe never settles (settlements.py).
    """
    payment, at, lines = row.payment, refund.created_at, row.ledger_entries
    if refund.has_taken_money:
        ledger.write(LedgerEntry.Kind.REFUND, f"refund:{refund.id}", payment, -row.amount, at, row)
    elif not lines.exists():
        return
    is_over = row.status in {Refund.Status.FAILED, Refund.Status.CANCELED}
    if is_over and not lines.filter(kind=LedgerEntry.Kind.REFUND_RETURNED).exists():
        back, name = refund.returned_at or at, "refund_returned" if refund.has_taken_money else "refund_called_off"
        ledger.write(LedgerEntry.Kind.REFUND_RETURNED, f"{name}:{refund.id}", payment, row.amount, back, row)


def _tell(row: Refund, refund: objects.Refund, before: str | None) -> None:
    request = refund_requests.tie(row, refund)
    leaves_now = row.status in Refund.TAKES_MONEY and before not in Refund.TAKES_MONEY
    is_recent = clock.now() - row.created_at < TOLD_WITHIN
    if leaves_now and is_recent and (request is None or request.tells_supporter):
        refund_letters.refund_done(row, request.sentence if request else "")
    is_called_off = row.status == Refund.Status.CANCELED and refund_letters.was_told(row)
    if is_called_off or row.status == Refund.Status.FAILED:
        facts = {"refund": row.pk, "payment": row.payment_id, "amount": [row.amount, row.currency]}
        cases.open_case(Case.Kind.REFUND_FAILED, f"refund:{refund.id}:failed", row.payment.supporter, facts)
