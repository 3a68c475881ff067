"""All kinds of emails and how each may be sent. A kind names its function, its template folder and its key prefix.

Read by outbox.py, sending.py and choices.py. The functions that write emails are in payments/letters/, payments/alerts/
and members/links/fresh.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stream(models.TextChoices):
    """Service emails, about money that moves or stops, are always sent; relationship emails are optional."""

    SERVICE = "service", _("service")
    RELATIONSHIP = "relationship", _("relationship")
    STAFF = "staff", _("to staff")


ABOUT_A_PAYMENT, RECEIPT, LINK = _("About your payment"), _("Your receipt"), _("Your link")
NOTE = _("A note for you")


@dataclass(frozen=True)
class LetterKind:
    """How emails of one kind are sent.

    `at_most_once`: a second copy would be worse than none, so if the delivery is unknown, staff decide; any other
    email is sent once more. `is_urgent`: a person is waiting for it, so it is sent first. `lives`: if it cannot be
    sent for so long, it is cancelled. `is_opt_in`: sent only to supporters who chose it. `discreet_subject`: replaces
    the subject for supporters who want discreet emails.
    """

    stream: Stream = Stream.SERVICE
    at_most_once: bool = False
    is_urgent: bool = False
    lives: timedelta | None = None
    is_opt_in: bool = False
    discreet_subject: Any = ABOUT_A_PAYMENT


THANKS = LetterKind(at_most_once=True, discreet_subject=RECEIPT)
NOTICE = LetterKind()
TO_STAFF = LetterKind(stream=Stream.STAFF)

KINDS: dict[str, LetterKind] = {
    "thanks_first_once": THANKS,
    "thanks_first_recurring": THANKS,
    "thanks_repeat_once": THANKS,
    "thanks_processing": THANKS,
    "processing_done": THANKS,
    "processing_failed": NOTICE,
    "thanks_upgrade": NOTICE,
    "plan_changed": NOTICE,
    "receipt_recurring": LetterKind(discreet_subject=RECEIPT),
    "refund_done": NOTICE,
    "dispute_note": NOTICE,
    "payment_returned": NOTICE,
    "renewal_upcoming_year": NOTICE,
    "monthly_reminder": NOTICE,
    "payment_failed_1": LetterKind(lives=timedelta(days=3)),
    "payment_failed_2": LetterKind(lives=timedelta(days=3)),
    "payment_failed_3": LetterKind(lives=timedelta(days=3)),
    "payment_failed_4": LetterKind(lives=timedelta(days=3)),
    "payment_recovered": NOTICE,
    "action_required": LetterKind(lives=timedelta(days=3)),
    "card_expiring": LetterKind(lives=timedelta(days=14)),
    "mandate_cancelled": NOTICE,
    "paused": NOTICE,
    "resume_soon": LetterKind(lives=timedelta(days=4)),
    "resumed": NOTICE,
    "cancelled": NOTICE,
    "ended": NOTICE,
    "ended_unpaid": NOTICE,
    "duplicate_plan": NOTICE,
    "fresh_link": LetterKind(is_urgent=True, lives=timedelta(hours=6), discreet_subject=LINK),
    "begin_gift": LetterKind(is_urgent=True, lives=timedelta(hours=6), discreet_subject=LINK),
    "gift_links": LetterKind(is_urgent=True, lives=timedelta(hours=6), discreet_subject=LINK),
    "renewal_upcoming_month": LetterKind(stream=Stream.RELATIONSHIP, lives=timedelta(days=2), is_opt_in=True),
    "anniversary": LetterKind(stream=Stream.RELATIONSHIP, lives=timedelta(days=14), discreet_subject=NOTE),
    "staff_alert": LetterKind(stream=Stream.STAFF, is_urgent=True),
    "staff_new_patron": TO_STAFF,
    "staff_large_gift": TO_STAFF,
    "test": LetterKind(stream=Stream.STAFF, is_urgent=True, lives=timedelta(hours=1)),
}


def of(name: str) -> LetterKind:
    """Return the kind with this name; an unknown name is treated like NOTICE."""
    return KINDS.get(name, NOTICE)


def of_stream(stream: Stream) -> list[str]:
    """Return the names of all kinds in a stream, in the order of KINDS."""
    return [name for name, kind in KINDS.items() if kind.stream == stream]
