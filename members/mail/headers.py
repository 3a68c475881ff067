"""The envelope's words: who sends, who answers, how to be taken off, and nothing that anybody else could have added.

Called by members/mail/rendering.py only. One click takes somebody off letters that are a choice (RFC 8058); the page
behind it is members/views/unsubscribe.py.
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

SUBJECT_LIMIT, NAME_LIMIT = 200, 64


def one_line(words: str, limit: int = SUBJECT_LIMIT) -> str:
    """No line break survives, so no header can be added from a name or an amount; nor do marks that turn the direction
    of writing, with which a subject could be made to say something else.
    """
    return "".join(c for c in " ".join(words.split()) if c.isprintable())[:limit].rstrip()


def sender(message: Message, *, is_discreet: bool) -> str:
    """The newsroom, or a name that tells nothing, at the address of the message's stream."""
    told = routes.sender(message.stream)
    return formataddr((one_line(settings.DISCREET_FROM_NAME, NAME_LIMIT), parseaddr(told)[1])) if is_discreet else told


def reply_to(message: Message) -> list[str]:
    """Answers must reach people, also when letters leave from an address nobody reads."""
    address = parseaddr(routes.sender(message.stream))[1]
    return [] if address == settings.CONTACT_EMAIL else [settings.CONTACT_EMAIL]


def headers(message: Message) -> dict[str, str]:
    return {
        "Message-ID": message_id(message.key),
        "Date": format_datetime(clock.now()),
        "Content-Language": message.language,
        "Auto-Submitted": "auto-generated",
        **_way_off(message),
    }


def message_id(key: str) -> str:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"


def unsubscribe_url(message: Message) -> str:
    """The address that takes this reader off this kind of letter; empty for a letter that is no choice."""
    supporter = message.supporter
    if supporter is None or message.stream != Stream.RELATIONSHIP:
        return ""
    return signed.url("unsubscribe", f"{supporter.public_id}-{message.kind}", message.language)


def _way_off(message: Message) -> dict[str, str]:
    url = unsubscribe_url(message)
    if not url:
        return {}
    by_mail = f"mailto:{settings.CONTACT_EMAIL}?subject={quote(f'unsubscribe {message.kind}')}"
    return {"List-Unsubscribe": f"<{url}>, <{by_mail}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
