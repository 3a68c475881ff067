"""Deleting customers at Stripe, after their gifts were stopped there: committed requests, each sent until answered.

Called by erasing.py. A deletion cannot be undone, and ends whatever gift still goes on (docs/assumed-of-stripe.md
A-180).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from members import clock
from members.rights import tombstones
from payments import cases, stripe_requests
from payments.errors import StripeMissing, StripeRefused, StripeUnavailable
from payments.models import Case, Checkout, CustomerDeletion, Erasure, SubscriptionChange
from payments.recurring import bills, change_calls, unanswered
from payments.stripe_api import client

log = logging.getLogger("hromada.requests")

State = CustomerDeletion.State


def record(erasure: Erasure, customers: list[str]) -> None:
    """Store a request to delete each of these customers, in the caller's transaction. Idempotent."""
    rows = [CustomerDeletion(erasure=erasure, stripe_customer_id=customer) for customer in customers]
    CustomerDeletion.objects.bulk_create(rows, ignore_conflicts=True)


def ask_all(erasure: Erasure) -> bool:
    """Send what Stripe has not answered, stops before deletions; return whether nothing is left to send.

    Requests that Stripe does not answer stay open, and a refused one opens a case. Idempotent; safe to call
    concurrently. Never call it inside a transaction.
    """
    for stop in _open_stops(erasure):
        _ask_stop(stop)
    if not erasure.has_looked:
        _look_for_more(erasure)
    for deletion in erasure.deletions.filter(state=State.REQUESTED):
        if not _open_stops(erasure).filter(subscription__stripe_customer_id=deletion.stripe_customer_id).exists():
            _ask_deletion(deletion)
    is_open = _open_stops(erasure).exists() or erasure.deletions.exclude(state__in=bills.ACCEPTED).exists()
    return erasure.has_looked and not is_open


def ask_refused_again(erasure: Erasure) -> None:
    """Open the deletions again that Stripe refused, under new keys: whoever asks again has seen to the reason."""
    for deletion in erasure.deletions.filter(state=State.FAILED):
        deletion.state, deletion.error = State.REQUESTED, ""
        deletion.generation += 1
        deletion.save(update_fields=["state", "error", "generation"])


def note_unanswered(erasure: Erasure) -> None:
    """Open a case for each deletion that Stripe has not answered, once per request."""
    for deletion in erasure.deletions.filter(state=State.REQUESTED):
        _open_case(Case.Kind.REQUEST_UNANSWERED, "unanswered", deletion, deletion.error)


def _open_stops(erasure: Erasure) -> Any:
    """Return the stops of the supporter's gifts that Stripe has not accepted, or whose invoices are to be looked at."""
    unchecked = Q(has_bills_to_check=True, state__in=bills.ACCEPTED)
    stops = SubscriptionChange.objects.filter(Q(state=State.REQUESTED) | unchecked, kind=SubscriptionChange.Kind.STOP)
    return stops.filter(subscription__supporter=erasure.supporter_id).select_related("subscription__supporter")


def _look_for_more(erasure: Erasure) -> None:
    """Find what attempts without money have left at Stripe: end sessions that are open, and delete their customers.

    A card that was declined on Stripe's page may have made a customer that no row of ours names.
    """
    attempts = Checkout.objects.filter(supporter=erasure.supporter_id, payments=None, subscription=None)
    for attempt in attempts.exclude(stripe_session_id=None):
        try:
            _look_at(attempt, erasure)
        except StripeUnavailable as problem:
            log.info("attempts not looked at: erasure=%s (%s)", erasure.pk, type(problem).__name__)
            return
        except StripeRefused:  # Stripe does not know it, or it is not open any more
            continue
    erasure.has_looked = True
    erasure.save(update_fields=["has_looked"])


def _look_at(attempt: Checkout, erasure: Erasure) -> None:
    session = client.read_session(attempt.stripe_session_id or "")
    if session.customer:
        ids = [session.customer, session.payment_intent.id if session.payment_intent else ""]
        with transaction.atomic():
            record(erasure, [session.customer])
            tombstones.keep(erasure.supporter, (), ids, erasure.forgotten_at or clock.now())
    if session.status == "open":
        client.expire_checkout_session(session.id, key=f"erasure:{erasure.public_id}:{attempt.pk}")


def _ask_stop(stop: SubscriptionChange) -> None:
    try:
        if stop.state == State.REQUESTED:
            change_calls.ask(stop)
        else:
            change_calls.check_bills(stop)
    except StripeUnavailable as problem:
        log.info("still unanswered: %s (%s)", stop.idempotency_key, problem)
    except StripeRefused as problem:
        unanswered.note_refused(stop, problem)


def _ask_deletion(deletion: CustomerDeletion) -> None:
    customer = deletion.stripe_customer_id
    try:
        stripe_requests.ask(deletion, partial(_delete, customer), partial(_is_gone, customer))
    except StripeUnavailable as problem:
        log.info("still unanswered: %s (%s)", deletion.idempotency_key, problem)
    except StripeRefused as problem:
        _open_case(Case.Kind.REQUEST_REFUSED, "refused", deletion, str(problem))


def _delete(customer: str, params: Mapping[str, Any], *, key: str) -> bool:
    """Delete a customer. One that is gone already counts: a key has no effect on DELETE, and an answer may be lost."""
    try:
        client.delete_customer(customer, params, key=key)
    except StripeMissing:
        log.info("customer was deleted before: %s", key)
    return True


def _is_gone(customer: str) -> bool | None:
    """Return True if the customer is deleted at Stripe or unknown there, None if not."""
    try:
        return client.read_customer(customer).is_deleted or None
    except StripeMissing:
        return True


def _open_case(kind: Case.Kind, what: str, deletion: CustomerDeletion, reason: str) -> None:
    facts = {"customer": deletion.stripe_customer_id, **({"reason": reason} if reason else {})}
    key = f"customerdeletion:{deletion.public_id}:{what}"
    cases.open_case(kind, key, deletion.erasure.supporter, facts)
