"""The recurring agreement: mirrored from a fresh read of Stripe's object, inside the transaction of a group of events.

What somebody wants changed of it is asked of Stripe in changes.py.
"""

from __future__ import annotations

from copy import copy
from datetime import timedelta

from members import clock
from members.belonging import memberships
from members.models import Supporter
from payments import cases
from payments.books import duplicates
from payments.giving import checkout as checkouts
from payments.inbox import queue
from payments.letters import changes as change_letters
from payments.letters import endings
from payments.letters import failed as failed_letters
from payments.models import Case, Payment, Subscription, SubscriptionChange
from payments.recurring import methods, overdue
from payments.stripe_api import objects

NOT_BEGUN = (Subscription.Status.INCOMPLETE, Subscription.Status.INCOMPLETE_EXPIRED)


def find(stripe_subscription_id: str) -> Subscription | None:
    """Ours, with the supporter's row and then its own locked; None when we have no such row yet."""
    supporter = Supporter.objects.filter(subscriptions__stripe_subscription_id=stripe_subscription_id)
    if not supporter.select_for_update(of=("self",)):
        return None
    return (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("supporter", "checkout", "membership__level")
        .get(stripe_subscription_id=stripe_subscription_id)
    )


def follow(agreed: objects.Subscription) -> Subscription | None:
    """Make our row what Stripe's object is now; mail what that means. None while it has not begun.

    Raises NotOurs when neither we know it nor its metadata names a checkout of ours. Safe to call again: the same
    state changes nothing and mails nobody.
    """
    row = find(agreed.id)
    if row is None:
        return None if agreed.status in NOT_BEGUN else _begin(agreed)
    before, method_before = (row.is_stopping, row.is_alive), row.stripe_payment_method_id
    was = copy(row)
    _mirror(row, agreed)
    row.save()
    methods.look_at(row)
    _after_change(row, agreed, before)
    change_letters.look_at(row, was)
    row.changes.note_seen(row)
    if row.stripe_payment_method_id != method_before:
        overdue.note_new_method(row)
    return row


def note_unfinished_invoice(invoice: objects.Invoice) -> None:
    """Stripe could not finish an invoice: nothing is charged until a person mends it there. One case an invoice."""
    row = find(invoice.subscription)
    if row is None:
        return  # it never began: the reader is told so at Stripe's page
    facts = {"subscription": row.pk, "invoice": invoice.id}
    cases.open_case(Case.Kind.INVOICE_PROBLEM, f"invoice:{invoice.id}", row.supporter, facts)


def read_again(subscription: Subscription) -> None:
    """Have it read from Stripe, through the queue of the events."""
    queue.request_sync("subscription", subscription.stripe_subscription_id, subscription.stripe_customer_id)


def _begin(agreed: objects.Subscription) -> Subscription:
    checkout = checkouts.find(agreed.checkout)
    supporter = checkouts.giver(checkout)
    # Two sessions of one checkout were paid: the second agreement has none, and is a duplicate for staff to look at.
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
    methods.look_at(row)
    duplicates.look_at_subscription(row)
    _after_change(row, agreed, (False, True))
    row.changes.note_seen(row)
    return row


def _mirror(row: Subscription, agreed: objects.Subscription) -> None:
    row.stripe_customer_id = agreed.customer
    row.status = agreed.status
    row.frequency, row.amount, row.currency = agreed.interval, agreed.amount, agreed.currency
    row.current_period_end = agreed.current_period_end
    row.renews_on = clock.day_of(agreed.current_period_end)
    row.cancel_at_period_end, row.cancel_at = agreed.cancel_at_period_end, agreed.cancel_at
    row.canceled_at, row.ended_at = agreed.canceled_at, agreed.ended_at
    row.collection_paused, row.resumes_at = agreed.collection_paused, agreed.resumes_at
    if agreed.method_id and agreed.method_id != row.stripe_payment_method_id:
        row.stripe_payment_method_id, row.method_problem = agreed.method_id, ""
    methods.mirror_problem(row, is_gone=agreed.lacks_method)
    if agreed.method:  # it was read with the subscription: a debit, unlike the card before it, has no last day
        row.method, row.method_expires_on = agreed.method, agreed.method_expires_on


def _after_change(row: Subscription, agreed: objects.Subscription, before: tuple[bool, bool]) -> None:
    was_stopping, was_alive = before
    has_ended = was_alive and not row.is_alive
    stopped_at_once = has_ended and _was_immediate(agreed)
    if (row.is_stopping and not was_stopping) or (stopped_at_once and not was_stopping):
        endings.cancelled(row, _unseen_stop(row))
    if has_ended:
        if row.membership and row.ended_at:
            memberships.end(row.membership, clock.day_of(row.ended_at))
        if agreed.ended_reason == "payment_failed":
            _end_unpaid(row)
        elif not stopped_at_once and not row.is_beside_another:
            endings.ended(row)
    if row.is_stopping or row.collection_paused or not row.is_alive:
        failed_letters.take_back(row.payments.exclude(status=Payment.Status.SUCCEEDED))


def _end_unpaid(row: Subscription) -> None:
    """Nobody whose other gift goes on is told that one has failed: staff were shown it (failed_letters.py)."""
    if not row.is_beside_another:
        endings.ended_unpaid(row)


def _unseen_stop(row: Subscription) -> SubscriptionChange | None:
    """The request of ours that Stripe's object answers now; None when it was stopped at Stripe."""
    return row.changes.filter(kind=SubscriptionChange.Kind.STOP, state__in=SubscriptionChange.UNSEEN).first()


def _was_immediate(agreed: objects.Subscription) -> bool:
    """Stopped by request with no time between the asking and the end."""
    if agreed.ended_reason == "payment_failed" or agreed.canceled_at is None or agreed.ended_at is None:
        return False
    return agreed.ended_at - agreed.canceled_at < timedelta(minutes=5)
