"""The letter to staff when something is wrong: what it is, since when, and what to do. One a person a telling."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.utils import translation

from members.mail import outbox
from members.models import Message
from payments.alerts.rules import Rule
from payments.models import Alert


def staff_alert(rule: Rule, alert: Alert, *, is_again: bool) -> list[Message]:
    """Write to STAFF_ALERT_EMAILS, inside the caller's transaction. Nobody there: nothing is written.

    Keyed by the alert, when it began and when it was told, so that two watchers cannot write twice.
    """
    addresses = enumerate(settings.STAFF_ALERT_EMAILS)
    return outbox.owe([draft(rule, alert, address, number, is_again=is_again) for number, address in addresses])


def draft(
    rule: Rule, alert: Alert, address: str, number: int = 0, *, is_again: bool = False, language: str = ""
) -> Message:
    """The letter to one address, not owed yet; in the language of the installation unless told otherwise."""
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
