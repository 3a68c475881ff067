"""Requests to pay a subscription from another payment method: one that its supporter chose on Stripe's page.

Stripe's portal changes the default of the customer only, and the subscription's own default, which Checkout sets, goes
first. Stored by subscriptions.py, which sees the new default, or by the page of the link (views/method.py); sent by a
task, or by unanswered.py. What is overdue is then tried by overdue.py. Why: docs/decisions/0020.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from members import clock
from members.models import Supporter
from payments import cases, stripe_requests
from payments.errors import StripeRefused, StripeUnavailable
from payments.inbox import queue
from payments.models import Case, MethodChange, PortalVisit, Subscription
from payments.stripe_api import client, objects

log = logging.getLogger("hromada.requests")

State = MethodChange.State
TASK = "payments.tasks.set_payment_method"
# A change of the customer's default belongs to a visit if it was made, or seen, this soon after it.
BELONGS_WITHIN = timedelta(days=1)
CLOCKS_DIFFER_BY = timedelta(minutes=5)


def follow_visits(row: Subscription, agreed: objects.Subscription) -> None:
    """Request that a subscription is paid from the method which its supporter chose on Stripe's page. Idempotent.

    Chosen is a default of the customer that differs from the one before a recent visit, or the same one if the reader
    came back from choosing it. Once per visit and method, so that a later change in Stripe's dashboard stands. A
    subscription without a method of its own follows the customer's default at Stripe, and needs no request. If it is
    paid from what was chosen already, that is noted, for the page. Call it in the transaction that read the
    subscription.
    """
    chosen = agreed.customers_method_id
    _note_same(row, agreed)
    if not row.is_alive or not chosen or not agreed.own_method_id or chosen == agreed.own_method_id:
        return
    kept = Q(default_before=chosen) & (Q(came_back_at=None) | Q(is_same=True))
    for visit in row.portal_visits.filter(state=State.ACCEPTED).exclude(kept):
        if _is_from(visit, agreed):
            if not visit.changes.filter(stripe_payment_method_id=chosen).exists():
                _create(row, chosen, visit)
            return


def note_return(visit: PortalVisit) -> bool:
    """Note that the reader came back from Stripe's page after choosing a method there; return whether they did.

    A read of the subscription then says which one: also the same as before, of which no event of Stripe's tells. Not
    for a visit of more than a day ago: its address was opened again. Idempotent.
    """
    is_recent = clock.now() <= visit.requested_at + BELONGS_WITHIN
    if is_recent and visit.came_back_at is None:
        PortalVisit.objects.filter(pk=visit.pk, came_back_at=None).update(came_back_at=clock.now())
    return is_recent or visit.came_back_at is not None or visit.changes.exists()


def _note_same(row: Subscription, agreed: objects.Subscription) -> None:
    """Note for visits that the reader came back from that the gift is paid from what was chosen there already."""
    own, chosen = agreed.own_method_id, agreed.customers_method_id
    if agreed.method_id and chosen in ("", own or chosen):
        back = row.portal_visits.filter(came_back_at__isnull=False, method_before=agreed.method_id, changes=None)
        back.update(is_same=True, default_before=chosen)


def share(source: Subscription) -> int:
    """Request that the other gifts in `sharing` are paid from this one's method too; return how many were requested.

    Locks the supporter's row. A second call requests nothing more.
    """
    method = source.stripe_payment_method_id
    with transaction.atomic():
        Supporter.objects.select_for_update().get(pk=source.supporter_id)
        others = [row for row in sharing(source) if not _is_asked(row, method)]
        for row in others:
            _create(row, method)
    return len(others)


def sharing(source: Subscription) -> list[Subscription]:
    """Return the other gifts that go on, of the same customer at Stripe, and are paid from another method.

    Only these can be paid from this gift's method: at Stripe a payment method belongs to one customer.
    """
    rows = Subscription.objects.alive().filter(
        stripe_customer_id=source.stripe_customer_id, supporter_id=source.supporter_id
    )
    others = rows.exclude(pk=source.pk).exclude(stripe_payment_method_id=source.stripe_payment_method_id)
    return [row for row in others.order_by("pk") if not row.is_ending_or_asked_to]


def elsewhere(source: Subscription) -> list[Subscription]:
    """Return the supporter's other gifts that go on and belong to another customer at Stripe: each has a page there."""
    rows = Subscription.objects.alive().filter(supporter_id=source.supporter_id)
    others = rows.exclude(stripe_customer_id=source.stripe_customer_id)
    return [row for row in others.order_by("pk") if not row.is_ending_or_asked_to]


