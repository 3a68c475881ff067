"""Stripe's customer portal, where a reader changes the card or account of a subscription, and can do nothing else.

Called by the page behind the link in an email (views/method.py). The portal changes the default of the customer; it
arrives as Stripe's events, and the subscription that the visit was for then follows (method_changes.py, overdue.py).
"""

from __future__ import annotations

from django.conf import settings

from payments import stripe_requests
from payments.errors import StripeMissing, StripeRefused, StripeUnavailable
from payments.giving import stripe_pages
from payments.giving.checkout import LOOK_EVERY_SECONDS
from payments.inbox import queue
from payments.models import Payment, PortalConfiguration, PortalVisit, StripeRequest, Subscription
from payments.stripe_api import client

State = StripeRequest.State


def begin(subscription: Subscription, back_url: str, left_url: str, language: str) -> str:
    """Return the address of Stripe's page for this subscription's customer.

    Stripe sends the reader to `back_url` after a change, and to `left_url` if they leave without one. Each call makes a
    new page: Stripe's pages expire within minutes, and a second one does no harm. Never call it inside a transaction.
    Raises StripeUnavailable, StripeRefused.
    """
    before = _default_of(subscription.stripe_customer_id)
    try:
        return _visit(subscription, before, configuration(), back_url, left_url, language)
    except StripeMissing:  # the configuration belongs to another account: the key was changed
        known = PortalConfiguration.objects.filter(state=State.ACCEPTED)
        known.update(state=State.FAILED, error="resource_missing")
        return _visit(subscription, before, configuration(), back_url, left_url, language)


def _default_of(customer: str) -> str:
    """Return the customer's default payment method at Stripe; "" for a customer whom Stripe refuses to show.

    The visit is then refused too, and its row says so. Raises StripeUnavailable.
    """
    try:
        return client.read_customer(customer).method_id
    except StripeRefused:
        return ""


def configuration() -> str:
    """Return Stripe's id of our portal configuration, which allows a change of method only; make it on first use.

    Other settings make another one. Two processes may make one each at the same time, which does no harm. Raises
    StripeUnavailable, StripeRefused.
    """
    params = {"features": stripe_pages.portal_features(), "default_return_url": f"{settings.SITE_URL}/support/"}
    ours = PortalConfiguration.objects.filter(stripe_params=params)
    known = ours.filter(state=State.ACCEPTED).exclude(stripe_configuration_id="").first()
    if known:
        return known.stripe_configuration_id
    row = ours.filter(state=State.REQUESTED).first() or PortalConfiguration.objects.create(stripe_params=params)
    made = stripe_requests.ask(row, client.create_portal_configuration, lambda: None)
    if made is None:
        return configuration()  # another process was faster
    PortalConfiguration.objects.filter(pk=row.pk).update(stripe_configuration_id=made)
    return made


def last_visit(subscription: Subscription) -> PortalVisit | None:
    """Return the newest visit for which Stripe gave an address, or None."""
    return subscription.portal_visits.filter(state=State.ACCEPTED).select_related("subscription").first()


def look_again(visit: PortalVisit, payment: Payment | None) -> None:
    """Queue reads of the subscription and, if given, of the payment's invoice. Safe to call at every page view."""
    subscription = visit.subscription
    customer = subscription.stripe_customer_id
    every = LOOK_EVERY_SECONDS
    queue.request_sync("subscription", subscription.stripe_subscription_id, customer, every_seconds=every)
    if payment and payment.stripe_invoice_id:
        queue.request_sync("invoice", payment.stripe_invoice_id, customer, every_seconds=every)


def _visit(
    subscription: Subscription, before: str, configuration_id: str, back_url: str, left_url: str, language: str
) -> str:
    """Store a visit and ask Stripe for its page; return the page's address. `before` is the customer's default now."""
    params = {
        "customer": subscription.stripe_customer_id,
        "configuration": configuration_id,
        "locale": stripe_pages.locale(language),
        "return_url": left_url,
        "flow_data": {
            "type": "payment_method_update",
            "after_completion": {"type": "redirect", "redirect": {"return_url": back_url}},
        },
    }
    visit = PortalVisit.objects.create(
        subscription=subscription,
        method_before=subscription.stripe_payment_method_id,
        default_before=before,
        stripe_params=params,
    )
    url = stripe_requests.ask(visit, client.create_portal_session, lambda: None)
    if url is None:
        raise StripeUnavailable(visit.idempotency_key)
    return url
