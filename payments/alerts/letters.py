"""The email to staff about an alert: what is wrong, since when, and what to do.

Called by watch.py; the desk's samples call `draft`. When an alert is emailed, and when again, is in watch.py.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.utils import translation

from members.mail import outbox
from members.models import Message
from members.newsroom import values as newsroom
from payments.alerts.rule import Rule
from payments.models import Alert


def staff_alert(rule: Rule, alert: Alert, *, is_again: bool) -> list[Message]:
    """Queue one email per address in STAFF_ALERT_EMAILS, inside the caller's transaction; return the new messages.

    The keys hold the alert's name, when it began and `told_at`, so that two processes cannot email the same thing.
    """
    addresses = enumerate(newsroom.lines("STAFF_ALERT_EMAILS"))
    return outbox.enqueue([draft(rule, alert, address, number, is_again=is_again) for number, address in addresses])


def draft(
    rule: Rule, alert: Alert, address: str, number: int = 0, *, is_again: bool = False, language: str = ""
) -> Message:
    """Return the email to one address, without queueing it. Its language is LANGUAGE_CODE unless `language` is given.

    The alert needs `since` and `told_at`. `number` tells apart the emails of one alert to several addresses.
    """
    language = language or settings.LANGUAGE_CODE
    moment = f"{alert.since:%Y%m%dT%H%M%S%f}:{alert.told_at:%Y%m%dT%H%M%S%f}"
    with translation.override(language):
        facts = {
            "subject": str(rule.subject),
            "words": str(rule.words) % alert.facts,
            "todo": str(rule.todo),
            "desk_url": f"{settings.SITE_URL}{rule.desk}" if rule.desk else "",
            "section": rule.name,
            "is_again": is_again,
            "privacy_url": f"{settings.SITE_URL}/support/privacy/?{urlencode({'lang': language})}",
        }
    return outbox.draft(
        "staff_alert",
        key=f"staff_alert:{rule.name}:{moment}:{number}",
        to_email=address,
        language=language,
        context=facts,
        supporter=None,
    )
