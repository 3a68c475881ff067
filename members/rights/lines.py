"""The form of the privacy map: one line per field that holds personal data, one table of lines per model.

The tables are members/rights/kept.py, appeals/privacy.py and payments/rights/kept_*.py; payments/rights/map.py puts
them together. Export and erasing follow the lines. tests/payments/rights/test_map.py fails for a field without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Model, Q

from members.rights.person import Person


class Basis(StrEnum):
    """The legal basis, by article of the GDPR. That somebody supports a newsroom may show what they think: Art. 9."""

    CONTRACT = "6(1)(b): the gift and what was agreed with it"
    CONSENT = "6(1)(a) and 9(2)(a): consent"
    LAW = "6(1)(c): records that the law requires"
    INTEREST = "6(1)(f): to run and protect this"


class Erase(StrEnum):
    """The way in which erasing treats a field."""

    EMPTIED = "emptied"
    ADDRESS = "replaced by an address that leads nowhere"
    HASHED = "replaced by a keyed hash"
    REPLACED = "replaced by a random value"
    SHORTENED = "reduced to the kind, without digits"
    REDUCED = "reduced to ids at Stripe"
    ROW = "removed with its row"
    SEALED = "kept: a fact of the books, or an id that leads to nobody any more"


class Period(StrEnum):
    """How long a field is kept if nobody is erased."""

    KNOWN = "as long as the supporter is known"
    BOOKS = "as long as the books"
    CHECKOUT = "if no money came: KEEP_CHECKOUTS_DAYS"
    LETTER = "KEEP_LETTERS_DAYS"
    REPORT = "KEEP_REPORTS_DAYS"
    EVENT = "KEEP_EVENTS_DAYS"
    WEEK = "seven days"


@dataclass(frozen=True)
class Line:
    """The facts about one field. `is_given` is False for a field that an export leaves out: it gives access."""

    purpose: str
    basis: Basis
    period: Period
    erase: Erase
    is_given: bool = True


@dataclass(frozen=True, eq=False)
class Kept:
    """The lines of one model. `of` is the condition for the rows of a person; None for a model with no such rows.

    `nothing` names the text fields that hold no personal data.
    """

    model: type[Model]
    of: Callable[[Person], Q] | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    nothing: tuple[str, ...] = ()
