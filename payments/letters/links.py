"""By mail, what somebody needs to change or stop each of their recurring gifts, when only an address is known.

Called by the page on which it is asked for. Nobody but the owner of an address learns whether we know it: what is known
and what is not takes the same queries and gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from members import limits
from members.links import fresh as fresh_links
from members.links import signed
from members.mail import outbox
from members.models import Message, Supporter
from payments.letters import drafts
from payments.letters.drafts import Facts, context_of, gift, patron_until
from payments.models import Subscription

MOST_GIFTS = 10


def may_send(email: str) -> bool:
    """Whether a letter may go to this address once more, known or not. Counts the asking."""
    return limits.hit("gift_links", email.lower(), fresh_links.MOST_A_PERSON, fresh_links.HOUR)


def send(email: str, language: str) -> None:
    """Owe whoever has this address one letter with the links of all their gifts; nobody, when we know nobody.

    Asked twice within minutes: one letter. A letter to somebody unknown is written too, and taken back at once.
    """
    with transaction.atomic():
        known = Supporter.objects.with_email(email).first()
        supporter = known or Supporter(email=email, language=language)
        gifts = Subscription.objects.alive().filter(supporter_id=supporter.pk or 0).select_related("checkout")
        newest = list(gifts.order_by("-started_at", "-pk")[:MOST_GIFTS])
        outbox.owe([gift_links(supporter, newest)])
        if known is None:
            transaction.set_rollback(True)
    if known is None:
        outbox.wake_sweep()  # as long as waking a sender takes


def gift_links(supporter: Supporter, subscriptions: Sequence[Subscription]) -> Message:
    """What can be done about each recurring gift, for who asked for the links; also when there is none.

    Once a supporter in some minutes. A draft: for somebody unknown it is written and taken back (gift_links.py).
    """
    gifts = [with_links(subscription, supporter.language) for subscription in subscriptions]
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
    gifts = [with_links(each, language) for each in (subscription, *others)]
    return drafts.send("duplicate_plan", subscription.public_id, subscription, {**gift(subscription), "gifts": gifts})


def with_links(subscription: Subscription, language: str) -> Facts:
    value, ends = str(subscription.public_id), subscription.is_stopping
    standing = "stopping" if ends else "paused" if subscription.collection_paused else "going"
    facts = {**gift(subscription), "standing": standing, "stop_url": signed.url("stop", value, language)}
    if standing == "stopping":
        return {**facts, **patron_until(subscription)}
    facts["method_url"] = signed.url("method", value, language)
    return facts | ({"renews_on": subscription.renews_on.isoformat()} if standing == "going" else {})
