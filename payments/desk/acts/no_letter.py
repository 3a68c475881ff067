"""Why an email that an act would send cannot be sent: its address is suppressed, and the act's page says so."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members import suppressions
from members.models import Suppression

WORDS: dict[str, object] = {
    Suppression.Reason.BOUNCED: _(
        "Nothing is sent to this address, because mail to it came back. Tell them another way."
    ),
    Suppression.Reason.SOFT_BOUNCED: _(
        "Nothing is sent to this address, because mail to it could not be delivered. Tell them another way."
    ),
    Suppression.Reason.COMPLAINED: _(
        "Nothing is sent to this address, because its reader marked a letter as spam. Tell them another way."
    ),
    Suppression.Reason.STAFF: _("Nothing is sent to this address, because staff decided so. Tell them another way."),
}


def why_no_letter(email: str) -> object:
    """Return why nothing is sent to this address and what to do; empty if emails are sent to it."""
    found = suppressions.active_suppression(email)
    return WORDS[found.reason] if found else ""
