"""Which letters a supporter wants. Service letters are not asked about: money that moves or stops is always told.

What somebody chose is one row a kind; without a row the kind's own rule holds (members/mail/kinds.py). Asked right
before a letter leaves, set by its reader on the page of preferences or by the one click of a mail program.
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

# What each kind is called on the page, and what such a letter says.
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
    kind: str
    name: Any
    example: Any
    is_wanted: bool


def kinds() -> list[str]:
    """The kinds that are a choice, in the order of the table."""
    return mail_kinds.of_stream(Stream.RELATIONSHIP)


def of(supporter: Supporter) -> list[LetterChoice]:
    """Every kind that is a choice, and how it stands for this supporter. One query."""
    chosen = dict(supporter.mail_choices.values_list("kind", "is_wanted"))
    return [LetterChoice(kind, *WORDS[kind], chosen.get(kind, _unless_chosen(kind))) for kind in kinds()]


def is_wanted(supporter_id: int, kind: str) -> bool:
    row = MailChoice.objects.filter(supporter_id=supporter_id, kind=kind).first()
    return row.is_wanted if row else _unless_chosen(kind)


def wants(kind: str) -> Exists | NegatedExpression:
    """For a query: rows with a `supporter` who wants letters of this kind."""
    chosen = MailChoice.objects.filter(supporter=OuterRef("supporter"), kind=kind)
    return ~Exists(chosen.filter(is_wanted=False)) if _unless_chosen(kind) else Exists(chosen.filter(is_wanted=True))


@transaction.atomic
def choose(supporter: Supporter, wanted: dict[str, bool], surface: str) -> list[str]:
    """Write down what is wanted, by kind; returns the kinds that changed. Safe to call twice.

    `surface` says where: the page, or one click in a mail program. Kinds that are no choice are left out.
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
    """Nothing that is a choice is wanted any more. Also of kinds that are sent only when asked for."""
    return choose(supporter, dict.fromkeys(kinds(), False), surface)


def _unless_chosen(kind: str) -> bool:
    return not mail_kinds.of(kind).is_opt_in
