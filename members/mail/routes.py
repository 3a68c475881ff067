"""By which way a stream's letters leave: their own connection and sender for relationship letters, where there is one.

Reads what EMAIL_URL and EMAIL_URL_RELATIONSHIP were understood as (project/mail_urls.py). Called by the handing over.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from members.mail.kinds import Stream


def connection(stream: str) -> BaseEmailBackend:
    """Not opened yet."""
    backend: BaseEmailBackend = get_connection(**_of(stream)["connection"])
    return backend


def sender(stream: str) -> str:
    return settings.RELATIONSHIP_FROM_EMAIL if stream == Stream.RELATIONSHIP else settings.DEFAULT_FROM_EMAIL


def mark(email: EmailMessage, stream: str, message_id: int) -> None:
    """What a provider is told besides, for its own statistics and for what it tells us later: the stream, our number.

    Nothing about the person, the kind of letter or the gift.
    """
    email.tags = [stream]  # type: ignore[attr-defined]
    email.metadata = {"message": str(message_id)}  # type: ignore[attr-defined]
    email.esp_extra = dict(_of(stream)["extra"])  # type: ignore[attr-defined]


def _of(stream: str) -> dict[str, Any]:
    route: dict[str, Any] = settings.RELATIONSHIP_MAIL if stream == Stream.RELATIONSHIP else settings.SERVICE_MAIL
    return route
