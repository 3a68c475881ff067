"""Emails with the links for changing or stopping each recurring gift: on request, and after a second gift. And the one
that leads a gift on to Stripe where a proof of work is missing.

Called by the page /support/manage/ and by books/duplicates.py. Only the owner of an address learns whether we know it:
known and unknown addresses take the same queries and get the same answer on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction

from members import limits
from members.links import fresh as fresh_links
from members.links import signed
from members.mail import outbox
from members.models import Message, Supporter
from payments.accounts import account as accounts
from payments.letters import drafts
from payments.letters.drafts import Facts, coming, context_of, gift, patron_until
from payments.models import Checkout, Subscription

MOST_GIFTS = 10


def may_send(email: str) -> bool:
    """Count a request for this address, known or not, and return whether it is within the limit per hour."""
    return limits.hit("gift_links", email.lower(), fresh_links.MOST_A_PERSON, fresh_links.HOUR)


def send(email: str, language: str) -> None:
    """Queue one email with the links of all gifts to the supporter with this address; none if there is none.

    Two requests within minutes cause one email. For an unknown address an email is written too and rolled back, so
    that both take equally long.
    """
    with transaction.atomic():
        known = Supporter.objects.with_email(email).first()
        supporter = known or Supporter(email=email, language=language)
        gifts = Subscription.objects.alive().filter(supporter_id=supporter.pk or 0).select_related("checkout")
        newest = list(gifts.order_by("-started_at", "-pk")[:MOST_GIFTS])
        outbox.enqueue([gift_links(supporter, newest)])
        if known is None:
            transaction.set_rollback(True)
    if known is None:
        outbox.wake_sweep()  # takes as long as waking a worker for a known address


def gift_links(supporter: Supporter, subscriptions: Sequence[Subscription]) -> Message:
    """Draft the email with the links of these gifts; there may be none. Once per supporter in a few minutes.

    `supporter` may be unsaved: the draft for an unknown address, which `send` rolls back.
    """
    gifts = [with_links(account, supporter.language) for account in accounts.of_all(subscriptions)]
    return outbox.draft(
        "gift_links",
        key=f"gift_links:{supporter.public_id}:{fresh_links.window()}",
        to_email=supporter.email,
        language=supporter.language,
        context=context_of(supporter, supporter.language, {"gifts": gifts}),
        supporter=supporter if supporter.pk else None,
    )


def duplicate_plan(subscription: Subscription, others: Sequence[Subscription]) -> Message | None:
    """Queue the question whether a second recurring gift was intended, with the links of all. Once per new gift.

    Return the new message, or None if it exists.
    """
    language = subscription.supporter.language
    gifts = [with_links(account, language) for account in accounts.of_all([subscription, *others])]
    return drafts.send("duplicate_plan", subscription.public_id, subscription, {**gift(subscription), "gifts": gifts})


def with_links(account: accounts.Account, language: str) -> Facts:
    """Return the facts about a gift with its state (stopping, paused or going) and the links that fit it."""
    subscription = account.subscription
    public_id = str(subscription.public_id)
    facts = {**gift(subscription), **coming(account), "amount": account.amount}
    standing = {"stopped": "stopping", "paused": "paused"}.get(facts.pop("rests", ""), "going")
    facts |= {"standing": standing, "stop_url": signed.url("stop", public_id, language)}
    if account.overdue and account.overdue_since:
        facts |= {"overdue": account.overdue_amount, "overdue_since": account.overdue_since.isoformat()}
    if standing == "stopping":
        return {**facts, **patron_until(subscription)}
    return {**facts, "method_url": signed.url("method", public_id, language)}


def begin_gift(checkout: Checkout) -> Message | None:
    """Queue an email with the link that leads this gift on to Stripe's page; None if one was queued minutes ago.

    For a reader whose browser computes no proof of work while the door is guarded. It makes no supporter; to a known
    one it is as discreet as every email.
    """
    query = urlencode({"lang": checkout.language})
    token = signed.sign("begin", str(checkout.public_id))
    facts = {
        "amount": checkout.amount,
        "currency": checkout.currency,
        "frequency": checkout.frequency,
        "begin_url": f"{settings.SITE_URL}/support/begin/{token}/?{query}",
        "privacy_url": f"{settings.SITE_URL}/support/privacy/?{query}",
    }
    return outbox.send(
        "begin_gift",
        key=f"begin_gift:{checkout.public_id}:{fresh_links.window()}",
        to_email=checkout.email,
        language=checkout.language,
        context=facts,
        supporter=Supporter.objects.with_email(checkout.email).first(),
    )
