"""Parts that all emails about money share: the draft of a message, its facts and its links.

Facts are plain values: amounts in minor units next to their currency, days as ISO text. Called by the other modules of
this folder, in the transaction of the email's cause.
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
from members.models.people import JOINERS
from payments import money, rhythms
from payments.accounts.account import Account, State
from payments.giving import own_customers
from payments.models import Payment, Subscription

Facts = dict[str, Any]

LONGEST_NAME = 30
BETWEEN_LETTERS = f"-'’ʼ{JOINERS}"


def send(kind: str, subject: object, about: Payment | Subscription, facts: Facts, language: str = "") -> Message | None:
    """Queue one email in the caller's transaction; return it, or None if one with its key exists. Idempotent.

    The key is `<kind>:<subject>`: `subject` names the cause. The language is by default that of `language_of`.
    """
    return next(iter(outbox.enqueue([draft(kind, subject, about, facts, language)])), None)


def draft(kind: str, subject: object, about: Payment | Subscription, facts: Facts, language: str = "") -> Message:
    """Build the email that `send` would queue, without queueing it."""
    supporter = about.supporter
    language = language or language_of(about)
    return outbox.draft(
        kind,
        key=f"{kind}:{subject}",
        to_email=supporter.email,
        language=language,
        context=context_of(supporter, language, facts),
        supporter=supporter,
    )


def context_of(supporter: Supporter, language: str, facts: Facts) -> Facts:
    """Return the context of an email's templates: its facts, the name of the greeting and the link to privacy."""
    return {"first_name": greeting_name(supporter), **facts, "privacy_url": address("/support/privacy/", language)}


def greeting_name(supporter: Supporter) -> str:
    """Return the first name if it can only be a name, else "".

    Otherwise anybody could send an address or a sentence to others in our greeting. Letters may carry marks, as in
    Indian scripts.
    """
    name = supporter.first_name
    kinds = "".join(unicodedata.category(c)[0] for c in name if c not in BETWEEN_LETTERS)
    is_name = kinds.startswith("L") and not kinds.strip("LM")
    return name if is_name and len(name) <= LONGEST_NAME else ""


def language_of(about: Payment | Subscription) -> str:
    """Return the language of the pages of a payment's checkout; without a checkout, the supporter's."""
    if isinstance(about, Payment) and about.checkout:
        return about.checkout.language
    return about.supporter.language


def gift(about: Payment | Subscription) -> Facts:
    """Return the facts about a gift that every email has: amount, currency, frequency, method and reference.

    The frequency is a rhythm's plain text (payments/rhythms.py). The amount is 0 if no sum can be named beforehand.
    With `ends_on`, the day of an end that was agreed for later: until then the gift goes on.
    """
    facts: Facts = {
        "amount": about.amount,
        "currency": about.currency,
        "frequency": about.rhythm,
        "method": about.method,
    }
    subscription = about.subscription if isinstance(about, Payment) else about
    checkout = about.checkout or (subscription.checkout if subscription else None)
    if subscription and subscription.ends_on and not subscription.is_stopping:
        facts["ends_on"] = subscription.ends_on.isoformat()
    return {**facts, "reference": checkout.reference if checkout else ""}


def gift_of(account: Account) -> Facts:
    """Return the facts of `gift` with the amount that the account names."""
    return {**gift(account.subscription), "amount": account.amount}


def arrived(payment: Payment) -> Facts:
    """Return the facts about a received payment: those of `gift` and `paid_on`, its day or else today."""
    return {**gift(payment), "paid_on": day(payment.paid_at or clock.now())}


def patron_until(subscription: Subscription) -> Facts:
    """Return `patron_until_on`, the last day of the paid membership, as a fact.

    Empty if that day is over, if the subscription has ended, or if it has no membership.
    """
    if not subscription.is_alive or subscription.membership is None:
        return {}
    until = subscription.membership.paid_through
    return {"patron_until_on": until.isoformat()} if until >= clock.today() else {}


def coming(account: Account) -> Facts:
    """Return what is charged next as facts: its day (`renews_on`), or that the gift rests (`rests`).

    With `due`, the bills that Stripe takes within the hour; then the next payment is the one after those.
    """
    due: Facts = {"due": [bill.facts() for bill in account.due]} if account.due else {}
    if account.state in (State.ENDED, State.ENDING):
        return {**due, "rests": "stopped"}
    if account.state == State.PAUSED or account.subscription.is_resting:
        return {**due, "rests": "paused"}
    return {**due, "renews_on": (account.next_on or account.subscription.renews_on).isoformat()}


def stop_url(subscription: Subscription, language: str) -> str:
    return address(f"/stop/{signed.sign('stop', str(subscription.public_id))}/", language)


def next_sum(account: Account) -> Facts:
    """Return the sum of an announced payment as the fact `take`, or the fact `sum_varies` if we do not know it.

    By credit, a discount or a planned change it may be another one than the gift's amount: Stripe's preview says it.
    """
    is_sure = account.subscription.is_sum_sure and account.amount
    take = account.amount if is_sure else account.subscription.next_amount
    return {"take": take} if take else {"sum_varies": True}


def varies(subscription: Subscription) -> Facts:
    """Return the fact `sum_varies` if the next payment may take another sum than the amount that is named, else {}.

    For emails that speak of a gift and its next payment: they ask Stripe for no preview.
    """
    return {"sum_varies": True} if subscription.amount and not subscription.is_sum_sure else {}


def again_url(about: Payment | Subscription, language: str) -> str:
    """Return the address of the details form with the same gift chosen; of the first form for another one."""
    token = own_customers.token(about)
    carried = {"currency": about.currency} | ({"again": token} if token else {})
    if about.frequency not in rhythms.OFFERED or not about.amount:
        return address("/support/", language, **carried)
    amount = money.plain(about.amount, about.currency)
    return address("/support/details/", language, frequency=about.frequency, amount=amount, **carried)


def address(path: str, language: str, **query: str) -> str:
    return f"{settings.SITE_URL}{path}?{urlencode({**query, 'lang': language})}"


def day(moment: datetime) -> str:
    return str(clock.day_of(moment))
