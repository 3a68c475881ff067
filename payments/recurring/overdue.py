"""Overdue payments, retried immediately when their subscription gets another payment method; Stripe does not do that.

The retry is stored in the transaction that sees the new method (subscriptions.py), once per payment and method, whoever
changed it and wherever. A task sends it to Stripe, or unanswered.py if the task was lost. The result is recorded from
Stripe's events. Why: docs/decisions/0020.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from payments import stripe_requests
from payments.accounts import account as accounts
from payments.errors import Declined, StripeRefused, StripeUnavailable
from payments.inbox import queue
from payments.models import OverdueTry, Payment, PortalVisit, Subscription
from payments.stripe_api import client

log = logging.getLogger("hromada.requests")

State = OverdueTry.State
TASK = "payments.tasks.try_overdue_payment"
# Stripe's codes for a payment that the bank wants the supporter to confirm.
WANTS_CONFIRMATION = ("authentication_required", "invoice_payment_intent_requires_action")


def payments_behind(subscription: Subscription) -> list[Payment]:
    """Return the failed payments of a subscription that should still be paid, oldest first."""
    return list(accounts.of(subscription).overdue)


def note_new_method(subscription: Subscription) -> None:
    """Store a retry of each overdue payment with the subscription's method, and wake a worker after the commit.

    Idempotent: one retry per payment and method. Does nothing if the subscription has no method.
    """
    method = subscription.stripe_payment_method_id
    for payment in payments_behind(subscription) if method else []:
        row, is_new = OverdueTry.objects.get_or_create(
            payment=payment,
            stripe_payment_method_id=method,
            defaults={"stripe_params": {"payment_method": method}},
        )
        if is_new:
            transaction.on_commit(partial(stripe_requests.wake, TASK, row.pk))


def ask(row: OverdueTry) -> None:
    """Ask Stripe to take the payment with its new method, or ask again, and queue a read of its invoice.

    A decline by the bank is an answer: it is logged, not raised. Idempotent; safe to call concurrently. Never call it
    inside a transaction. Raises StripeUnavailable (the retry stays open) and StripeRefused for any other refusal.
    """
    payment = Payment.objects.get(pk=row.payment_id)
    try:
        stripe_requests.ask(row, partial(_pay, payment), partial(_is_paid, payment))
    except Declined as declined:
        log.info("declined: %s (%s)", row.idempotency_key, declined.code)
    queue.request_sync("invoice", payment.stripe_invoice_id or "", payment.stripe_customer_id)


def ask_by_id(row_id: int) -> None:
    """Send the retry with this id to Stripe, if it is unanswered. For the task: raises no error of Stripe's.

    If Stripe does not answer, unanswered.py sends it again.
    """
    row = OverdueTry.objects.filter(pk=row_id, state=State.REQUESTED).first()
    try:
        if row:
            ask(row)
    except (StripeUnavailable, StripeRefused) as problem:
        log.info("not retried: %s (%s)", row_id, type(problem).__name__)


def outcome(visit: PortalVisit) -> tuple[str, Payment | None, str]:
    """Return the result of a visit to Stripe's page so far: a word, the overdue payment if any, and a decline's code.

    The word is checking (no result yet), refused (Stripe does not let the gift be paid that way), same (the gift is
    paid from it already), changed (nothing was overdue), paid, processing, confirm (the bank wants the payment
    confirmed) or declined. Read from our rows alone; portal.look_again has them updated.
    """
    subscription = visit.subscription
    change = visit.changes.first()
    if change and change.state == State.FAILED:
        return "refused", None, ""
    if change is None and visit.is_same:
        return "same", None, ""
    is_asked = change is not None and change.state in OverdueTry.UNSEEN
    if is_asked or subscription.stripe_payment_method_id == visit.method_before:
        return "checking", None, ""
    tries = OverdueTry.objects.filter(
        payment__subscription=subscription,
        payment__failing_since__isnull=False,
        stripe_payment_method_id=subscription.stripe_payment_method_id,
    ).select_related("payment")
    unpaid = (each for each in tries if each.payment.status != Payment.Status.SUCCEEDED)
    row = next(unpaid, None) or tries.first()
    if row is None:
        return "changed", None, ""
    return _outcome_of(row), row.payment, row.error


def _outcome_of(row: OverdueTry) -> str:
    if row.payment.status == Payment.Status.SUCCEEDED:
        return "paid"
    if row.payment.status == Payment.Status.PROCESSING:
        return "processing"
    if row.state == State.FAILED:
        return "confirm" if row.error in WANTS_CONFIRMATION else "declined"
    return "checking"


def _pay(payment: Payment, params: Mapping[str, Any], *, key: str) -> bool:
    """Ask Stripe to pay the invoice and return True; return False, without asking, if it is no longer wanted.

    If a retry of Stripe's own was faster, the invoice is paid although Stripe refuses: that is no error. Raises
    Declined if the bank declines, StripeRefused for another refusal, StripeUnavailable.
    """
    if not _is_wanted(payment):
        return False
    try:
        client.pay_invoice(payment.stripe_invoice_id or "", params, key=key)
    except Declined:
        raise
    except StripeRefused:
        if not _is_paid(payment):
            raise
    return True


def _is_wanted(payment: Payment) -> bool:
    """Return whether the payment is still to be paid: not given up by staff, and its gift neither over nor stopping."""
    subscription = payment.subscription
    if payment.failing_since is None or subscription is None:
        return False
    return not subscription.is_ending_or_asked_to


def _is_paid(payment: Payment) -> bool | None:
    """Return True if the invoice is paid or its payment is with the bank, None if it can be tried."""
    invoice = client.read_invoice(payment.stripe_invoice_id or "")
    is_with_bank = invoice.payment_intent is not None and invoice.payment_intent.status == "processing"
    return True if invoice.status == "paid" or is_with_bank else None
