"""A fresh link for one that has run out: mailed to the address we know, never shown, and not often.

The page that offers it is members/links/pages.py; who the link belongs to is found by the door that reads it.
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.conf import settings

from members import limits
from members.links import signed
from members.mail import outbox
from members.models import Message, Supporter

HOUR = 3600
MOST_A_NETWORK, MOST_A_PERSON = 10, 3  # an hour
ONE_LETTER_IN_SECONDS = 300


def may_ask(network: str) -> bool:
    """Whether somebody in this network may ask for one more. Counts the asking."""
    return limits.hit("fresh_link", network, MOST_A_NETWORK, HOUR)


def window() -> int:
    """In the keys of letters that somebody asks for: however often they ask within minutes, it is one letter."""
    return int(time.time() // ONE_LETTER_IN_SECONDS)


def fresh_link(purpose: str, value: str, supporter: Supporter) -> Message | None:
    """Owe the supporter a letter with a new link for the same purpose and object.

    Asked twice within minutes: one letter. Returns None when nothing is owed, also because it was asked too often.
    """
    if not limits.hit("fresh_link_person", str(supporter.public_id), MOST_A_PERSON, HOUR):
        return None
    facts = {
        "fresh_url": signed.url(purpose, value, supporter.language),
        "days": signed.LIVES[purpose],
        "privacy_url": f"{settings.SITE_URL}/support/privacy/?{urlencode({'lang': supporter.language})}",
    }
    return outbox.send(
        "fresh_link",
        key=f"fresh_link:{purpose}:{value}:{window()}",
        to_email=supporter.email,
        language=supporter.language,
        context=facts,
        supporter=supporter,
    )
