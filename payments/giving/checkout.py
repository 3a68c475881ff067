"""One attempt to give: from the reader's choice to Stripe's page. What came of it is written by events, not here.

Called by the reader's views (begin, state_of, look_again) and by the rules that follow Stripe (find, giver).
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from members import clock, people
from members.links import public_ids, signed
from members.models import Consent, Supporter
from payments.crash_points import crash_at
from payments.errors import CheckoutLost, KeySpent, NotOurs
from payments.giving import references
from payments.giving.choices import Choice, Person
from payments.inbox import queue
from payments.models import Checkout, Payment
from payments.stripe_api import client, objects
from payments.stripe_requests import KEY_LIFETIME

log = logging.getLogger("hromada.requests")

# Our clock and Stripe's may differ a little: a session is looked for from so long before its attempt.
BEFORE_ATTEMPT = timedelta(minutes=10)
# However often the return page is asked, its session is read from Stripe at most this often.
LOOK_EVERY_SECONDS = 4
# Stripe's page speaks Ukrainian through the browser's own choice only.
STRIPE_LOCALES = {"en": "en"}


def begin(choice: Choice, person: Person, consent_words: str, form_key: str) -> str:
    """The address to send the reader to: Stripe's page, or ours when this very form was paid already.

    The row is committed before Stripe is asked, with the parameters frozen in it. The same form with the same answers
    is the same checkout, so a double click, a reload or a second try after StripeUnavailable makes one session.
    """
    checkout = _row(choice, person, consent_words, form_key)
    if checkout.status == Checkout.Status.COMPLETE:
        return return_url(checkout)
    if not checkout.stripe_session_url:
        session_id, url = _session_at_stripe(checkout)
        fresh = {"stripe_session_id": session_id, "stripe_session_url": url}
        Checkout.objects.filter(pk=checkout.pk).update(**fresh)
        Checkout.objects.filter(pk=checkout.pk, status=Checkout.Status.STARTED).update(status=Checkout.Status.OPEN)
        checkout.stripe_session_url = url
    return checkout.stripe_session_url


def has_begun(choice: Choice, person: Person, form_key: str) -> bool:
    """Whether this very form has its session, so that sending it again makes nothing new."""
    begun = (Checkout.Status.OPEN, Checkout.Status.COMPLETE)
    return Checkout.objects.filter(form_key=_form_key(choice, person, form_key), status__in=begun).exists()


def _session_at_stripe(checkout: Checkout) -> tuple[str, str]:
    """The attempt's one session. Where its key says nothing, what it may have made is looked up before a new one."""
    if not _is_forgotten(checkout):
        try:
            return _created(checkout)
        except KeySpent:
            log.info("key of %s is spent: looked up", checkout.idempotency_key)
    made = client.open_session_of(str(checkout.public_id), checkout.attempt_at - BEFORE_ATTEMPT)
    return made or _created(_begin_anew(checkout))


def _created(checkout: Checkout) -> tuple[str, str]:
    crash_at("before-stripe-write")
    session = client.create_checkout_session(checkout.stripe_params, key=checkout.idempotency_key)
    crash_at("after-stripe-write")
    return session


def state_of(checkout: Checkout, *, left: bool = False) -> str:
    """What the return page says: paid, processing, failed, expired, not_finished or checking. Grants nothing."""
    statuses = {payment.status for payment in checkout.payments.all()}
    for status, state in (
        (Payment.Status.SUCCEEDED, "paid"),
        (Payment.Status.PROCESSING, "processing"),
        (Payment.Status.FAILED, "failed"),
    ):
        if status in statuses:
            return state
    if checkout.status == Checkout.Status.EXPIRED:
        return "expired"
    return "not_finished" if left and checkout.status != Checkout.Status.COMPLETE else "checking"


def look_again(checkout: Checkout) -> None:
    """Have the session read from Stripe, through the same queue as its events. Safe to call at every page view."""
    if checkout.stripe_session_id:
        queue.request_sync("checkout.session", checkout.stripe_session_id, every_seconds=LOOK_EVERY_SECONDS)


def return_url(checkout: Checkout) -> str:
    return f"{settings.SITE_URL}/support/return/{signed.sign('return', str(checkout.public_id))}/"


def find(public_id: str) -> Checkout:
    """The checkout that Stripe's metadata names.

    Raises NotOurs when there is no metadata of ours, and CheckoutLost when there is and our books lack its row.
    """
    if not is_name(public_id):
        raise NotOurs("no metadata of ours")
    try:
        return Checkout.objects.get(public_id=uuid.UUID(public_id))
    except Checkout.DoesNotExist:
        raise CheckoutLost(f"checkout {public_id}") from None


def giver(checkout: Checkout) -> Supporter:
    """The supporter who gave, made or found now that money has come, with the row locked."""
    if checkout.supporter_id:
        return Supporter.objects.select_for_update().get(pk=checkout.supporter_id)
    return find_givers([checkout])[0]


def find_givers(begun: Collection[Checkout]) -> list[Supporter]:
    """`giver` for many checkouts with which no money has come yet, in their order; two statements for all."""
    supporters = people.hold_all([people.Giver(one.email, one.name, one.language) for one in begun])
    for checkout, supporter in zip(begun, supporters, strict=True):
        checkout.supporter = supporter
    with connection.cursor() as cursor:
        cursor.execute(_SET_SUPPORTERS, [[one.pk for one in begun], [one.pk for one in supporters]])
    return supporters


