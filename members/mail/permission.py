"""Decide whether an email may be sent now, and to which address.

Called by sending.py when an email is claimed, under its row lock, and again just before delivery: since it was queued,
its address may have been suppressed or corrected, or its reader may have unsubscribed or been erased.
"""

from __future__ import annotations

from django.conf import settings

from members import suppressions
from members.mail import choices
from members.mail.kinds import Stream
from members.models import Message, Supporter
from members.newsroom import values as newsroom
from members.rights import tombstones

Withheld = Message.Withheld


def address_now(message: Message) -> str:
    """Return the address to send to: the supporter's current one, freshly read, in case it was corrected.

    A message without a supporter, such as one to staff, keeps its own address.
    """
    if message.supporter_id is None:
        return message.to_email
    return Supporter.objects.values_list("email", flat=True).get(pk=message.supporter_id)


def waits_for_address() -> bool:
    """Return whether no reader is written to yet: in production the newsroom's postal address comes first.

    Most countries want it under every email. An installation that has written to readers before goes on.
    """
    if settings.DEBUG or newsroom.text("LEGAL_ADDRESS"):
        return False
    return not Message.objects.exclude(stream=Stream.STAFF).filter(state=Message.State.SENT).exists()


def reason_to_withhold(message: Message) -> Withheld | None:
    """Return why this email may not be sent, or None if it may. Reads the current suppressions and choices."""
    if message.to_email.endswith(f"@{tombstones.NOWHERE}"):
        return Withheld.ERASED
    if suppressions.active_suppression(message.to_email):
        return Withheld.SUPPRESSED
    is_optional = message.stream == Stream.RELATIONSHIP and message.supporter_id is not None
    if is_optional and not choices.is_wanted(message.supporter_id or 0, message.kind):
        return Withheld.UNWANTED
    return None
