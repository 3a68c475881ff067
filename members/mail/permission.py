"""May this letter leave now, and where to? Asked when it is claimed, under its row's lock, and at the last moment.

What was owed days ago may have lost its address or its reader's wish since. Called by the sending only.
"""

from __future__ import annotations

from members import suppressions
from members.mail import choices
from members.mail.kinds import Stream
from members.models import Message, Supporter

Withheld = Message.Withheld


def address_now(message: Message) -> str:
    """Where it goes by now: to the address its supporter has, which may have been corrected while it waited. Reads the
    row as it is now. What is for nobody we know, as letters to staff are, goes where it was meant to.
    """
    if message.supporter_id is None:
        return message.to_email
    return Supporter.objects.values_list("email", flat=True).get(pk=message.supporter_id)


def why_not(message: Message) -> Withheld | None:
    """Why it may not be sent; None when it may. Reads the rows as they are now."""
    if suppressions.active_suppression(message.to_email):
        return Withheld.SUPPRESSED
    is_choice = message.stream == Stream.RELATIONSHIP and message.supporter_id is not None
    if is_choice and not choices.is_wanted(message.supporter_id or 0, message.kind):
        return Withheld.UNWANTED
    return None