_SET_SUPPORTERS = """
UPDATE payments_checkout SET supporter_id = found.supporter
FROM unnest(%s::bigint[], %s::bigint[]) AS found (checkout, supporter) WHERE id = found.checkout
"""


def without_giver(names: Iterable[str]) -> dict[str, Checkout]:
    """Of the checkouts named, those with which no money has come yet, by name. Names that are not ours are left out."""
    ids = {name: public_id for name in names if (public_id := public_ids.parse(name))}
    found = Checkout.objects.filter(supporter=None).in_bulk(ids.values(), field_name="public_id")
    return {name: found[public_id] for name, public_id in ids.items() if public_id in found}


def follow(session: objects.Session) -> Checkout | None:
    """Write down what Stripe says of a session: complete or expired. Never takes a completed one back.

    None for one whose row is gone and that led to no money: there is nothing to bring back.
    """
    try:
        checkout = find(session.checkout)
    except CheckoutLost:
        if session.led_to_money:
            raise
        return None
    if session.status == "complete" and checkout.status != Checkout.Status.COMPLETE:
        checkout.status, checkout.completed_at = Checkout.Status.COMPLETE, clock.now()
        checkout.save(update_fields=["status", "completed_at"])
    elif session.status == "expired" and session.id == checkout.stripe_session_id:
        open_ones = Checkout.objects.filter(pk=checkout.pk).exclude(status=Checkout.Status.COMPLETE)
        open_ones.update(status=Checkout.Status.EXPIRED)
    return checkout


def is_name(name: str) -> bool:
    """Whether Stripe's metadata names a checkout of ours at all. Whatever somebody wrote there, nothing breaks."""
    return public_ids.parse(name) is not None


def _row(choice: Choice, person: Person, consent_words: str, form_key: str) -> Checkout:
    key = _form_key(choice, person, form_key)
    found = Checkout.objects.filter(form_key=key).first()
    if found is None:
        return _make(choice, person, consent_words, key)
    return _begin_anew(found) if found.status == Checkout.Status.EXPIRED else found


def _make(choice: Choice, person: Person, consent_words: str, key: str) -> Checkout:
    try:
        with transaction.atomic():
            checkout = Checkout(
                reference=references.new(),
                form_key=key,
                frequency=choice.frequency,
                amount=choice.amount,
                currency=choice.currency,
                email=person.email,
                name=person.name,
                language=person.language,
                campaign=choice.campaign,
                appeal=choice.appeal,
                article=choice.article,
                consent=_consent(consent_words, person.language),
            )
            checkout.stripe_params = session_params(checkout)
            checkout.save(force_insert=True)
            return checkout
    except IntegrityError:
        # The twin of a double click was faster; or, once in millions, the reference was taken.
        twin = Checkout.objects.filter(form_key=key).first()
        return twin or _make(choice, person, consent_words, key)


def _begin_anew(checkout: Checkout) -> Checkout:
    """Another session, after one that can be paid no more or was never made. Committed before it is asked for."""
    checkout.attempt, checkout.attempt_at = checkout.attempt + 1, clock.now()
    checkout.status = Checkout.Status.STARTED
    checkout.stripe_session_id, checkout.stripe_session_url = None, ""
    fields = ["attempt", "attempt_at", "status", "stripe_session_id", "stripe_session_url"]
    checkout.save(update_fields=fields)
    return checkout


def _is_forgotten(checkout: Checkout) -> bool:
    """Whether Stripe may have forgotten the attempt's key, so that asking again could make a second session."""
    return clock.now() - checkout.attempt_at > KEY_LIFETIME


def _form_key(choice: Choice, person: Person, form_key: str) -> str:
    """The same form with other answers is another attempt: the answers are part of its key."""
    answers = [form_key, choice.frequency, str(choice.amount), choice.currency, person.email, person.name]
    return hashlib.sha256("\x1f".join(answers).encode()).hexdigest()


def _consent(words: str, language: str) -> Consent:
    version = hashlib.sha256(words.encode()).hexdigest()[:16]
    return Consent.objects.create(
        purpose="gift", words=words, words_version=version, language=language, surface="support.details"
    )


def session_params(checkout: Checkout) -> dict[str, Any]:
    """The Checkout Session to make. Stripe's objects carry our checkout's id and nothing about a person."""
    metadata = {objects.METADATA_CHECKOUT: str(checkout.public_id)}
    price: dict[str, Any] = {
        "currency": checkout.currency.lower(),
        "unit_amount": checkout.amount,
        "product_data": {"name": _line_for_statement(checkout)},
    }
    params: dict[str, Any] = {
        "client_reference_id": str(checkout.public_id),
        "customer_email": checkout.email,
        "locale": STRIPE_LOCALES.get(checkout.language, "auto"),
        "metadata": metadata,
        "submit_type": "donate",
        "success_url": return_url(checkout),
        "cancel_url": f"{return_url(checkout)}?left=1",
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    if checkout.is_recurring:
        price["recurring"] = {"interval": checkout.frequency}
        return params | {"mode": "subscription", "subscription_data": {"metadata": metadata}}
    intent = {"metadata": metadata}
    return params | {"mode": "payment", "customer_creation": "always", "payment_intent_data": intent}


def _line_for_statement(checkout: Checkout) -> str:
    """What the gift is called at Stripe: recognisable, and silent about campaign and article."""
    with override(checkout.language):
        return _("Support for %(newsroom)s") % {"newsroom": settings.SITE_NAME}
