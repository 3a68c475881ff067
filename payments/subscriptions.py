"""The recurring agreement: mirrored from a fresh read of Stripe's object, and stopped when somebody asks.

`follow` runs inside the transaction of a group of events; `request_stop` is called by doors and talks to Stripe.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from members import clock, memberships
from members.models import Supporter, TimelineEntry
from payments import cases, duplicates, emails, methods, requests
from payments import checkout as checkouts
from payments.errors import AlreadyStopped, StripeRefused
from payments.models import Case, Subscription, SubscriptionChange
from payments.stripe_api import client, objects
from payments.webhooks import inbox

# Stripe ends the subscription itself when it is to stop at the period's end. One that is behind with a payment is
# ended at once: otherwise the retries would go on.
STOPS_AT_PERIOD_END = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING)
NOT_BEGUN = (Subscription.Status.INCOMPLETE, Subscription.Status.INCOMPLETE_EXPIRED)


def find(stripe_subscription_id: str) -> Subscription | None:
    """Ours, with the supporter's row and then its own locked; None when we have no such row yet."""
    supporter = Supporter.objects.filter(subscriptions__stripe_subscription_id=stripe_subscription_id)
    if not supporter.select_for_update(of=("self",)):
        return None
    return Subscription.objects.select_for_update(of=("self",)).select_related(
        "supporter", "checkout", "membership__level"
    ).get(stripe_subscription_id=stripe_subscription_id)  # fmt: skip


def follow(agreed: objects.Subscription) -> Subscription | None:
    """Make our row what Stripe's object is now; mail what that means. None while it has not begun.

    Raises NotOurs when neither we know it nor its metadata names a checkout of ours. Safe to call again: the same
    state changes nothing and mails nobody.
    """
    row = find(agreed.id)
    if row is None:
        return None if agreed.status in NOT_BEGUN else _begin(agreed)
    before = (row.is_stopping, row.is_alive)
    _mirror(row, agreed)
    row.save()
    methods.look_at(row)
    _after_change(row, agreed, before)
    return row


def note_unfinished_invoice(invoice: objects.Invoice) -> None:
    """Stripe could not finish an invoice: nothing is charged until a person mends it there. One case an invoice."""
    row = find(invoice.subscription)
    if row is None:
        return  # it never began: the reader is told so at Stripe's page
    facts = {"subscription": row.pk, "invoice": invoice.id}
    cases.open_case(Case.Kind.INVOICE_PROBLEM, f"invoice:{invoice.id}", row.supporter, facts)


def request_stop(
    subscription: Subscription, surface: str, reason: str = "", words: str = "", actor: User | None = None
) -> SubscriptionChange:
    """Ask Stripe to charge nothing more. Our row changes when Stripe's object says so; the mail goes out then.

    Raises AlreadyStopped, StripeUnavailable (written down, taken up again; asking again is the same request),
    StripeRefused. Never call it inside a transaction.
    """
    change = write_down_stop(subscription, surface, reason, words, actor)
    ask_stop(change)
    return change


@transaction.atomic
def write_down_stop(
    subscription: Subscription, surface: str, reason: str = "", words: str = "", actor: User | None = None
) -> SubscriptionChange:
    """The row of a wish, to be committed before Stripe is asked; the one still unanswered, if there is one.

    At once from two tabs: the second waits for the first one's row. Raises AlreadyStopped.
    """
    Supporter.objects.select_for_update().get(pk=subscription.supporter_id)
    subscription.refresh_from_db()
    if open_one := _unseen_stops(subscription).filter(state=SubscriptionChange.State.REQUESTED).first():
        return open_one
    if subscription.is_ending_or_asked_to:
        raise AlreadyStopped(subscription.stripe_subscription_id)
    details = {"subscription": subscription.pk, "surface": surface, "reason": reason}
    TimelineEntry.objects.create(
        supporter=subscription.supporter, action="subscription.stop_requested", actor=actor, details=details
    )
    change: SubscriptionChange = subscription.changes.create(
        kind=SubscriptionChange.Kind.STOP, surface=surface, reason=reason, words=words, actor=actor,
        stripe_params=_stop_params(subscription),
    )  # fmt: skip
    return change


