"""From a message's frozen facts to the letter as it leaves: words in the reader's language, styles inlined, headers.

Called by members/mail_sending.py, and where staff are shown a letter before it is owed. What a letter says is in
`templates/emails/<kind>/`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.utils import translation

from members import clock
from members.models import Message

SUBJECT_LIMIT = 200
# Invisible, and not folded into one space: after the preheader a list of mails shows this, not the letter's next words.
NOTHING_MORE = "\u034f\u200c\u00a0" * 70
EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


def render(message: Message) -> Letter:
    """The letter in the message's language. Raises what a broken template raises; safe to call any number of times."""
    how = {"language": message.language, "stream": message.stream, "is_discreet": _is_discreet(message)}
    facts = {**_newsroom(), **_with_dates(message.context), **how}
    with translation.override(message.language):
        subject = _one_line(_fill(message, "subject.txt", facts, escape=False))
        text = _fill(message, "body.txt", facts, escape=False)
        facts |= {"subject_line": subject, "nothing_more": NOTHING_MORE}
        html = _fill(message, "body.html", facts, escape=True)
    return Letter(subject, EMPTY_LINES.sub("\n\n", text).strip() + "\n", _inliner().inline(html))


def as_email(message: Message, letter: Letter) -> EmailMultiAlternatives:
    """What is handed over. The same message always carries the same Message-ID, so that a copy can be recognised."""
    email = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        settings.DEFAULT_FROM_EMAIL,
        [message.to_email],
        reply_to=_reply_to(),
        headers=_headers(message),
    )
    email.attach_alternative(letter.html, "text/html")
    return email


def message_id(key: str) -> str:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"


def _is_discreet(message: Message) -> bool:
    return message.supporter is not None and message.supporter.is_discreet


def _headers(message: Message) -> dict[str, str]:
    return {
        "Message-ID": message_id(message.key),
        "Date": format_datetime(clock.now()),
        "Content-Language": message.language,
        "Auto-Submitted": "auto-generated",
    }


def _reply_to() -> list[str]:
    """Answers must reach people, also when letters leave from an address nobody reads."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return [] if sender == settings.CONTACT_EMAIL else [settings.CONTACT_EMAIL]


def _with_dates(context: dict[str, Any]) -> dict[str, Any]:
    """JSON has no dates: what ends in `_on` is one, in ISO form, also inside a list."""
    return {key: _with_date(key, value) for key, value in context.items()}


def _with_date(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_with_dates(each) if isinstance(each, dict) else each for each in value]
    return date.fromisoformat(value) if value and key.endswith("_on") else value


def _newsroom() -> dict[str, Any]:
    legal = [settings.LEGAL_NAME, settings.LEGAL_ADDRESS, settings.LEGAL_REGISTRATION]
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "editor_name": settings.EDITOR_NAME,
        "editor_role": settings.EDITOR_ROLE,
        "legal": ", ".join(part for part in legal if part),
    }


def _fill(message: Message, part: str, facts: dict[str, Any], *, escape: bool) -> str:
    template = Engine.get_default().get_template(f"emails/{message.kind}/{part}")
    return template.render(Context(facts, autoescape=escape))


def _one_line(subject: str) -> str:
    """No line break survives, so no header can be added from a name or an amount."""
    return "".join(c for c in " ".join(subject.split()) if c.isprintable())[:SUBJECT_LIMIT]


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
