"""Connection and sender of each stream: relationship emails may have their own.

Reads EMAIL_URL and EMAIL_URL_RELATIONSHIP as parsed by project/mail_urls.py. Called by handoff.py, headers.py and
rendering.py.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from members.mail.kinds import Stream


def connection(stream: str) -> BaseEmailBackend:
    """Return an unopened connection to the mail server of a stream."""
    backend: BaseEmailBackend = get_connection(**_of(stream)["connection"])
    return backend


def sender(stream: str) -> str:
    """Return the name and address that emails of a stream are sent from."""
    return settings.RELATIONSHIP_FROM_EMAIL if stream == Stream.RELATIONSHIP else settings.DEFAULT_FROM_EMAIL


def mark(email: EmailMessage, stream: str, message_id: int) -> None:
    """Add the stream and our message's number for the provider's statistics and delivery reports.

    The provider learns nothing more about the person, the kind of email or the gift.
    """
    email.tags = [stream]  # type: ignore[attr-defined]
    email.metadata = {"message": str(message_id)}  # type: ignore[attr-defined]
    email.esp_extra = dict(_of(stream)["extra"])  # type: ignore[attr-defined]


def _of(stream: str) -> dict[str, Any]:
    route: dict[str, Any] = settings.RELATIONSHIP_MAIL if stream == Stream.RELATIONSHIP else settings.SERVICE_MAIL
    return route
