"""Mail as files, for development and demonstrations: one `.eml` a message under MAIL_DIR, oldest name first.

The default while EMAIL_URL is not set. `/demo/mail/` shows them (DEBUG only).
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    is_atomic = True  # a letter is there as a whole or not at all: an error is never "perhaps"

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for email in email_messages:
            _write(folder, email.message().as_bytes())
        return len(email_messages)


def _write(folder: Path, content: bytes) -> None:
    """Named by the moment and a random end: nothing about the person or the letter stands in a file name."""
    name = f"{time.time_ns():020}-{secrets.token_hex(4)}"
    fresh = folder / f".{name}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.rename(folder / f"{name}.eml")
