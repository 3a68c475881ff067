"""Mail as files, for development and demonstrations: one `.eml` a message under MAIL_DIR, oldest name first.

The default while EMAIL_URL is not set. `/demo/mail/` shows them (DEBUG only).
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
NEWEST = 200


class EmailBackend(BaseEmailBackend):
    is_atomic = True  # a letter is there as a whole or not at all: an error is never "perhaps"

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for email in email_messages:
            _write(folder, email.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True)
class Written:
    """A letter as it lies in the folder."""

    name: str
    date: datetime | None
    to: str
    subject: str
    text: str
    html: str


def newest(limit: int = NEWEST) -> list[Written]:
    """The letters written last, newest first."""
    names = sorted((path.stem for path in Path(settings.MAIL_DIR).glob("*.eml")), reverse=True)
    return [written for name in names[:limit] if (written := find(name))]


def find(name: str) -> Written | None:
    """The letter with this name, or None: also for a name no letter of ours can have."""
    if not NAME.fullmatch(name):
        return None
    try:
        content = (Path(settings.MAIL_DIR) / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    return _read(name, message_from_bytes(content, policy=policy.default))


def _write(folder: Path, content: bytes) -> None:
    """Named by the moment and a random end: nothing about the person or the letter stands in a file name."""
    name = f"{time.time_ns():020}-{secrets.token_hex(4)}"
    fresh = folder / f".{name}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.rename(folder / f"{name}.eml")


def _read(name: str, message: ParsedMessage) -> Written:
    date = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
    text, html = (_part(message, kind) for kind in ("plain", "html"))
    return Written(name, date, str(message["To"] or ""), str(message["Subject"] or ""), text, html)


def _part(message: ParsedMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