def note_seen(row: Subscription, agreed: objects.Subscription) -> None:
    """Mark requests that the subscription, freshly read from Stripe, confirms as seen. Idempotent.

    An accepted one that it does not confirm was undone at Stripe, if it is older than a request that it confirms.
    """
    if not agreed.own_method_id:
        return
    unseen = row.method_changes.filter(state__in=MethodChange.UNSEEN)
    if unseen.filter(stripe_payment_method_id=agreed.own_method_id).update(state=State.SEEN):
        unseen.filter(state=State.ACCEPTED).update(state=State.SUPERSEDED)


def ask(change: MethodChange) -> None:
    """Ask Stripe to pay the subscription from the new method, or ask again, and queue a read of the subscription.

    Not sent for a subscription that is over. Idempotent; safe to call concurrently. Never call it inside a
    transaction. Raises StripeUnavailable (the request stays open) and StripeRefused (staff have a case).
    """
    subscription = Subscription.objects.select_related("supporter").get(pk=change.subscription_id)
    if not subscription.is_alive:
        MethodChange.objects.filter(pk=change.pk, state=State.REQUESTED).update(state=State.SUPERSEDED)
        return
    stripe_id = subscription.stripe_subscription_id
    try:
        stripe_requests.ask(change, partial(_set, stripe_id), partial(_is_set, change, stripe_id))
    except StripeRefused as problem:
        _open_case(change, subscription, problem)
        raise
    queue.request_sync("subscription", stripe_id, subscription.stripe_customer_id)


def ask_by_id(row_id: int) -> None:
    """Send the request with this id to Stripe, if it is unanswered. For the task: raises no error of Stripe's."""
    change = MethodChange.objects.filter(pk=row_id, state=State.REQUESTED).first()
    try:
        if change:
            ask(change)
    except (StripeUnavailable, StripeRefused) as problem:
        log.info("payment method not set: %s (%s)", row_id, type(problem).__name__)


def check_accepted(change: MethodChange) -> None:
    """Check a request that Stripe accepted but that no read of the subscription has confirmed.

    If Stripe has the method, queue a read. Otherwise it was changed at Stripe since: mark the request as superseded.
    Idempotent. Never call it inside a transaction. Raises StripeUnavailable, StripeRefused.
    """
    stripe_id = change.subscription.stripe_subscription_id
    if _is_set(change, stripe_id):
        queue.request_sync("subscription", stripe_id, change.subscription.stripe_customer_id)
    else:
        MethodChange.objects.filter(pk=change.pk, state=State.ACCEPTED).update(state=State.SUPERSEDED)


def _is_from(visit: PortalVisit, agreed: objects.Subscription) -> bool:
    """Return whether the customer's default as it is now was chosen on this visit: made or seen soon after it."""
    made_at = agreed.customers_method_made_at
    since, until = visit.requested_at - CLOCKS_DIFFER_BY, visit.requested_at + BELONGS_WITHIN
    return clock.now() <= until or (made_at is not None and since <= made_at <= until)


def _is_asked(row: Subscription, method: str) -> bool:
    return row.method_changes.filter(state__in=MethodChange.UNSEEN, stripe_payment_method_id=method).exists()


def _create(row: Subscription, method: str, visit: PortalVisit | None = None) -> None:
    """Store a request, which replaces one that was not answered yet, and wake a worker after the commit."""
    row.method_changes.filter(state=State.REQUESTED).update(state=State.SUPERSEDED)
    params = {"default_payment_method": method}
    change = row.method_changes.create(visit=visit, stripe_payment_method_id=method, stripe_params=params)
    transaction.on_commit(partial(stripe_requests.wake, TASK, change.pk))


def _set(stripe_id: str, params: Mapping[str, Any], *, key: str) -> bool:
    client.update_subscription(stripe_id, params, key=key)
    return True


def _is_set(change: MethodChange, stripe_id: str) -> bool | None:
    """Return True if the subscription at Stripe is paid from this method, None if it is not."""
    return True if client.read_subscription(stripe_id).own_method_id == change.stripe_payment_method_id else None


def _open_case(change: MethodChange, subscription: Subscription, problem: StripeRefused) -> None:
    facts = {"subscription": subscription.pk, "reason": str(problem)}
    key = f"methodchange:{change.public_id}:refused"
    cases.open_case(Case.Kind.REQUEST_REFUSED, key, subscription.supporter, facts)
