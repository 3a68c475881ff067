"""Emails as files, for development and demonstrations: one `.eml` per email under MAIL_DIR, named by time.

The default if EMAIL_URL is not set. `/demo/mail/` shows them with DEBUG on (members/views/demo_mail.py).
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Collection, Sequence
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
    """Django's email backend that writes files, readable only by the user who runs the process."""

    is_atomic = True  # a file is written completely or not at all: after an error the email was certainly not sent

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for email in email_messages:
            _write(folder, email.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True)
class StoredEmail:
    """An email read from a file. `date` may be None and texts may be empty if they are missing in the file."""

    name: str
    date: datetime | None
    to: str
    subject: str
    text: str
    html: str


def newest(limit: int = NEWEST) -> list[StoredEmail]:
    """Return the emails written last, newest first, at most `limit`."""
    names = sorted((path.stem for path in Path(settings.MAIL_DIR).glob("*.eml")), reverse=True)
    return [email for name in names[:limit] if (email := find(name))]


def find(name: str) -> StoredEmail | None:
    """Return the email in the file with this name, or None. Names of another form never reach the file system."""
    if not NAME.fullmatch(name):
        return None
    try:
        content = (Path(settings.MAIL_DIR) / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    return _read(name, message_from_bytes(content, policy=policy.default))


def remove_to(addresses: Collection[str]) -> int:
    """Remove the files of all emails to these addresses, given in small letters; return how many. Idempotent."""
    removed = 0
    for path in Path(settings.MAIL_DIR).glob("*.eml"):
        try:
            to = message_from_bytes(path.read_bytes(), policy=policy.default)["To"]
        except FileNotFoundError:
            continue
        if {each.addr_spec.lower() for each in to.addresses} & set(addresses):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _write(folder: Path, content: bytes) -> None:
    """Write one file, completely or not at all. Its name is the time and a random part, and reveals nothing else."""
    name = f"{time.time_ns():020}-{secrets.token_hex(4)}"
    fresh = folder / f".{name}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.rename(folder / f"{name}.eml")


def _read(name: str, message: ParsedMessage) -> StoredEmail:
    date = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
    text, html = (_part(message, kind) for kind in ("plain", "html"))
    return StoredEmail(name, date, str(message["To"] or ""), str(message["Subject"] or ""), text, html)


def _part(message: ParsedMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
