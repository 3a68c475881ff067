"""Checkouts that Stripe knows and our books lack, as after a backup was restored: made again from Stripe's session.

Only when a person says so (differences.py): another installation may share the account, and its gifts are not ours.
What came of the checkout is then read like any event. Which ask led to the gift is lost, and the words agreed to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.conf import settings
from django.db import IntegrityError, transaction

from members.models import Consent
from payments.errors import StripeMissing
from payments.giving import checkout as checkouts
from payments.giving import references
from payments.inbox import queue
from payments.models import Checkout, Frequency
from payments.stripe_api import client, objects


def bring_back(name: str, led_to: Mapping[str, str]) -> None:
    """Make the checkout of this name again when its row is gone, and have its session worked. Never in a transaction.

    `led_to` says what Stripe finds the session by: `{"payment_intent": id}` or `{"subscription": id}`. Safe to call
    twice and at once. Raises StripeMissing when no session of Stripe's bears the name, StripeUnavailable.
    """
    if not checkouts.is_name(name) or Checkout.objects.filter(public_id=name).exists():
        return
    listed = next((each for each in client.sessions_of(led_to) if each.checkout == name), None)
    if listed is None:
        raise StripeMissing(f"session of checkout {name}")
    _make(client.read_session(listed.id))
    queue.request_sync("checkout.session", listed.id, listed.customer)


def _make(session: objects.Session) -> None:
    agreed = session.subscription
    try:
        with transaction.atomic():
            Checkout.objects.create(
                public_id=session.checkout,
                reference=references.new(),
                status=Checkout.Status.OPEN,
                form_key=hashlib.sha256(session.id.encode()).hexdigest(),
                frequency=agreed.interval if agreed else Frequency.ONCE,
                amount=session.amount,
                currency=session.currency,
                email=session.email,
                name=session.name,
                language=_language(session),
                consent=_consent(_language(session)),
                stripe_session_id=session.id,
                created_at=session.created_at,
            )
    except IntegrityError:
        # Somebody else brought it back at the same moment; or, once in millions, the reference was taken.
        if not Checkout.objects.filter(public_id=session.checkout).exists():
            _make(session)


def _consent(language: str) -> Consent:
    """There was one: no checkout begins without. Its words are in no backup."""
    return Consent.objects.create(
        purpose="gift", words="", words_version="", language=language, surface="stripe.session"
    )


def _language(session: objects.Session) -> str:
    return session.locale if session.locale in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
