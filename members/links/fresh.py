"""New links in place of expired ones: emailed to the address we know, never shown on a page, and rate-limited.

The page that offers a new link is members/links/pages.py; the view behind each link finds out whose link it is.
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from members import limits
from members.links import signed
from members.mail import outbox
from members.models import Message, Supporter

HOUR = 3600
MOST_A_NETWORK, MOST_A_PERSON = 10, 3  # per hour
ONE_EMAIL_IN_SECONDS = 300


def may_ask(request: HttpRequest) -> bool:
    """Count one request for a new link from its network; return whether it is within the hourly limit."""
    return limits.hit_from(request, "fresh_link", MOST_A_NETWORK, HOUR)


def window() -> int:
    """Return a number that changes every five minutes of real time.

    As part of a message key it makes repeated requests within the same five minutes one email.
    """
    return int(time.time() // ONE_EMAIL_IN_SECONDS)


def fresh_link(purpose: str, value: str, supporter: Supporter) -> Message | None:
    """Queue an email to the supporter with a new link for the same purpose and value; return it.

    Returns None if one is already queued for these five minutes, or if the supporter's hourly limit is reached.
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
