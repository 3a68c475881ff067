"""Supporters' choices about optional emails. Service emails, about money that moves or stops, are always sent.

A choice is one row per kind; without a row the kind's default counts (members/mail/kinds.py). Checked right before
an email is sent (members/mail/permission.py); changed on the preferences page or by a one-click unsubscribe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.expressions import NegatedExpression
from django.utils.translation import gettext_lazy as _

from members import clock
from members.mail import kinds as mail_kinds
from members.mail.kinds import Stream
from members.models import MailChoice, Supporter, TimelineEntry

# The name of each optional kind on the preferences page, and an example.
WORDS: dict[str, tuple[Any, Any]] = {
    "renewal_upcoming_month": (
        _("Three days before each monthly gift"),
        _("For example: “€10.00 on 22 December, as every month.”"),
    ),
    "anniversary": (
        _("Once a year, when another year is full"),
        _("For example: “A year with you. Thank you.”"),
    ),
}


@dataclass(frozen=True)
class LetterChoice:
    """An optional kind of email, with its name and example for the page, and whether one supporter wants it."""

    kind: str
    name: Any
    example: Any
    is_wanted: bool


def kinds() -> list[str]:
    """Return the optional kinds, in the order of kinds.KINDS."""
    return mail_kinds.of_stream(Stream.RELATIONSHIP)


def of(supporter: Supporter) -> list[LetterChoice]:
    """Return every optional kind and whether this supporter wants it. One query."""
    chosen = dict(supporter.mail_choices.values_list("kind", "is_wanted"))
    return [LetterChoice(kind, *WORDS[kind], chosen.get(kind, _default(kind))) for kind in kinds()]


def is_wanted(supporter_id: int, kind: str) -> bool:
    """Return whether a supporter wants emails of this kind: their choice, else the kind's default."""
    row = MailChoice.objects.filter(supporter_id=supporter_id, kind=kind).first()
    return row.is_wanted if row else _default(kind)


def wants(kind: str) -> Exists | NegatedExpression:
    """Return a filter for a queryset of rows with a `supporter`: keep those whose supporter wants this kind."""
    chosen = MailChoice.objects.filter(supporter=OuterRef("supporter"), kind=kind)
    return ~Exists(chosen.filter(is_wanted=False)) if _default(kind) else Exists(chosen.filter(is_wanted=True))


@transaction.atomic
def choose(supporter: Supporter, wanted: dict[str, bool], surface: str) -> list[str]:
    """Save a supporter's choices by kind; return the kinds whose choice changed. Idempotent.

    `surface` is recorded in the timeline: "page" or "one click". Kinds that are not optional are ignored.
    """
    Supporter.objects.select_for_update().get(pk=supporter.pk)
    before = {choice.kind: choice.is_wanted for choice in of(supporter)}
    changed = [kind for kind, is_wanted in wanted.items() if kind in before and before[kind] is not is_wanted]
    for kind in changed:
        values = {"is_wanted": wanted[kind], "chosen_at": clock.now()}
        MailChoice.objects.update_or_create(supporter=supporter, kind=kind, defaults=values)
        details = {"letters": kind, "wanted": wanted[kind], "surface": surface}
        TimelineEntry.objects.create(supporter=supporter, action="letters.chosen", details=details)
    return changed


def stop_all(supporter: Supporter, surface: str) -> list[str]:
    """Save that a supporter wants no optional emails; return the kinds that changed. Idempotent."""
    return choose(supporter, dict.fromkeys(kinds(), False), surface)


def _default(kind: str) -> bool:
    return not mail_kinds.of(kind).is_opt_in
