"""A sample sent to whoever asked for it: the letter exactly as it was shown, under a subject that says it is a test."""

from __future__ import annotations

from members.mail import outbox
from members.mail.rendering import Letter
from members.models import Message


def send_test(kind: str, wish: str, letter: Letter, *, to_email: str, language: str) -> Message | None:
    """Owe the letter to somebody of the staff, under the key `test:<kind>:<wish>`. It is nobody's letter: it belongs to
    no supporter and no kind that anything is counted by. None when this wish was granted before.
    """
    context = {"subject": letter.subject, "text": letter.text, "html": letter.html}
    return outbox.send(
        "test", key=f"test:{kind}:{wish}", to_email=to_email, language=language, context=context, supporter=None
    )
