"""The catalogue of letters about money: one short function a letter, named like its folder and the prefix of its key.

Each takes rows, freezes plain facts (minor units beside their currency, ISO dates, links) and owes the letter once.
All are called inside the transaction of their cause and are safe to call again: the key exists once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Min

from members import clock
from members.mail import outbox
from members.models import Level, Message
from payments.giving import checkout as checkouts
from payments.letters.drafts import (
    Facts,
    again_url,
    arrived,
    day,
    draft,
    gift,
    language_of,
    send,
    stop_url,
)
from payments.models import Frequency, Payment, Subscription


def thank(payment: Payment) -> Message | None:
    """The one thank-you for a gift that has arrived, whichever fits: a checkout is thanked once."""
    if _is_owed("thanks_processing", _root(payment)):
        return processing_done(payment)
    return thanks_first_recurring(payment) if payment.subscription else next(iter(thank_once([payment])), None)


def thank_once(payments: Collection[Payment]) -> list[Message]:
    """Gifts given once have arrived, of many people in one statement; who gave before is thanked as one who did.

    `thanks_first_once` or `thanks_repeat_once`, under one key: once a checkout, whichever fits at that moment.
    """
    earlier = Payment.objects.filter(
        supporter__in={payment.supporter_id for payment in payments}, status=Payment.Status.SUCCEEDED
    ).exclude(pk__in=[payment.pk for payment in payments])
    first = dict(earlier.values_list("supporter_id").annotate(Min("paid_at")))
    return outbox.owe([_thanks_once(payment, first.get(payment.supporter_id)) for payment in payments])


def thanks_first_recurring(payment: Payment) -> Message | None:
    """Somebody became a patron: the terms, and how to stop. Once a checkout."""
    facts = {**arrived(payment), **_terms(payment), **_return_link(payment)}
    return send("thanks_first_recurring", _root(payment), payment, facts)


def thanks_processing(payment: Payment) -> Message | None:
    """The bank has taken the order; the money comes later. Once a checkout, and not after another thank-you."""
    root = _root(payment)
    if _is_owed("thanks_first_once", root) or _is_owed("thanks_first_recurring", root):
        return None
    facts = {**gift(payment), **_terms(payment), **_return_link(payment), "sent_on": day(payment.created_at)}
    return send("thanks_processing", root, payment, facts)


def processing_done(payment: Payment) -> Message | None:
    """What the bank was working on has arrived: thanks, and the terms. Once a payment."""
    facts = {**arrived(payment), **_terms(payment), **_return_link(payment)}
    return send("processing_done", payment.public_id, payment, facts)


def processing_failed(payment: Payment) -> Message | None:
    """The bank could not complete it. A first gift can be tried again; a renewal is tried again by Stripe, or ends."""
    facts, subscription = {**gift(payment), "failed_on": day(clock.now())}, payment.subscription
    if subscription and subscription.is_ending_or_asked_to:
        facts["rests"] = "stopped"  # what its giver no longer wants is not spoken of as tried again, nor offered
    elif payment.checkout and not payment.next_attempt_at:
        facts["again_url"] = again_url(payment, language_of(payment))
    elif subscription:  # it is tried again by itself: another gift would be a second one
        facts |= {**_next_try(payment), "stop_url": stop_url(subscription, language_of(payment))}
    return send("processing_failed", payment.public_id, payment, facts)


def receipt_recurring(payment: Payment) -> Message | None:
    """A renewal has arrived, at once or after tries that failed. Once a payment."""
    kind = "payment_recovered" if payment.failures else "receipt_recurring"
    return send(kind, payment.public_id, payment, {**arrived(payment), **_terms(payment)})


def _thanks_once(payment: Payment, gave_first: datetime | None) -> Message:
    letter = draft("thanks_first_once", _root(payment), payment, {**arrived(payment), **_return_link(payment)})
    if gave_first:
        letter.kind, letter.context["gave_first_on"] = "thanks_repeat_once", day(gave_first)
    return letter


def _is_owed(kind: str, subject: object) -> bool:
    return Message.objects.filter(key=f"{kind}:{subject}").exists()


def _root(payment: Payment) -> object:
    """What a thank-you is keyed by: the checkout, whichever of its events comes first."""
    return payment.checkout.public_id if payment.checkout else payment.public_id


def _terms(payment: Payment) -> Facts:
    """How a recurring gift goes on: next when, at which level, and the link that stops it; or that it rests or stops.

    Nothing for a single one. A debit takes days to arrive, and its giver may have thought better of it meanwhile.
    """
    subscription = payment.subscription
    if subscription is None or payment.frequency == Frequency.ONCE:
        return {}
    language = language_of(payment)
    if subscription.is_ending_or_asked_to:
        return {"rests": "stopped", "level": _level(subscription, language)}
    facts = {"level": _level(subscription, language), "stop_url": stop_url(subscription, language)}
    if subscription.collection_paused:
        return {**facts, "rests": "paused"}
    return {**facts, "renews_on": (payment.paid_through or subscription.renews_on).isoformat()}


def _level(subscription: Subscription, language: str) -> str:
    """The level's name, where there is more than one to be at."""
    if subscription.membership is None or Level.objects.count() < 2:
        return ""
    return subscription.membership.level.name(language)


def _next_try(payment: Payment) -> Facts:
    return {"next_try_on": day(payment.next_attempt_at)} if payment.next_attempt_at else {}


def _return_link(payment: Payment) -> Facts:
    if payment.checkout is None:
        return {}
    return {"return_url": f"{checkouts.return_url(payment.checkout)}?lang={language_of(payment)}"}
