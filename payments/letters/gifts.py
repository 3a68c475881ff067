"""Emails about gifts that arrived, are on their way or failed at first: thanks and receipts.

One function per email, named like its template folder and the prefix of its key. Each stores plain facts (minor units
next to their currency, ISO dates, links), is idempotent, and returns the new message or None if it exists. Called by
books/ in the transaction of their cause.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Min

from members import clock
from members.mail import outbox
from members.models import Level, Message
from payments.accounts import account as accounts
from payments.accounts import tries
from payments.giving import checkout as checkouts
from payments.letters.drafts import (
    Facts,
    again_url,
    arrived,
    coming,
    day,
    draft,
    gift,
    language_of,
    send,
    stop_url,
    varies,
)
from payments.models import Frequency, Payment, Subscription


def thank(payment: Payment) -> Message | None:
    """Queue the thank-you for a received gift: for a one-off gift, a recurring one, or a debit that was announced.

    Once per checkout: a gift that `thanks_processing` has announced gets `processing_done` instead.
    """
    if _is_queued("thanks_processing", _root(payment)):
        return processing_done(payment)
    return thanks_first_recurring(payment) if payment.subscription else next(iter(thank_once([payment])), None)


def thank_once(payments: Collection[Payment]) -> list[Message]:
    """Queue a thank-you for each of these received one-off gifts, in one statement; return the new messages.

    A supporter with an earlier gift gets `thanks_repeat_once`, others `thanks_first_once`. Both have the same key, so
    that each checkout gets one email.
    """
    earlier = Payment.objects.filter(
        supporter__in={payment.supporter_id for payment in payments}, status=Payment.Status.SUCCEEDED
    ).exclude(pk__in=[payment.pk for payment in payments])
    first = dict(earlier.values_list("supporter_id").annotate(Min("paid_at")))
    return outbox.enqueue([_thanks_once(payment, first.get(payment.supporter_id)) for payment in payments])


def thanks_first_recurring(payment: Payment) -> Message | None:
    """Queue the thanks for the first payment of a recurring gift, with its terms and how to stop. Once per checkout."""
    facts = {**arrived(payment), **_terms(payment), **_return_link(payment)}
    return send("thanks_first_recurring", _root(payment), payment, facts)


def thanks_processing(payment: Payment) -> Message | None:
    """Queue the thanks for a debit that the bank is processing. Once per checkout, and not after another thank-you."""
    root = _root(payment)
    if _is_queued("thanks_first_once", root) or _is_queued("thanks_first_recurring", root):
        return None
    facts = {**gift(payment), **_terms(payment), **_return_link(payment), "sent_on": day(payment.created_at)}
    return send("thanks_processing", root, payment, facts)


def processing_done(payment: Payment) -> Message | None:
    """Queue the thanks for a debit that has arrived after `thanks_processing`, with the terms. Once per payment."""
    facts = {**arrived(payment), **_terms(payment), **_return_link(payment)}
    return send("processing_done", payment.public_id, payment, facts)


def processing_failed(payment: Payment) -> Message | None:
    """Queue the email that the bank could not complete a debit. Once per payment.

    It offers to give again, if Stripe will not retry a checkout's payment. For a recurring gift it names Stripe's next
    try and how to stop, unless the gift is about to end.
    """
    facts = {**gift(payment), "failed_on": day(clock.now())}
    subscription = payment.subscription
    if subscription and subscription.is_ending_or_asked_to:
        facts["rests"] = "stopped"  # the supporter wanted it to end: neither a next try nor a new gift is mentioned
    elif payment.checkout and not payment.next_attempt_at:
        facts["again_url"] = again_url(payment, language_of(payment))
    elif subscription:  # Stripe tries again, so a new gift would be a second one
        facts |= {**_next_try(payment), "stop_url": stop_url(subscription, language_of(payment))}
    return send("processing_failed", payment.public_id, payment, facts)


def receipt_recurring(payment: Payment) -> Message | None:
    """Queue the receipt of a renewal, or `payment_recovered` if a try had failed before. Once per payment."""
    kind = "payment_recovered" if payment.failures else "receipt_recurring"
    return send(kind, payment.public_id, payment, {**arrived(payment), **_terms(payment)})


def _thanks_once(payment: Payment, gave_first: datetime | None) -> Message:
    """Draft the thanks for a one-off gift; `gave_first` is the time of the supporter's first gift before it, if any."""
    letter = draft("thanks_first_once", _root(payment), payment, {**arrived(payment), **_return_link(payment)})
    if gave_first:
        letter.kind, letter.context["gave_first_on"] = "thanks_repeat_once", day(gave_first)
    return letter


def _is_queued(kind: str, subject: object) -> bool:
    return Message.objects.filter(key=f"{kind}:{subject}").exists()


def _root(payment: Payment) -> object:
    """Return the subject of a thank-you's key: the checkout, so that whichever event comes first sends the only one."""
    return payment.checkout.public_id if payment.checkout else payment.public_id


def _terms(payment: Payment) -> Facts:
    """Return the terms of a recurring gift: next date, level and stop link, or that it is paused or stopped.

    Empty for a one-off gift. It can be paused or stopped by now, because a debit takes days to arrive.
    """
    subscription = payment.subscription
    if subscription is None or payment.frequency == Frequency.ONCE:
        return {}
    language = language_of(payment)
    if subscription.is_ending_or_asked_to:
        return {"rests": "stopped", "level": _level(subscription, language)}
    facts = {"level": _level(subscription, language), "stop_url": stop_url(subscription, language)}
    account = accounts.of(subscription)
    facts |= coming(account) | varies(subscription) | _other_terms(payment, subscription)
    # The payment may be known before the period that it began, and a debit may arrive after the next one has begun.
    if "renews_on" in facts and payment.paid_through:
        facts["renews_on"] = max(str(facts["renews_on"]), payment.paid_through.isoformat())
    return facts


def _other_terms(payment: Payment, subscription: Subscription) -> Facts:
    """Return `gives`, the amount and rhythm of a gift that was changed since this payment was made; else {}."""
    terms = {"amount": subscription.amount, "frequency": subscription.rhythm}
    is_same = (payment.amount, payment.rhythm) == (subscription.amount, subscription.rhythm)
    return {} if is_same else {"gives": terms}


def _level(subscription: Subscription, language: str) -> str:
    """Return the name of the membership's level, or "" if there is no membership or only one level exists."""
    if subscription.membership is None or Level.objects.count() < 2:
        return ""
    return subscription.membership.level.name(language)


def _next_try(payment: Payment) -> Facts:
    next_on = tries.next_try_on(payment)
    return {"next_try_on": next_on.isoformat()} if next_on else {}


def _return_link(payment: Payment) -> Facts:
    if payment.checkout is None:
        return {}
    return {"return_url": f"{checkouts.return_url(payment.checkout)}?lang={language_of(payment)}"}
