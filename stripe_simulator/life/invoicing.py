"""Collect the invoices of a subscription: paid, failed, retried on Stripe's timetable, or no longer collected.

The subscription's status follows. Renewals come from subscriptions.py, first payments from checkout.py, results of bank
debits from settlement.py. Creating invoices is in finalizing.py.
"""

from __future__ import annotations

from stripe_simulator.life import charging, endings, methods
from stripe_simulator.life.charging import Result
from stripe_simulator.life.finalizing import finalize, intent_of, subscription_of
from stripe_simulator.world.clock import DAY, duty
from stripe_simulator.world.errors import invalid
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


@duty("finalize")
def finalize_and_collect(world: World, invoice_id: str) -> None:
    """Finalize the draft of a renewal and collect it. Does nothing to other invoices, or with `auto_advance` off."""
    invoice = world.get("invoice", invoice_id)
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    if subscription_of(world, invoice).get("_unfinishable"):
        _fail_finalization(world, invoice)
    elif _is_covered(world, invoice):
        _from_credit(world, invoice)
    else:
        finalize(world, invoice)
        collect(world, invoice)


def finalize_by_hand(world: World, invoice: Document) -> None:
    """Finalize a draft without collecting it: it stays open, unless the customer's credit pays all of it.

    Raises StripeRefusal for one whose finalization fails.
    """
    if subscription_of(world, invoice).get("_unfinishable"):
        raise invalid("The customer's address isn't valid for tax calculation.", code="customer_tax_location_invalid")
    set_collection(world, invoice, on=False)
    if _is_covered(world, invoice):
        _from_credit(world, invoice)
    else:
        finalize(world, invoice)


def set_collection(world: World, invoice: Document, *, on: bool) -> None:
    """Let a draft or an open invoice be finished and collected automatically after the delay of a draft, or not."""
    duty = "finalize" if invoice["status"] == "draft" else "retry"
    world.unschedule(duty, invoice["id"])
    at = world.now() + world.policy.draft_seconds if on else None
    if at is not None:
        world.schedule(at, duty, invoice["id"])
    finished = {"automatically_finalizes_at": at} if invoice["status"] == "draft" else {}
    world.update(invoice, "invoice.updated", auto_advance=on, next_payment_attempt=at, **finished)


def _is_covered(world: World, invoice: Document) -> bool:
    """Return whether the customer's credit pays all of an invoice, or nothing is to pay."""
    return bool(world.get("customer", invoice["customer"])["balance"] <= -invoice["total"])


