"""Stripe's page on which a reader puts another card or bank in place: its address, and the one thing it may do.

Called by the page behind a letter's link. What came of it is told by Stripe's events (subscriptions.py, overdue.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from payments import requests
from payments.checkout import STRIPE_LOCALES
from payments.errors import StripeMissing, StripeUnavailable
from payments.models import PortalConfiguration, PortalVisit, Subscription
from payments.stripe_api import client

FEATURES = {"payment_method_update": {"enabled": True}}


def begin(subscription: Subscription, back_url: str, left_url: str, language: str) -> str:
    """The address of Stripe's page for this subscription's customer; the reader comes back to one of ours.

    Each call is a visit of its own: Stripe's pages run out within minutes, and a second one does no harm. Raises
    StripeUnavailable, StripeRefused. Never call it inside a transaction.
    """
    try:
        return _visit(subscription, configuration(), back_url, left_url, language)
    except StripeMissing:  # the configuration is of another account, as after a change of the key
        PortalConfiguration.objects.filter(state=PortalConfiguration.State.ACCEPTED).update(
            state=PortalConfiguration.State.FAILED, error="resource_missing"
        )
        return _visit(subscription, configuration(), back_url, left_url, language)


def configuration() -> str:
    """Stripe's id of the configuration that allows a change of method and nothing else; made on first use.

    At once from two processes: one row is found or made by each, and two configurations do no harm.
    """
    row = PortalConfiguration.objects.exclude(state=PortalConfiguration.State.FAILED).first()
    if row is None:
        params = {"features": FEATURES, "default_return_url": f"{settings.SITE_URL}/support/"}
        row = PortalConfiguration.objects.create(stripe_params=params)
    if not row.stripe_configuration_id:
        row.stripe_configuration_id = client.create_portal_configuration(row.stripe_params, key=row.idempotency_key)
        row.state = PortalConfiguration.State.ACCEPTED
        row.save(update_fields=["stripe_configuration_id", "state"])
    return row.stripe_configuration_id


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
    url = requests.ask(visit, _session, lambda: None)
    if url is None:
        raise StripeUnavailable(visit.idempotency_key)
    return url


def _session(params: Mapping[str, Any], *, key: str) -> str:
    return client.create_portal_session(params, key=key)
