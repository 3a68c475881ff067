"""Parts that all letters about money share: a draft of a message, its facts, its links.

Facts are plain values: minor units beside their currency, days as ISO text. Called in the transaction of their cause.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from members import clock
from members.links import signed
from members.mail import outbox
from members.models import Message, Supporter
from payments import money
from payments.models import Payment, Subscription

Facts = dict[str, Any]


LONGEST_NAME = 30


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
    return {"first_name": greeting_name(supporter), **facts, "privacy_url": address("/support/privacy/", language)}


def greeting_name(supporter: Supporter) -> str:
    """The first name, when it can only be one: nobody gets to put an address or a sentence into a greeting."""
    name = unicodedata.normalize("NFC", supporter.first_name)
    letters = "".join(c for c in name if c not in "-'’ʼ")
    return name if letters.isalpha() and len(name) <= LONGEST_NAME else ""


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
    return {**gift(payment), "paid_on": day(payment.paid_at or clock.now())}


def patron_until(subscription: Subscription) -> Facts:
    if not subscription.is_alive or subscription.membership is None:
        return {}
    until = subscription.membership.paid_through
    return {"patron_until_on": until.isoformat()} if until >= clock.today() else {}


def stop_url(subscription: Subscription, language: str) -> str:
    return address(f"/stop/{signed.sign('stop', str(subscription.public_id))}/", language)


def again_url(about: Payment | Subscription, language: str) -> str:
    """The details form with the same gift chosen."""
    amount = money.plain(about.amount, about.currency)
    return address("/support/details/", language, frequency=about.frequency, amount=amount, currency=about.currency)


def address(path: str, language: str, **query: str) -> str:
    return f"{settings.SITE_URL}{path}?{urlencode({**query, 'lang': language})}"


def day(moment: datetime) -> str:
    return str(clock.day_of(moment))
