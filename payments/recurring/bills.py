"""The invoices that exist when Stripe accepts a stop, a pause or a lower amount, which none of them touches.

For a stop or a pause they are voided, so that their money is not taken. A stop that finds the bill of a new period
unpaid ends the gift at once, as what was paid for is over. What cannot be voided, and everything that a
lower amount finds, is noted on the request, so that page and email name it (accounts/under_way.py). Called by
change_calls.py after each accepted request, and by unanswered.py if a process died or Stripe was away.
https://docs.stripe.com/billing/subscriptions/pause-payment, docs/assumed-of-stripe.md A-086 to A-099.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from django.db import transaction
from django.db.models import F

from members import clock
from payments import cases, locks
from payments.accounts.under_way import AGAIN, BACK, BANK, DUE, OFF, TAKEN, Bill
from payments.books import refund_requests
from payments.crash_points import crash_at
from payments.errors import StripeMissing, StripeRefused
from payments.models import Case, Subscription, SubscriptionChange
from payments.recurring import subscriptions
from payments.stripe_api import client, lists, objects

log = logging.getLogger("hromada.requests")

Kind, State = SubscriptionChange.Kind, SubscriptionChange.State
CHECKED = (Kind.STOP, Kind.PAUSE, Kind.AMOUNT)
ACCEPTED = (State.ACCEPTED, State.SEEN)


def are_open(subscription: Subscription) -> bool:
    """Return whether the invoices of a change that Stripe has accepted have still to be looked at."""
    return subscription.changes.filter(has_bills_to_check=True, state__in=ACCEPTED).exists()


def check(change: SubscriptionChange) -> None:
    """Look at the invoices that exist although Stripe accepted this change; void them, or note what will be taken.

    Then the email about the change is queued, if its event came before. Does nothing for a request that Stripe has not
    accepted, that was checked before, or that was undone at Stripe meanwhile. Each try reads the invoices again and
    sends its writes under new keys made of the row: what an earlier try did is seen, not repeated. Safe to call
    concurrently. Never call it inside a transaction. Raises StripeUnavailable and StripeRefused: call it again later.
    """
    with locks.held(change.turn):
        with transaction.atomic(durable=True):  # raises within a transaction: the row must have been committed
            change.refresh_from_db()
            if not change.has_bills_to_check or change.state not in ACCEPTED:
                return
            SubscriptionChange.objects.filter(pk=change.pk).update(bill_checks=F("bill_checks") + 1)
            change.bill_checks += 1
        crash_at("before-bills")
        _collect_others(change)
        stripe_id = change.subscription.stripe_subscription_id
        agreed = client.read_subscription(stripe_id)
        unpaid = lists.unpaid_invoices_of(stripe_id) if change.is_shown_by(agreed) else []
        invoices = [client.read_invoice(invoice) for invoice in unpaid]
        if _has_begun_unpaid(change, agreed, invoices):
            agreed = _end_now(change, stripe_id)
        _finish(change, agreed, [_dealt_with(change, invoice) for invoice in invoices])


def note_others(change: SubscriptionChange) -> None:
    """Store which open invoices of the customer's other gifts Stripe collects, before an immediate end of this one.

    That end stops the collection of all open invoices of the customer; `check` turns it on again for these.
    https://docs.stripe.com/api/subscriptions/cancel. Raises StripeUnavailable, StripeRefused.
    """
    ours = change.subscription
    others = Subscription.objects.alive().filter(stripe_customer_id=ours.stripe_customer_id).exclude(pk=ours.pk)
    found = set(change.bills_of_others or [])
    for other in others:
        # A gift that Stripe does not know must not stand in the way of the end of this one.
        with suppress(StripeMissing):
            invoices = map(client.read_invoice, lists.unpaid_invoices_of(other.stripe_subscription_id))
            found |= {invoice.id for invoice in invoices if invoice.status == "open" and invoice.advances}
    change.bills_of_others = sorted(found)
    change.save(update_fields=["bills_of_others"])


def _has_begun_unpaid(
    change: SubscriptionChange, agreed: objects.Subscription, invoices: list[objects.Invoice]
) -> bool:
    """Return whether a stop finds a period that has just begun and is not paid: no paid time is left to wait for."""
    if change.kind != Kind.STOP or agreed.status in Subscription.NOT_ALIVE:
        return False
    unpaid = [invoice for invoice in invoices if invoice.can_be_voided and invoice.has_price]
    return any(invoice.period_end >= agreed.current_period_end for invoice in unpaid)


def _end_now(change: SubscriptionChange, stripe_id: str) -> objects.Subscription:
    """End a subscription at once, before its unpaid invoices are voided, and return it as it is then.

    In this order because it can be repeated at any point: as long as an invoice is unpaid, the next try finds it.
    """
    note_others(change)
    with suppress(StripeMissing):  # an earlier try has ended it, and its answer was lost
        client.cancel_subscription(stripe_id, {}, key=f"{change.idempotency_key}:{change.bill_checks}:end")
    _collect_others(change)
    return client.read_subscription(stripe_id)


def _collect_others(change: SubscriptionChange) -> None:
    for invoice in map(client.read_invoice, change.bills_of_others or []):
        if invoice.status == "open" and not invoice.advances and not invoice.is_with_bank:
            key = f"{change.idempotency_key}:{change.bill_checks}:{invoice.id}:collect"
            client.update_invoice(invoice.id, {"auto_advance": True}, key=key)


def _dealt_with(change: SubscriptionChange, invoice: objects.Invoice) -> Bill:
    if change.kind != Kind.AMOUNT and invoice.can_be_voided:
        invoice = _void(change, invoice)
    return _bill(change, invoice)


def _void(change: SubscriptionChange, invoice: objects.Invoice) -> objects.Invoice:
    """Void a draft or open invoice, and return it as it is then: paid, if its money was taken a moment before.

    A draft is finalized first: Stripe voids open invoices only. If Stripe refuses either and the invoice is still
    unpaid, it is kept from being collected; if that is refused too, a case is opened.
    """
    key = f"{change.idempotency_key}:{change.bill_checks}:{invoice.id}"
    try:
        if invoice.status == "draft":
            client.finalize_invoice(invoice.id, {"auto_advance": False}, key=f"{key}:finalize")
        crash_at("before-void")
        client.void_invoice(invoice.id, {}, key=f"{key}:void")
    except StripeRefused as problem:
        log.info("not voided: %s (%s)", invoice.id, problem)
        return _held(change, client.read_invoice(invoice.id), key)
    return client.read_invoice(invoice.id)


def _held(change: SubscriptionChange, invoice: objects.Invoice, key: str) -> objects.Invoice:
    """Keep an invoice that Stripe does not void from being collected, and return it as it is then."""
    if not (invoice.can_be_voided and invoice.advances):
        return invoice
    try:
        client.update_invoice(invoice.id, {"auto_advance": False}, key=f"{key}:hold")
    except StripeRefused as problem:
        facts = {"subscription": change.subscription_id, "invoice": invoice.id, "reason": str(problem)}
        case_key = f"subscriptionchange:{change.public_id}:refused:{invoice.id}"
        cases.open_case(Case.Kind.REQUEST_REFUSED, case_key, change.subscription.supporter, facts)
    return client.read_invoice(invoice.id)


def _bill(change: SubscriptionChange, invoice: objects.Invoice) -> Bill:
    """Return what will become of an invoice, as page and email name it."""
    state, moment = OFF, invoice.created_at
    if invoice.status == "paid" and invoice.amount:
        goes_back = change.kind == Kind.STOP and refund_requests.is_after(change, invoice.charged_at)
        state, moment = BACK if goes_back else TAKEN, invoice.paid_at or invoice.created_at
    elif invoice.is_with_bank:
        state = BANK
    elif invoice.can_be_voided and invoice.advances and invoice.amount:
        state, moment = AGAIN if invoice.attempts else DUE, invoice.next_attempt_at or invoice.created_at
    return Bill(invoice.id, state, invoice.amount, invoice.currency, clock.day_of(moment))


@transaction.atomic
def _finish(change: SubscriptionChange, agreed: objects.Subscription, bills: list[Bill]) -> None:
    """Store what was found, and queue the email about the change, unless its event has yet to come."""
    row = subscriptions.find(agreed.id)
    change.has_bills_to_check, change.bills, change.error = False, [bill.facts() for bill in bills], ""
    change.at_once = change.at_once or (change.kind == Kind.STOP and agreed.status in Subscription.NOT_ALIVE)
    change.save(update_fields=["has_bills_to_check", "bills", "at_once", "error"])
    if row:
        subscriptions.tell(row, agreed, change)
