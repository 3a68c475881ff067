"""The letter to staff when something is wrong: what it is, since when, and what to do. One a person a telling."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.utils import translation

from members import mail
from members.models import Message
from payments.alerts.rules import Rule
from payments.models import Alert


def staff_alert(rule: Rule, alert: Alert, *, is_again: bool) -> list[Message]:
    """Write to STAFF_ALERT_EMAILS, inside the caller's transaction. Nobody there: nothing is written.

    Keyed by the alert, when it began and when it was told, so that two watchers cannot write twice.
    """
    moment = f"{alert.since:%Y%m%dT%H%M%S%f}:{alert.told_at:%Y%m%dT%H%M%S%f}"
    with translation.override(settings.LANGUAGE_CODE):
        facts = {
            "subject": str(rule.subject),
            "words": str(rule.words) % alert.facts,
            "todo": str(rule.todo),
            "desk_url": f"{settings.SITE_URL}{rule.desk}" if rule.desk else "",
            "section": rule.name,
            "is_again": is_again,
            "privacy_url": f"{settings.SITE_URL}/support/privacy/?{urlencode({'lang': settings.LANGUAGE_CODE})}",
        }
    sent = [
        mail.send(
            "staff_alert", key=f"staff_alert:{rule.name}:{moment}:{number}", to_email=address,
            language=settings.LANGUAGE_CODE, context=facts, supporter=None,
        )
        for number, address in enumerate(settings.STAFF_ALERT_EMAILS)
    ]  # fmt: skip
    return [message for message in sent if message]
