"""Make a checkout again whose row is missing here, for instance after restoring a backup, from Stripe's session.

Called when staff ask for it (reconciling/differences.py), never automatically: another installation may share the
account. Payment and subscription are then read like after an event. The appeal and the words agreed to stay lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.conf import settings
from django.db import IntegrityError, transaction

from members.models import Consent, Supporter
from members.rights import tombstones
from payments.errors import StripeMissing
from payments.giving import checkout as checkouts
from payments.giving import references
from payments.inbox import queue
from payments.models import Checkout, Frequency
from payments.stripe_api import client, lists, objects


def bring_back(name: str, led_to: Mapping[str, str]) -> None:
    """Make the checkout with this public id again and queue a read of its session.

    Does nothing if the row exists or `name` is no public id. `led_to` is what the session led to: `{"payment_intent":
    id}` or `{"subscription": id}`. Raises StripeMissing if no such session names the checkout, StripeUnavailable and
    StripeRefused. Idempotent and safe to call concurrently. Never call it in a transaction.
    """
    if not checkouts.is_name(name) or Checkout.objects.filter(public_id=name).exists():
        return
    listed = next((each for each in lists.sessions_of(led_to) if each.checkout == name), None)
    if listed is None:
        raise StripeMissing(f"session of checkout {name}")
    _make(client.read_session(listed.id))
    queue.request_sync("checkout.session", listed.id, listed.customer)


def _make(session: objects.Session) -> None:
    """Create the checkout row that this session names, open, with a new reference and a consent without words.

    Does nothing if another process has created it. The checkout of a person who was erased gets the row that is left
    of them, and neither name nor address.
    """
    agreed = session.subscription
    erased = _erased(session)
    try:
        with transaction.atomic():
            Checkout.objects.create(
                public_id=session.checkout,
                reference=references.new(),
                status=Checkout.Status.OPEN,
                form_key=hashlib.sha256(session.id.encode()).hexdigest(),
                frequency=_frequency(agreed),
                amount=session.amount,
                currency=session.currency,
                email=erased.email if erased else session.email,
                name="" if erased else session.name,
                supporter=erased,
                language=_language(session),
                consent=_consent(_language(session)),
                stripe_session_id=session.id,
                created_at=session.created_at,
            )
    except IntegrityError:
        # It was made again by another process; or, once in millions, the reference was taken.
        if not Checkout.objects.filter(public_id=session.checkout).exists():
            _make(session)


def _erased(session: objects.Session) -> Supporter | None:
    """Return what is left of the person of a session if they were erased, else None."""
    ids = {session.id, session.customer, session.checkout}
    ids |= {session.subscription.id} if session.subscription else set()
    ids |= {session.payment_intent.id} if session.payment_intent else set()
    found = tombstones.erased_among(stripe_id for stripe_id in ids if stripe_id)
    return tombstones.erased_supporter(next(iter(found.values())).supporter_public_id) if found else None


def _frequency(agreed: objects.Subscription | None) -> str:
    """Return the frequency that the form had: one of ours, whatever the rhythm has become since."""
    if agreed is None:
        return Frequency.ONCE
    return Frequency.YEAR if agreed.interval == "year" else Frequency.MONTH


def _consent(language: str) -> Consent:
    """Make a consent without words: the reader agreed to some, because every checkout needs it, but they are lost."""
    return Consent.objects.create(
        purpose="gift", words="", words_version="", language=language, surface="stripe.session"
    )


def _language(session: objects.Session) -> str:
    """Return the language of Stripe's page if it is one of LANGUAGES and stands in for no other, else the default."""
    is_named = session.locale in dict(settings.LANGUAGES) and session.locale not in settings.STRIPE_LOCALES.values()
    return session.locale if is_named else settings.LANGUAGE_CODE
