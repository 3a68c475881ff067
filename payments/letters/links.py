"""By mail, what somebody needs to change or stop each of their recurring gifts, when only an address is known.

Called by the page on which it is asked for. Nobody but the owner of an address learns whether we know it: what is known
and what is not takes the same queries and gives the same answer.
"""

from __future__ import annotations

from django.db import transaction

from members import limits
from members.links import fresh as fresh_links
from members.mail import outbox
from members.models import Supporter
from payments.letters import gifts as gift_letters
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
        outbox.owe([gift_letters.gift_links(supporter, newest)])
        if known is None:
            transaction.set_rollback(True)
    if known is None:
        outbox.wake_sweep()  # as long as waking a sender takes
