"""The Checkout Session at Stripe for an attempt to give: its parameters, and making it or finding it again.

Called by giving/checkout.py, which stores the result.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from members import clock
from members.links import signed
from payments.crash_points import crash_at
from payments.errors import KeyReused, KeySpent
from payments.giving import stripe_pages
from payments.models import Checkout
from payments.stripe_api import client, lists, objects
from payments.stripe_requests import KEY_LIFETIME

log = logging.getLogger("hromada.requests")

# Our clock and Stripe's may differ a little: an earlier session is looked for from this long before its attempt.
BEFORE_ATTEMPT = timedelta(minutes=10)
# The shortest life that Stripe gives a session, and a minute for clocks that differ.
SHORT = timedelta(minutes=31)


def return_url(checkout: Checkout) -> str:
    """Return the address of our page to which Stripe sends the reader back. Its link is signed."""
    return f"{settings.SITE_URL}/support/return/{signed.sign('return', str(checkout.public_id))}/"


def params(checkout: Checkout, own_customer: str = "", *, is_short: bool = False) -> dict[str, Any]:
    """Return the parameters of the session to make; without `own_customer`, Stripe makes a new customer.

    `is_short`: it lasts for SHORT from now on, instead of Stripe's day. Its metadata at Stripe is our checkout's id,
    and nothing about a person.
    """
    metadata = {objects.METADATA_CHECKOUT: str(checkout.public_id)}
    price: dict[str, Any] = {
        "currency": checkout.currency.lower(),
        "unit_amount": checkout.amount,
        "product_data": {"name": product_name(checkout.language)},
    }
    common: dict[str, Any] = {
        "client_reference_id": str(checkout.public_id),
        "locale": stripe_pages.locale(checkout.language),
        "metadata": metadata,
        "submit_type": "donate",
        "success_url": return_url(checkout),
        "cancel_url": f"{return_url(checkout)}?left=1",
        "line_items": [{"quantity": 1, "price_data": price}],
        **stripe_pages.terms(),
        **({"expires_at": int((clock.now() + SHORT).timestamp())} if is_short else {}),
        **({"customer": own_customer} if own_customer else {"customer_email": checkout.email}),
    }
    if checkout.is_recurring:
        price["recurring"] = {"interval": checkout.frequency}
        return common | {"mode": "subscription", "subscription_data": {"metadata": metadata}}
    made = {} if own_customer else {"customer_creation": "always"}
    return common | made | {"mode": "payment", "payment_intent_data": {"metadata": metadata}}


def create(checkout: Checkout) -> tuple[str, str]:
    """Make the session of the checkout's attempt; return its id and the URL of Stripe's page.

    The same attempt returns the same session. Raises KeySpent, StripeUnavailable and StripeRefused.
    """
    crash_at("before-stripe-write")
    session = client.create_checkout_session(checkout.stripe_params, key=checkout.idempotency_key)
    crash_at("after-stripe-write")
    return session


def create_or_find(checkout: Checkout) -> tuple[str, str] | None:
    """Return (id, URL) of the attempt's session: made now, or made by an earlier try that died.

    None if the attempt's idempotency key can no longer be used and no open session is found: only a new attempt can
    make one. Raises StripeUnavailable and StripeRefused.
    """
    if not _is_key_too_old(checkout):
        try:
            return create(checkout)
        except KeySpent:
            log.info("key %s is spent: looking up the result", checkout.idempotency_key)
        except KeyReused:  # a fault of ours: the session that was made with the key, or a new key, takes the gift
            log.error("key %s was sent with other parameters before", checkout.idempotency_key)
    return lists.open_session_of(str(checkout.public_id), checkout.attempt_at - BEFORE_ATTEMPT)


def _is_key_too_old(checkout: Checkout) -> bool:
    """Return whether Stripe may have forgotten the attempt's key, so that using it could make a second session."""
    return clock.now() - checkout.attempt_at > KEY_LIFETIME


def product_name(language: str) -> str:
    """Return the name of a gift at Stripe: it names the newsroom, and neither campaign nor article."""
    with override(language):
        return _("Support for %(newsroom)s") % {"newsroom": settings.SITE_NAME}
