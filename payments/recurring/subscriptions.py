"""Subscriptions: our rows, updated from Stripe's objects, and the emails and cases that a change causes.

Called by the webhook handlers, inside the transaction of a group of events, with an object that was just read from
Stripe. Requests to change a subscription are in changes.py.
"""

from __future__ import annotations

from copy import copy
from datetime import date, timedelta

from members import clock
from members.belonging import memberships
from members.models import Supporter
from payments import cases
from payments.books import belonging, duplicates
from payments.giving import checkout as checkouts
from payments.inbox import queue
from payments.letters import changes as change_letters
from payments.letters import endings
from payments.letters import failed as failed_letters
from payments.models import Case, Payment, Subscription, SubscriptionChange
from payments.recurring import method_changes, methods, overdue, shapes
from payments.stripe_api import objects

# States of a subscription whose first payment has not succeeded: it has no row yet.
NOT_BEGUN = (Subscription.Status.INCOMPLETE, Subscription.Status.INCOMPLETE_EXPIRED)


def find(stripe_subscription_id: str) -> Subscription | None:
    """Return our row, with the supporter's row and then its own locked; None if there is no such row yet."""
    supporter = Supporter.objects.filter(subscriptions__stripe_subscription_id=stripe_subscription_id)
    if not supporter.select_for_update(of=("self",)):
        return None
    return (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("supporter", "checkout", "membership__level")
        .get(stripe_subscription_id=stripe_subscription_id)
    )


def follow(agreed: objects.Subscription) -> Subscription | None:
    """Update our row from Stripe's subscription, creating it if it is new; return the row, or None before it begins.

    Queues the emails and opens the cases that follow from the change. Locks the supporter's row. Idempotent: the same
    state again changes nothing and emails nobody. For a new subscription, raises NotOurs if its metadata names no
    checkout of this installation, CheckoutLost if the checkout's row is missing.
    """
    row = find(agreed.id)
    if row is None:
        if agreed.status == Subscription.Status.INCOMPLETE_EXPIRED:
            checkouts.lapse(agreed.checkout)
        return None if agreed.status in NOT_BEGUN else _begin(agreed)
    before = copy(row)
    _mirror(row, agreed)
    row.save()
    belonging.leave_unbilled(row)
    methods.check(row)
    shapes.check(row, agreed)
    _after_change(
        row, agreed, was_stopping=before.is_stopping, was_alive=before.is_alive, last_on=_last_payment_on(row, before)
    )
    change_letters.announce(row, before)
    row.changes.note_seen(row)
    method_changes.note_seen(row, agreed)
    method_changes.follow_visits(row, agreed)
    if row.stripe_payment_method_id != before.stripe_payment_method_id:
        overdue.note_new_method(row)
    return row


def note_unfinished_invoice(invoice: objects.Invoice) -> None:
    """Open a case, once per invoice, because Stripe could not finish it and charges nothing until a person fixes it.

    Does nothing for a subscription without a row: it never began, as the reader saw on Stripe's page.
    """
    row = find(invoice.subscription)
    if row is None:
        return
    facts = {"subscription": row.pk, "invoice": invoice.id}
    cases.open_case(Case.Kind.INVOICE_PROBLEM, f"invoice:{invoice.id}", row.supporter, facts)


def read_again(subscription: Subscription) -> None:
    """Queue a read of the subscription from Stripe, processed like one of its events."""
    queue.request_sync("subscription", subscription.stripe_subscription_id, subscription.stripe_customer_id)


def _begin(agreed: objects.Subscription) -> Subscription:
    """Create our row for a new subscription, and the supporter if this is the first money from this address."""
    checkout = checkouts.find(agreed.checkout)
    supporter = checkouts.giver(checkout)
    # If two sessions of one checkout were paid, the second subscription has no checkout: it is a duplicate, for staff.
    is_second = Subscription.objects.filter(checkout=checkout).exists()
    row = find(agreed.id) or Subscription(
        supporter=supporter,
        checkout=None if is_second else checkout,
        stripe_subscription_id=agreed.id,
        started_at=agreed.started_at,
        **checkout.attribution(),
    )
    _mirror(row, agreed)
    row.save()
    methods.check(row)
    shapes.check(row, agreed)
    duplicates.check_subscription(row)
    _after_change(row, agreed, was_stopping=False, was_alive=True)
    row.changes.note_seen(row)
    return row


