"""Stripe's page on which a reader puts another card or bank in place: its address, and the one thing it may do.

Called by the page behind a letter's link. What came of it is told by Stripe's events (subscriptions.py, overdue.py).
"""

from __future__ import annotations

from django.conf import settings

from payments import stripe_requests
from payments.errors import StripeMissing, StripeUnavailable
from payments.giving.checkout import LOOK_EVERY_SECONDS
from payments.giving.sessions import STRIPE_LOCALES
from payments.inbox import queue
from payments.models import Payment, PortalConfiguration, PortalVisit, StripeRequest, Subscription
from payments.stripe_api import client

State = StripeRequest.State
FEATURES = {"payment_method_update": {"enabled": True}}


def begin(subscription: Subscription, back_url: str, left_url: str, language: str) -> str:
    """The address of Stripe's page for this subscription's customer; the reader comes back to one of ours.

    Each call is a visit of its own: Stripe's pages run out within minutes, and a second one does no harm. Raises
    StripeUnavailable, StripeRefused. Never call it inside a transaction.
    """
    try:
        return _visit(subscription, configuration(), back_url, left_url, language)
    except StripeMissing:  # the configuration is of another account, as after a change of the key
        known = PortalConfiguration.objects.filter(state=State.ACCEPTED)
        known.update(state=State.FAILED, error="resource_missing")
        return _visit(subscription, configuration(), back_url, left_url, language)


def configuration() -> str:
    """Stripe's id of the configuration that allows a change of method and nothing else; made on first use.

    At once from two processes: one row is found or made by each, and two configurations do no harm.
    """
    known = PortalConfiguration.objects.filter(state=State.ACCEPTED).exclude(stripe_configuration_id="").first()
    if known:
        return known.stripe_configuration_id
    row = PortalConfiguration.objects.filter(state=State.REQUESTED).first()
    if row is None:
        params = {"features": FEATURES, "default_return_url": f"{settings.SITE_URL}/support/"}
        row = PortalConfiguration.objects.create(stripe_params=params)
    made = stripe_requests.ask(row, client.create_portal_configuration, lambda: None)
    if made is None:
        return configuration()  # another process was faster
    PortalConfiguration.objects.filter(pk=row.pk).update(stripe_configuration_id=made)
    return made


def last_visit(subscription: Subscription) -> PortalVisit | None:
    """The newest visit for which Stripe gave an address."""
    return subscription.portal_visits.filter(state=State.ACCEPTED).select_related("subscription").first()


def look_again(visit: PortalVisit, payment: Payment | None) -> None:
    """Have read from Stripe what the way back wants to know, through the queue. Safe to call at every page view."""
    subscription = visit.subscription
    customer, often = subscription.stripe_customer_id, LOOK_EVERY_SECONDS
    queue.request_sync("subscription", subscription.stripe_subscription_id, customer, every_seconds=often)
    if payment and payment.stripe_invoice_id:
        queue.request_sync("invoice", payment.stripe_invoice_id, customer, every_seconds=often)


def _visit(subscription: Subscription, configuration_id: str, back_url: str, left_url: str, language: str) -> str:
    params = {
        "customer": subscription.stripe_customer_id,
        "configuration": configuration_id,
        "locale": STRIPE_LOCALES.get(language, "auto"),
        "return_url": left_url,
        "flow_data": {
            "type": "payment_method_update",
            "after_completion": {"type": "redirect", "redirect": {"return_url": back_url}},
        },
    }
    visit = PortalVisit.objects.create(
        subscription=subscription, method_before=subscription.stripe_payment_method_id, stripe_params=params
    )
    url = stripe_requests.ask(visit, client.create_portal_session, lambda: None)
    if url is None:
        raise StripeUnavailable(visit.idempotency_key)
    return url
