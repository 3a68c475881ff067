"""Send a sample as a test to the member of staff who asked for it. Called by payments/desk/letters.py."""

from __future__ import annotations

from members.mail import outbox
from members.mail.rendering import Letter
from members.models import Message


def send_test(kind: str, request_id: str, letter: Letter, *, to_email: str, language: str) -> Message | None:
    """Queue the email under the key `test:<kind>:<request id>`; return None if that request was queued before.

    It belongs to no supporter, and to the kind `test`, so that no figure counts it.
    """
    context = {"subject": letter.subject, "text": letter.text, "html": letter.html}
    return outbox.send(
        "test", key=f"test:{kind}:{request_id}", to_email=to_email, language=language, context=context, supporter=None
    )
