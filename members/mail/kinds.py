"""What kinds of letters there are, and how each may be sent. A kind is the name of its function, folder and key.

Read by the sending; the letters themselves are written where their cause lives (payments/emails/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stream(models.TextChoices):
    """Service letters are about money that moves or stops and are always sent; relationship letters are a choice."""

    SERVICE = "service", _("service")
    RELATIONSHIP = "relationship", _("relationship")
    STAFF = "staff", _("to staff")


ABOUT_A_PAYMENT, RECEIPT, LINK = _("About your payment"), _("Your receipt"), _("Your link")
NOTE = _("A note for you")


@dataclass(frozen=True)
class LetterKind:
    """`at_most_once`: twice would be worse than not at all, so when nobody knows whether it arrived, staff decide;
    every other letter goes out once more. `is_urgent`: somebody waits for it, so it goes first. `lives`: after that
    it would only confuse, and is dropped. `is_opt_in`: sent to those who asked for it. `discreet_subject`: what stands
    in place of the subject for those who want discreet letters.
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
    "gift_links": LetterKind(is_urgent=True, lives=timedelta(hours=6), discreet_subject=LINK),
    "renewal_upcoming_month": LetterKind(stream=Stream.RELATIONSHIP, lives=timedelta(days=2), is_opt_in=True),
    "anniversary": LetterKind(stream=Stream.RELATIONSHIP, lives=timedelta(days=14), discreet_subject=NOTE),
    "staff_alert": LetterKind(stream=Stream.STAFF, is_urgent=True),
    "staff_new_patron": TO_STAFF,
    "staff_large_gift": TO_STAFF,
    "test": LetterKind(stream=Stream.STAFF, is_urgent=True, lives=timedelta(hours=1)),
}


def of(name: str) -> LetterKind:
    """The kind with this name. One that the table does not know is sent like any notice."""
    return KINDS.get(name, NOTICE)


def of_stream(stream: Stream) -> list[str]:
    return [name for name, kind in KINDS.items() if kind.stream == stream]