def _from_credit(world: World, invoice: Document) -> None:
    """Pay an invoice from the customer's credit, a balance below zero that covers all of it, without a payment."""
    customer, due = world.get("customer", invoice["customer"]), invoice["total"]
    world.update(customer, balance=customer["balance"] + due)
    moments = {**invoice["status_transitions"], "finalized_at": world.now(), "paid_at": world.now()}
    world.update(
        invoice,
        status="paid",
        amount_due=0,
        amount_remaining=0,
        auto_advance=False,
        attempted=True,
        automatically_finalizes_at=None,
        next_payment_attempt=None,
        status_transitions=moments,
        starting_balance=customer["balance"] - due,
        ending_balance=customer["balance"],
    )
    for event in ("invoice.finalized", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"):
        world.emit(event, invoice)


def _fail_finalization(world: World, invoice: Document) -> None:
    """Leave an invoice a draft with an error, as Stripe does until the cause is fixed in the dashboard."""
    error = {"type": "invalid_request_error", "code": "customer_tax_location_invalid", "message": "Invalid address."}
    world.update(
        invoice,
        "invoice.finalization_failed",
        auto_advance=False,
        automatically_finalizes_at=None,
        next_payment_attempt=None,
        last_finalization_error=error,
    )


def finalize_failed(world: World, subscription: Document) -> None:
    """Remove the cause of failed finalizations, then finalize and collect the subscription's drafts."""
    world.update(subscription, _unfinishable=False)
    for invoice in world.store.where("invoice", _subscription=subscription["id"], status="draft"):
        world.update(invoice, auto_advance=True, last_finalization_error=None)
        finalize_and_collect(world, invoice["id"])


@duty("retry")
def retry(world: World, invoice_id: str) -> None:
    """Collect an open invoice again, unless its bank debit is processing."""
    invoice = world.get("invoice", invoice_id)
    if invoice["status"] == "open" and intent_of(world, invoice)["status"] != "processing":
        collect(world, invoice)


def collect(world: World, invoice: Document, *, authenticated: bool = False) -> Result:
    """Collect an open invoice now with the subscription's current payment method; return the result.

    A failure schedules the next retry, or ends the subscription after the last one.
    """
    subscription, intent = subscription_of(world, invoice), intent_of(world, invoice)
    method = methods.of_subscription(world, subscription)
    if method is None:
        return _unpaid(world, invoice, Result.FAILED)
    result = charging.attempt(world, intent, method, renewal=True, authenticated=authenticated)
    if result is Result.SUCCEEDED:
        paid(world, invoice)
    elif result is Result.PROCESSING:
        world.update(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1, next_payment_attempt=None)
    else:
        _unpaid(world, invoice, result)
    return result


def pay(world: World, invoice: Document, method: Document | None = None, *, authenticated: bool = False) -> Result:
    """Pay an open invoice outside the timetable of retries; return the result. A failure uses up no retry.

    `method` is the subscription's current one unless given.
    """
    method = method or methods.of_subscription(world, subscription_of(world, invoice))
    intent = intent_of(world, invoice)
    if method is None or intent["status"] == "processing":
        return Result.FAILED if method is None else Result.PROCESSING
    result = charging.attempt(world, intent, method, renewal=True, authenticated=authenticated)
    if result is Result.SUCCEEDED:
        paid(world, invoice)
    elif result in (Result.FAILED, Result.REQUIRES_ACTION):
        if result is Result.REQUIRES_ACTION:
            world.emit("invoice.payment_action_required", invoice)
        world.emit("invoice.payment_failed", invoice)
    return result


def paid(world: World, invoice: Document) -> None:
    """Mark an invoice as paid; a past-due subscription becomes active again. Not idempotent: call it once."""
    world.unschedule("retry", invoice["id"])
    left = invoice["amount_remaining"]
    counted = 0 if intent_of(world, invoice)["payment_method_types"] == ["sepa_debit"] else 1
    world.update(
        invoice,
        status="paid",
        auto_advance=False,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        attempt_count=max(1, invoice["attempt_count"] + counted),
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": world.now()},
    )
    payment = world.store.where("invoice_payment", invoice=invoice["id"])[0]
    world.update(
        payment,
        status="paid",
        amount_paid=left,
        status_transitions={"canceled_at": None, "paid_at": world.now()},
    )
    for event in ("invoice.updated", "invoice.paid", "invoice.payment_succeeded"):
        world.emit(event, invoice)
    world.emit("invoice_payment.paid", payment)
    _recover(world, invoice)


def paid_outside(world: World, invoice: Document) -> None:
    """Mark an invoice as paid outside Stripe, as staff can: nothing is charged, and its payment is canceled."""
    _settle(world, invoice)
    charging.cancel(world, intent_of(world, invoice), "void_invoice")
    for payment in world.store.where("invoice_payment", invoice=invoice["id"]):
        world.update(payment, status="canceled", status_transitions={"canceled_at": world.now(), "paid_at": None})
    for event in ("invoice.updated", "invoice.paid"):
        world.emit(event, invoice)
    _recover(world, invoice)


def paid_by(world: World, invoice: Document) -> None:
    """Mark an open invoice as paid by a payment that is recorded already."""
    _settle(world, invoice)
    for event in ("invoice.updated", "invoice.paid"):
        world.emit(event, invoice)
    _recover(world, invoice)


def _settle(world: World, invoice: Document) -> None:
    """Mark an invoice as paid in full, without a try of its own payment."""
    world.unschedule("retry", invoice["id"])
    world.update(
        invoice,
        status="paid",
        auto_advance=False,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": world.now()},
    )


def _recover(world: World, invoice: Document) -> None:
    subscription = subscription_of(world, invoice)
    if subscription["status"] in ("past_due", "unpaid"):
        world.update(subscription, "customer.subscription.updated", status="active", _recovery=0)


def _unpaid(world: World, invoice: Document, result: Result) -> Result:
    world.update(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    plan_retry(world, invoice)
    if result is Result.REQUIRES_ACTION:
        world.emit("invoice.payment_action_required", invoice)
    failed(world, invoice)
    return result


def plan_retry(world: World, invoice: Document) -> None:
    """Schedule the next retry, days after the first failure and at least a day from now; none if all are used up."""
    subscription = subscription_of(world, invoice)
    days, used = world.policy.retry_days, subscription["_recovery"]
    world.unschedule("retry", invoice["id"])
    if used >= len(days):
        world.update(invoice, next_payment_attempt=None, auto_advance=False)
        return
    first = invoice.get("_first_failure") or world.now()
    at = max(first + days[used] * DAY, world.now() + DAY)
    world.update(invoice, next_payment_attempt=at, _first_failure=first)
    world.update(subscription, _recovery=used + 1)
    world.schedule(at, "retry", invoice["id"])


def failed(world: World, invoice: Document) -> None:
    """Emit that the payment failed. The subscription is past due, or ends if no retry is scheduled."""
    world.emit("invoice.updated", invoice)
    world.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(world, invoice)
    if subscription["status"] == "canceled":
        return
    if subscription["status"] in ("active", "trialing"):
        world.update(subscription, "customer.subscription.updated", status="past_due")
    if invoice["next_payment_attempt"] is None:
        endings.end(world, subscription, reason="payment_failed")


def void(world: World, invoice: Document) -> None:
    """Void an invoice: it is no longer collected, and its payment is canceled."""
    moments = {**invoice["status_transitions"], "voided_at": world.now()}
    world.update(invoice, status="void", status_transitions=moments, next_payment_attempt=None, auto_advance=False)
    charging.cancel(world, intent_of(world, invoice), "void_invoice")
    for payment in world.store.where("invoice_payment", invoice=invoice["id"]):
        if payment["status"] != "paid":
            world.update(payment, status="canceled", status_transitions={"canceled_at": world.now(), "paid_at": None})
    world.emit("invoice.voided", invoice)


def mark_uncollectible(world: World, invoice: Document) -> None:
    """Write an invoice off: it is no longer collected, but can still be paid."""
    moments = {**invoice["status_transitions"], "marked_uncollectible_at": world.now()}
    world.update(
        invoice,
        "invoice.marked_uncollectible",
        status="uncollectible",
        status_transitions=moments,
        next_payment_attempt=None,
        auto_advance=False,
    )