def ask_stop(change: SubscriptionChange) -> None:
    """Ask Stripe for a stop, again if need be, and have the subscription read. Safe to call twice and at once.

    Raises StripeUnavailable (stays open and is taken up again), StripeRefused.
    """
    subscription = Subscription.objects.get(pk=change.subscription_id)
    call, look_up = partial(_stop_at_stripe, subscription), partial(_stops_at_stripe, subscription)
    try:
        requests.ask(change, call, look_up, _stop_params(subscription))
    except StripeRefused:
        read_again(subscription)
        raise
    read_again(subscription)


def read_again(subscription: Subscription) -> None:
    """Have it read from Stripe, through the queue of the events."""
    inbox.request_sync("subscription", subscription.stripe_subscription_id, subscription.stripe_customer_id)


def _begin(agreed: objects.Subscription) -> Subscription:
    checkout = checkouts.find(agreed.checkout)
    supporter = checkouts.giver(checkout)
    # Two sessions of one checkout were paid: the second agreement has none, and is a duplicate for staff to look at.
    is_second = Subscription.objects.filter(checkout=checkout).exists()
    row = find(agreed.id) or Subscription(
        supporter=supporter, checkout=None if is_second else checkout, stripe_subscription_id=agreed.id,
        started_at=agreed.started_at, **checkout.attribution(),
    )  # fmt: skip
    _mirror(row, agreed)
    row.save()
    methods.look_at(row)
    duplicates.look_at_subscription(row)
    _after_change(row, agreed, (False, True))
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
    row.method = agreed.method or row.method
    if agreed.method_id and agreed.method_id != row.stripe_payment_method_id:
        row.stripe_payment_method_id, row.method_problem = agreed.method_id, ""
    methods.mirror_problem(row, is_gone=agreed.lacks_method)
    row.method_expires_on = agreed.method_expires_on or row.method_expires_on


def _after_change(row: Subscription, agreed: objects.Subscription, before: tuple[bool, bool]) -> None:
    was_stopping, was_alive = before
    has_ended = was_alive and not row.is_alive
    stopped_at_once = has_ended and _was_immediate(agreed)
    if (row.is_stopping and not was_stopping) or (stopped_at_once and not was_stopping):
        emails.cancelled(row, _unseen_stops(row).first())
    if row.is_stopping or not row.is_alive:
        _unseen_stops(row).update(state=SubscriptionChange.State.SEEN)
    if has_ended:
        if row.membership and row.ended_at:
            memberships.end(row.membership, clock.day_of(row.ended_at))
        if not stopped_at_once:
            emails.ended(row, unpaid=agreed.ended_reason == "payment_failed")


def _unseen_stops(row: Subscription) -> QuerySet[SubscriptionChange]:
    """Requests of ours that Stripe's object answers now; none when it was stopped at Stripe."""
    unseen = (SubscriptionChange.State.REQUESTED, SubscriptionChange.State.ACCEPTED)
    return row.changes.filter(kind=SubscriptionChange.Kind.STOP, state__in=unseen)


def _was_immediate(agreed: objects.Subscription) -> bool:
    """Stopped by request with no time between the asking and the end."""
    if agreed.ended_reason == "payment_failed" or agreed.canceled_at is None or agreed.ended_at is None:
        return False
    return agreed.ended_at - agreed.canceled_at < timedelta(minutes=5)


def _stop_params(subscription: Subscription) -> dict[str, Any]:
    return {"cancel_at_period_end": True} if subscription.status in STOPS_AT_PERIOD_END else {}


def _stop_at_stripe(subscription: Subscription, params: Mapping[str, Any], *, key: str) -> bool:
    call = client.update_subscription if params else client.cancel_subscription
    call(subscription.stripe_subscription_id, params, key=key)
    return True


def _stops_at_stripe(subscription: Subscription) -> bool | None:
    """Whether Stripe's object has ended by now, or is to end where that is what we ask for; None when it goes on."""
    agreed = client.read_subscription(subscription.stripe_subscription_id)
    is_ending = agreed.cancel_at_period_end or agreed.cancel_at is not None
    is_over = agreed.status not in Subscription.ALIVE
    return True if is_over or (is_ending and subscription.status in STOPS_AT_PERIOD_END) else None
