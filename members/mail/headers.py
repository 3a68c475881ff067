"""Headers of emails: sender, reply address, ids and one-click unsubscribe (RFC 8058), safe from header injection.

Called by members/mail/rendering.py only. The page behind the unsubscribe link is members/views/unsubscribe.py.
"""

from __future__ import annotations

import hashlib
from email.utils import format_datetime, formataddr, parseaddr
from urllib.parse import quote, urlsplit

from django.conf import settings

from members import clock
from members.links import signed
from members.mail import routes
from members.mail.kinds import Stream
from members.models import Message
from members.newsroom import values as newsroom

SUBJECT_LIMIT, NAME_LIMIT = 200, 64


def one_line(words: str, limit: int = SUBJECT_LIMIT) -> str:
    """Return a text as one line of at most `limit` printable characters.

    Without line breaks, a name cannot add a header; without marks that change the writing direction, it cannot make a
    subject read differently.
    """
    return "".join(c for c in " ".join(words.split()) if c.isprintable())[:limit].rstrip()


def sender(message: Message, *, is_discreet: bool) -> str:
    """Return the From header: the sender of the message's stream, its name replaced by a neutral one if discreet."""
    known = routes.sender(message.stream)
    if not is_discreet:
        return known
    return formataddr((one_line(newsroom.text("DISCREET_FROM_NAME"), NAME_LIMIT), parseaddr(known)[1]))


def reply_to(message: Message) -> list[str]:
    """Return a list with CONTACT_EMAIL, so that replies reach a person; empty if emails come from it anyway."""
    address, contact = parseaddr(routes.sender(message.stream))[1], newsroom.text("CONTACT_EMAIL")
    return [] if address == contact else [contact]


def headers(message: Message) -> dict[str, str]:
    return {
        "Message-ID": message_id(message.key),
        "Date": format_datetime(clock.now()),
        "Content-Language": message.language,
        "Auto-Submitted": "auto-generated",
        **_unsubscribe_headers(message),
    }


def message_id(key: str) -> str:
    """Return the Message-ID for a message key. It is always the same, so that a copy can be recognised."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"


def unsubscribe_url(message: Message) -> str:
    """Return the address of the unsubscribe page for this reader and kind; empty if the email is not optional."""
    supporter = message.supporter
    if supporter is None or message.stream != Stream.RELATIONSHIP:
        return ""
    return signed.url("unsubscribe", f"{supporter.public_id}-{message.kind}", message.language)


def _unsubscribe_headers(message: Message) -> dict[str, str]:
    url = unsubscribe_url(message)
    if not url:
        return {}
    by_mail = f"mailto:{newsroom.text('CONTACT_EMAIL')}?subject={quote(f'unsubscribe {message.kind}')}"
    return {"List-Unsubscribe": f"<{url}>, <{by_mail}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
