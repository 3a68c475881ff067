"""Rendering a message's stored context to an email in the reader's language, with inlined styles and headers.

Called by sending.py, and by the staff desk to preview emails. The texts are templates in `templates/emails/<kind>/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.utils import translation

from members.editor import editor
from members.links import signed
from members.mail import headers, kinds, routes
from members.mail.kinds import Stream
from members.models import Message
from members.newsroom import values as newsroom

# Invisible characters that mail programs do not collapse. They fill the preview line of an inbox after the preheader,
# which would otherwise show the first words of the body.
NOTHING_MORE = "\u034f\u200c\u00a0" * 70
EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


def render(message: Message) -> Letter:
    """Return subject, text and HTML of a message in its language. Raises the errors of a broken template.

    Uses the stored context, the supporter and the settings; changes nothing.
    """
    facts = {**_newsroom(message.language), **_with_dates(message.context), **_about_the_reader(message)}
    with translation.override(message.language):
        if facts["is_discreet"]:
            subject = headers.one_line(str(facts["discreet_subject"]))
        else:
            subject = headers.one_line(_fill(message, "subject.txt", facts, escape=False))
        text = _fill(message, "body.txt", facts, escape=False)
        facts |= {"subject_line": subject, "nothing_more": NOTHING_MORE}
        html = _fill(message, "body.html", facts, escape=True)
    return Letter(subject, EMPTY_LINES.sub("\n\n", text).strip() + "\n", _inliner().inline(html))


def as_email(message: Message, letter: Letter) -> EmailMultiAlternatives:
    """Return the rendered message as an email with all headers, addressed to `message.to_email`."""
    email = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        headers.sender(message, is_discreet=_is_discreet(message)),
        [message.to_email],
        reply_to=headers.reply_to(message),
        headers=headers.headers(message),
    )
    email.attach_alternative(letter.html, "text/html")
    routes.mark(email, message.stream, message.pk)
    return email


def _about_the_reader(message: Message) -> dict[str, Any]:
    """Return the template variables about how this email is sent, and its links to preferences and unsubscribe."""
    supporter, kind = message.supporter, kinds.of(message.kind)
    facts: dict[str, Any] = {
        "language": message.language,
        "stream": str(message.stream),
        "is_discreet": _is_discreet(message),
        "discreet_subject": kind.discreet_subject,
    }
    if supporter is None or message.stream == Stream.STAFF:
        return facts
    facts["preferences_url"] = signed.url("preferences", str(supporter.public_id), message.language)
    return facts | {"unsubscribe_url": headers.unsubscribe_url(message)}


def _is_discreet(message: Message) -> bool:
    return message.supporter is not None and message.supporter.is_discreet


def _with_dates(context: dict[str, Any]) -> dict[str, Any]:
    """Return the context with ISO texts in keys ending in `_on` as dates, also in lists of dicts: JSON has no dates."""
    return {key: _with_date(key, value) for key, value in context.items()}


def _with_date(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_with_dates(each) if isinstance(each, dict) else each for each in value]
    return date.fromisoformat(value) if value and key.endswith("_on") else value


def _newsroom(language: str) -> dict[str, Any]:
    legal = [newsroom.text(f"LEGAL_{part}") for part in ("NAME", "ADDRESS", "REGISTRATION")]
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        **editor(language),
        "legal": ", ".join(part for part in legal if part),
    }


def _fill(message: Message, part: str, facts: dict[str, Any], *, escape: bool) -> str:
    template = Engine.get_default().get_template(f"emails/{message.kind}/{part}")
    return template.render(Context(facts, autoescape=escape))


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