def _mirror(row: Subscription, agreed: objects.Subscription) -> None:
    """Copy the fields of Stripe's subscription to our row, without saving it."""
    row.stripe_customer_id = agreed.customer
    row.status = agreed.status
    row.frequency = agreed.frequency
    row.interval = agreed.interval
    row.interval_count = agreed.interval_count
    row.amount = agreed.amount
    row.is_as_offered = agreed.is_as_offered
    row.is_sum_sure = agreed.is_sum_sure
    row.is_collected = agreed.is_collected
    row.currency = agreed.currency
    row.current_period_end = agreed.current_period_end
    row.renews_on = clock.day_of(agreed.current_period_end)
    row.cancel_at_period_end = agreed.cancel_at_period_end
    row.cancel_at = agreed.cancel_at
    row.canceled_at = agreed.canceled_at
    row.ended_at = agreed.ended_at
    row.collection_paused = agreed.collection_paused
    row.resumes_at = agreed.resumes_at
    if agreed.method_id and agreed.method_id != row.stripe_payment_method_id:
        row.stripe_payment_method_id = agreed.method_id
        row.method_problem = ""
    methods.mirror_problem(row, is_detached=agreed.lacks_method)
    if agreed.method:  # only known if read with the subscription; a bank account, unlike a card, has no expiry date
        row.method = agreed.method
        row.method_expires_on = agreed.method_expires_on


def _last_payment_on(row: Subscription, before: Subscription) -> date | None:
    """Return the day of the last payment if an end date lies in the period that has just begun, else None."""
    is_agreed_end = row.cancel_at == before.cancel_at and not row.cancel_at_period_end
    has_renewed = row.current_period_end > before.current_period_end
    return before.renews_on if is_agreed_end and has_renewed and row.is_alive else None


def _after_change(
    row: Subscription,
    agreed: objects.Subscription,
    *,
    was_stopping: bool,
    was_alive: bool,
    last_on: date | None = None,
) -> None:
    """Queue the emails of a stop or an end, end the membership, and cancel emails that no longer apply.

    A subscription that was stopped immediately gets the email of the stop, not also the one of the end. A supporter
    whose other gift continues gets no email that this one has ended.
    """
    has_ended = was_alive and not row.is_alive
    ended_immediately = has_ended and _was_immediate(agreed)
    if (row.is_stopping or ended_immediately) and not was_stopping:
        _tell_stop(row, _unseen_stop(row), last_on=last_on)
    if has_ended:
        if row.membership and row.ended_at:
            memberships.end(row.membership, clock.day_of(row.ended_at))
        if agreed.ended_reason == "payment_failed":
            _end_unpaid(row)
        elif not ended_immediately and not row.has_another_active:
            _tell_end(row, agreed)
    if row.is_stopping or row.collection_paused or not row.is_alive:
        failed_letters.take_back(row.payments.exclude(status=Payment.Status.SUCCEEDED))


def _tell_end(row: Subscription, agreed: objects.Subscription) -> None:
    if _was_asked_for(agreed):
        endings.ended(row)
    else:
        endings.ended_by_itself(row, is_by_bank=agreed.ended_reason == "payment_disputed")


def tell(row: Subscription, agreed: objects.Subscription, change: SubscriptionChange) -> None:
    """Queue the email about a change whose invoices were looked at after our row had shown it; otherwise do nothing.

    `agreed` is the subscription as just read, `row` its locked row. Idempotent: one email per change request.
    """
    if change.kind == SubscriptionChange.Kind.STOP:
        now = copy(row)
        _mirror(now, agreed)  # it may have ended since the row showed the stop
        if row.is_stopping or (not row.is_alive and _was_immediate(agreed)):
            endings.cancelled(now, change)
    else:
        change_letters.tell(row, change)


def _tell_stop(row: Subscription, change: SubscriptionChange | None, *, last_on: date | None) -> None:
    """Queue the email of a stop, unless recurring/bills.py has yet to find out what may still be taken: it tells then.

    A stop without a request of ours may be an end date agreed earlier, with the day `last_on` of the last payment.
    """
    if change is None or not change.has_bills_to_check:
        endings.cancelled(row, change, last_on=last_on)


def _end_unpaid(row: Subscription) -> None:
    """Email that an unpaid gift has ended. If another gift continues, staff have a case instead (letters/failed.py)."""
    if not row.has_another_active:
        endings.ended_unpaid(row)


def _unseen_stop(row: Subscription) -> SubscriptionChange | None:
    """Return our stop request that led to this stop, or None if it was stopped at Stripe."""
    return row.changes.filter(kind=SubscriptionChange.Kind.STOP, state__in=SubscriptionChange.UNSEEN).first()


def _was_asked_for(agreed: objects.Subscription) -> bool:
    """Return whether somebody asked for the end; not if a dispute, failed payments or a rule of Stripe's ended it.

    The reasons may grow: https://docs.stripe.com/api/subscriptions/object (cancellation_details.reason).
    """
    return agreed.ended_reason in {"", "cancellation_requested"}


def _was_immediate(agreed: objects.Subscription) -> bool:
    """Return whether the subscription ended within five minutes of a request to stop it.

    False for an end that nobody asked for, or if Stripe does not say when it was requested or ended.
    """
    if not _was_asked_for(agreed) or agreed.canceled_at is None or agreed.ended_at is None:
        return False
    return agreed.ended_at - agreed.canceled_at < timedelta(minutes=5)
