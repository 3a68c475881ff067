"""An overdue payment is tried at once when another card or bank was put in place for it; Stripe does not do that.

Written down in the transaction that sees the new method (subscriptions.py), asked by a task, and by unanswered.py when
that was lost: once a payment and method, whoever changed it and wherever. What came of it is booked from events.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction

from payments import stripe_requests
from payments.errors import Declined, StripeRefused, StripeUnavailable
from payments.inbox import queue
from payments.models import OverdueTry, Payment, PortalVisit, Subscription
from payments.stripe_api import client

log = logging.getLogger("hromada.requests")

State = OverdueTry.State
BEHIND = (Subscription.Status.PAST_DUE, Subscription.Status.UNPAID)
# Stripe's words for: the bank wants the supporter to confirm the payment.
WANTS_CONFIRMATION = ("authentication_required", "invoice_payment_intent_requires_action")


def payments_behind(subscription: Subscription) -> list[Payment]:
    """Those that failed and are still wanted, oldest first; none while the subscription is paid, or is to stop.

    What staff gave up at Stripe (an invoice voided or written off) is wanted no more, though Stripe would take it.
    """
    if subscription.status not in BEHIND or subscription.is_ending_or_asked_to:
        return []
    failed = subscription.payments.filter(
        status=Payment.Status.FAILED, stripe_invoice_id__isnull=False, failing_since__isnull=False
    )
    return list(failed.order_by("created_at", "pk"))


def note_new_method(subscription: Subscription) -> None:
    """Another card or bank is in place: what is overdue is to be tried with it. Safe to call again."""
    method = subscription.stripe_payment_method_id
    for payment in payments_behind(subscription) if method else []:
        wish = {"stripe_payment_method_id": method, "stripe_params": {"payment_method": method}}
        row, is_new = OverdueTry.objects.get_or_create(payment=payment, stripe_payment_method_id=method, defaults=wish)
        if is_new:
            transaction.on_commit(partial(_wake, row.pk))


def ask(row: OverdueTry) -> None:
    """Ask Stripe for the try, again if need be. Safe to call twice and at once. A decline is an answer, not an error.

    Raises StripeUnavailable (stays open and is taken up again), StripeRefused for what no bank said.
    """
    payment = Payment.objects.get(pk=row.payment_id)
    try:
        stripe_requests.ask(row, partial(_pay, payment), partial(_is_paid, payment))
    except Declined as declined:
        log.info("declined: %s (%s)", row.idempotency_key, declined.code)
    queue.request_sync("invoice", payment.stripe_invoice_id or "", payment.stripe_customer_id)


def ask_by_id(row_id: int) -> None:
    """For the task: what Stripe does not answer or refuses now is left for unanswered.py and the desk."""
    row = OverdueTry.objects.filter(pk=row_id, state=State.REQUESTED).first()
    try:
        if row:
            ask(row)
    except (StripeUnavailable, StripeRefused) as problem:
        log.info("not tried: %s (%s)", row_id, type(problem).__name__)


def outcome(visit: PortalVisit) -> tuple[str, Payment | None, str]:
    """What came of a visit to Stripe's page by now: a word for it, the overdue payment, and Stripe's code of a decline.

    checking, changed, paid, processing, confirm or declined. Read from our rows; the way back asks for fresh ones.
    """
    subscription = visit.subscription
    if subscription.stripe_payment_method_id == visit.method_before:
        return "checking", None, ""
    tries = OverdueTry.objects.filter(
        payment__subscription=subscription,
        payment__failing_since__isnull=False,
        stripe_payment_method_id=subscription.stripe_payment_method_id,
    ).select_related("payment")
    row = next((each for each in tries if each.payment.status != Payment.Status.SUCCEEDED), None) or tries.first()
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
    """A retry of Stripe's own may have been faster: then it is paid, whatever it answers us. False, and nothing is
    asked, when the payment is wanted no more since the wish was written down.
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
    """Neither given up by staff nor of a gift that is over or asked to stop."""
    gift = payment.subscription
    return payment.failing_since is not None and gift is not None and not gift.is_ending_or_asked_to


def _is_paid(payment: Payment) -> bool | None:
    """Whether nothing is left to try: paid, or with the bank. None when there is."""
    invoice = client.read_invoice(payment.stripe_invoice_id or "")
    is_with_bank = invoice.payment_intent is not None and invoice.payment_intent.status == "processing"
    return True if invoice.status == "paid" or is_with_bank else None


def _wake(row_id: int) -> None:
    """One try to wake a worker. Without Redis it is taken up two minutes later than that is back."""
    try:
        current_app.send_task("payments.tasks.try_overdue_payment", args=(row_id,), retry=False)
    except Exception as problem:  # whatever a broker can do wrong, the change is committed
        log.warning("no worker was woken for an overdue payment (%s)", type(problem).__name__)
