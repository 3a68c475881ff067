"""The catalogue of letters about money: one short function a letter, named like its folder and the prefix of its key.

Each takes rows, freezes plain facts (minor units beside their currency, ISO dates, links) and owes the letter once.
All are called inside the transaction of their cause and are safe to call again: the key exists once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.db.models.functions import Coalesce

from members import clock
from members.links import fresh as fresh_links
from members.links import signed
from members.mail import outbox
from members.models import Level, Message, Supporter
from payments import money
from payments.giving import checkout as checkouts
from payments.models import KEPT, Frequency, Payment, Subscription, SubscriptionChange

Facts = dict[str, Any]
LONGEST_NAME = 30


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
    facts = {**gift(payment), **_terms(payment), **_return_link(payment), "sent_on": _day(payment.created_at)}
    return send("thanks_processing", root, payment, facts)


def processing_done(payment: Payment) -> Message | None:
    """What the bank was working on has arrived: thanks, and the terms. Once a payment."""
    facts = {**arrived(payment), **_terms(payment), **_return_link(payment)}
    return send("processing_done", payment.public_id, payment, facts)


def processing_failed(payment: Payment) -> Message | None:
    """The bank could not complete it. A first gift can be tried again; a renewal is tried again by Stripe, or ends."""
    facts, subscription = {**gift(payment), "failed_on": _day(clock.now())}, payment.subscription
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


def renewal_upcoming_year(subscription: Subscription, days_before: int) -> Message:
    """A yearly gift renews soon, or would if it could be charged. Once a subscription, renewal date and `days_before`
    (30 or 7). A draft.
    """
    facts, language = gift(subscription), subscription.supporter.language
    facts |= {
        "renews_on": subscription.renews_on.isoformat(),
        "agreed_on": _day(subscription.started_at),
        "stop_url": stop_url(subscription, language),
    }
    if subscription.method_problem:
        facts |= {"lacks_method": True, "method_url": signed.url("method", str(subscription.public_id), language)}
    subject = f"{subscription.public_id}:{subscription.renews_on.isoformat()}:{days_before}"
    return draft("renewal_upcoming_year", subject, subscription, facts)


def cancelled(subscription: Subscription, change: SubscriptionChange | None) -> Message | None:
    """Nothing more will be charged. Once a request to stop; for a stop made at Stripe, once a day of it.

    What goes on is said too: another gift of theirs, and a debit of this one that the bank has in hand. While the time
    that was paid for lasts, the way back is taking the stop back, not a new gift on top.
    """
    facts = {**gift(subscription), **_patron_until(subscription), "is_beside_another": subscription.is_beside_another}
    with_bank = subscription.payments.filter(status=Payment.Status.PROCESSING).order_by("pk").last()
    if with_bank:
        facts["amount_with_bank"] = with_bank.amount
    language = subscription.supporter.language
    if subscription.is_stopping and subscription.renews_on > clock.today():
        facts |= {"undo_until_on": subscription.renews_on.isoformat(), "stop_url": stop_url(subscription, language)}
    facts["support_url"] = _url("/support/", language)
    stopped_on = _day(subscription.canceled_at or clock.now())
    subject = change.public_id if change else f"{subscription.public_id}:{stopped_on}"
    return send("cancelled", subject, subscription, facts)


def ended(subscription: Subscription) -> Message | None:
    """A subscription that was stopped is over, and so is the time that was paid for. Once a subscription."""
    return send("ended", subscription.public_id, subscription, _end(subscription))


def ended_unpaid(subscription: Subscription) -> Message | None:
    """A subscription is over because its payments failed: no debt, and thanks for all of it. Once a subscription."""
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED, currency=subscription.currency)
    kept = received.annotate(kept=KEPT).filter(kept__gt=0)
    so_far = kept.aggregate(times=Count("pk"), given=Coalesce(Sum("kept"), 0))
    return send("ended_unpaid", subscription.public_id, subscription, {**_end(subscription), **so_far})


def gift_links(supporter: Supporter, subscriptions: Sequence[Subscription]) -> Message:
    """What can be done about each recurring gift, for who asked for the links; also when there is none.

    Once a supporter in some minutes. A draft: for somebody unknown it is written and taken back (gift_links.py).
    """
    gifts = [_with_links(subscription, supporter.language) for subscription in subscriptions]
    return outbox.draft(
        "gift_links",
        key=f"gift_links:{supporter.public_id}:{fresh_links.window()}",
        to_email=supporter.email,
        language=supporter.language,
        context=context_of(supporter, supporter.language, {"gifts": gifts}),
        supporter=supporter if supporter.pk else None,
    )


def duplicate_plan(subscription: Subscription, others: Sequence[Subscription]) -> Message | None:
    """Somebody who gives already began a second recurring gift: both, each with its links. Once the later one."""
    language = subscription.supporter.language
    gifts = [_with_links(each, language) for each in (subscription, *others)]
    return send("duplicate_plan", subscription.public_id, subscription, {**gift(subscription), "gifts": gifts})


def _with_links(subscription: Subscription, language: str) -> Facts:
    value, ends = str(subscription.public_id), subscription.is_stopping
    standing = "stopping" if ends else "paused" if subscription.collection_paused else "going"
    facts = {**gift(subscription), "standing": standing, "stop_url": signed.url("stop", value, language)}
    if standing == "stopping":
        return {**facts, **_patron_until(subscription)}
    facts["method_url"] = signed.url("method", value, language)
    return facts | ({"renews_on": subscription.renews_on.isoformat()} if standing == "going" else {})


def _thanks_once(payment: Payment, gave_first: datetime | None) -> Message:
    letter = draft("thanks_first_once", _root(payment), payment, {**arrived(payment), **_return_link(payment)})
    if gave_first:
        letter.kind, letter.context["gave_first_on"] = "thanks_repeat_once", _day(gave_first)
    return letter


def send(kind: str, subject: object, about: Payment | Subscription, facts: Facts, language: str = "") -> Message | None:
    return next(iter(outbox.owe([draft(kind, subject, about, facts, language)])), None)


def draft(kind: str, subject: object, about: Payment | Subscription, facts: Facts, language: str = "") -> Message:
    supporter, language = about.supporter, language or language_of(about)
    return outbox.draft(
        kind,
        key=f"{kind}:{subject}",
        to_email=supporter.email,
        language=language,
        context=context_of(supporter, language, facts),
        supporter=supporter,
    )


def context_of(supporter: Supporter, language: str, facts: Facts) -> Facts:
    return {"first_name": greeting_name(supporter), **facts, "privacy_url": _url("/support/privacy/", language)}


def greeting_name(supporter: Supporter) -> str:
    """The first name, when it can only be one: nobody gets to put an address or a sentence into a greeting."""
    name = unicodedata.normalize("NFC", supporter.first_name)
    letters = "".join(c for c in name if c not in "-'’ʼ")
    return name if letters.isalpha() and len(name) <= LONGEST_NAME else ""


def _is_owed(kind: str, subject: object) -> bool:
    return Message.objects.filter(key=f"{kind}:{subject}").exists()


def _root(payment: Payment) -> object:
    """What a thank-you is keyed by: the checkout, whichever of its events comes first."""
    return payment.checkout.public_id if payment.checkout else payment.public_id


def language_of(about: Payment | Subscription) -> str:
    """A letter about a checkout speaks as its pages did; a later one as the supporter does."""
    if isinstance(about, Payment) and about.checkout:
        return about.checkout.language
    return about.supporter.language


def gift(about: Payment | Subscription) -> Facts:
    facts: Facts = {
        "amount": about.amount,
        "currency": about.currency,
        "frequency": about.frequency,
        "method": about.method,
    }
    subscription = about.subscription if isinstance(about, Payment) else about
    checkout = about.checkout or (subscription.checkout if subscription else None)
    return {**facts, "reference": checkout.reference if checkout else ""}


def arrived(payment: Payment) -> Facts:
    return {**gift(payment), "paid_on": _day(payment.paid_at or clock.now())}


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


def _end(subscription: Subscription) -> Facts:
    return {
        **gift(subscription),
        "ended_on": _day(subscription.ended_at or clock.now()),
        "again_url": again_url(subscription, subscription.supporter.language),
    }


def _patron_until(subscription: Subscription) -> Facts:
    if not subscription.is_alive or subscription.membership is None:
        return {}
    until = subscription.membership.paid_through
    return {"patron_until_on": until.isoformat()} if until >= clock.today() else {}


def _next_try(payment: Payment) -> Facts:
    return {"next_try_on": _day(payment.next_attempt_at)} if payment.next_attempt_at else {}


def _return_link(payment: Payment) -> Facts:
    if payment.checkout is None:
        return {}
    return {"return_url": f"{checkouts.return_url(payment.checkout)}?lang={language_of(payment)}"}


def stop_url(subscription: Subscription, language: str) -> str:
    return _url(f"/stop/{signed.sign('stop', str(subscription.public_id))}/", language)


def again_url(about: Payment | Subscription, language: str) -> str:
    """The details form with the same gift chosen."""
    amount = money.plain(about.amount, about.currency)
    return _url("/support/details/", language, frequency=about.frequency, amount=amount, currency=about.currency)


def _url(path: str, language: str, **query: str) -> str:
    return f"{settings.SITE_URL}{path}?{urlencode({**query, 'lang': language})}"


def _day(moment: datetime) -> str:
    return str(clock.day_of(moment))
