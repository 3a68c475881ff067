"""The ledger: signed lines for money that moved, and the steps by which a payment becomes received.

Shared by one-off gifts (gifts.py, new_gifts.py), instalments (instalments.py), refunds (refunds.py) and disputes
(disputes.py). All of it runs inside the transaction of a group of events, with the supporter's row locked, and is
idempotent: with the same or older facts it changes nothing and queues no email.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from payments import cases
from payments.books import refund_requests
from payments.crash_points import crash_at
from payments.letters import gifts as gift_letters
from payments.models import Case, LedgerEntry, Payment, Refund


def receive(payment: Payment, amount: int, charge_id: str, method: str, paid_at: datetime) -> bool:
    """Save a payment as received, write its ledger line and return True; return False if it was received before.

    `amount` is in minor units of the payment's currency. Also requests the refund of a payment that staff gave up
    while its money was with the bank. If the payment was received before, only a missing method is added.
    """
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
    """Set a payment's fields to those of received money, without saving it.

    `amount` is in minor units of the payment's currency. An empty `method` leaves the known one; an empty `charge_id`
    means that no charge brought the money.
    """
    payment.status = Payment.Status.SUCCEEDED
    payment.amount = amount
    payment.paid_at = paid_at
    payment.stripe_charge_id = charge_id or None
    payment.method = method or payment.method
    payment.failure_code = ""
    payment.next_attempt_at = None


def mark_processing(payment: Payment) -> None:
    """Save a new or failed payment as being with the bank; a received one stays received.

    A new payment that began at a checkout also queues the email that the bank has the order.
    """
    is_new = payment.pk is None
    if is_new or payment.status == Payment.Status.FAILED:
        payment.status = Payment.Status.PROCESSING
        payment.save()
    if is_new and payment.checkout:
        gift_letters.thanks_processing(payment)


def check_amount(payment: Payment, amount: int, currency: str) -> None:
    """Open a case, once per payment, if its amount or currency differs from the agreed one given here.

    `amount` is in minor units of `currency`. The ledger keeps what Stripe took; a person decides what to do.
    """
    if (payment.amount, payment.currency) != (amount, currency):
        facts = {"agreed": [amount, currency], "taken": [payment.amount, payment.currency], "payment": payment.pk}
        cases.open_case(Case.Kind.AMOUNT_MISMATCH, f"payment:{payment.pk}", payment.supporter, facts)


def write_received_lines(payments: Iterable[Payment]) -> None:
    """Write one ledger line for each of these received payments, in one statement. Existing lines stay as they are."""
    lines = []
    for payment in payments:
        charge = payment.stripe_charge_id
        source = f"charge:{charge}" if charge else f"invoice:{payment.stripe_invoice_id}"
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
    """Add one ledger line of `amount` signed minor units in the payment's currency.

    If a line with this source exists, it stays as it is.
    """
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
